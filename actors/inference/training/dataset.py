"""What an expert is trained on, as a person gives it: one text, or conversations, a row of JSON each.

All of it is read and checked before anything is loaded or computed, and what is wrong is said with its line. A row is
`{"messages": [{"role", "content"}, …]}` or `{"prompt", "response"}`; what else stands in it is its owner's business.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from protocol.errors import BatosError
from protocol.messages import Turn
from protocol.texts import bounded_text

MAX_BYTES: Final = 64 << 20

_FORMS: Final = 'A row is {"messages": [{"role", "content"}, …]} or {"prompt": …, "response": …}.'


class Dialogue(NamedTuple):
    """One row: the line it stands on, and its turns; the assistant's are what is learned."""

    line: int
    turns: list[Turn]


def read_text(path: Path) -> str:
    """The text at `path`; UNREADABLE, TOO_LARGE, or BAD_DOCUMENT where it is empty or not in UTF-8."""
    text = _decoded(path)
    if not text.strip():
        raise BatosError("BAD_DOCUMENT", f"{path.name} is empty", "Give a text to learn from.")
    return text


def read_dialogues(path: Path) -> list[Dialogue]:
    """The rows at `path`, blank lines apart; besides what `read_text` raises BAD_JSON, with the line."""
    rows = [
        Dialogue(number, _turns(line, f"{path.name}, line {number}"))
        for number, line in enumerate(_decoded(path).split("\n"), 1)
        if line.strip()
    ]
    if not rows:
        raise BatosError("BAD_DOCUMENT", f"{path.name} has no rows", _FORMS)
    return rows


def _decoded(path: Path) -> str:
    return bounded_text(
        path, name=path.name, most=MAX_BYTES, parts="Train on a part of it.", convert="Convert it first, as with iconv."
    )


def _turns(line: str, where: str) -> list[Turn]:
    try:
        row: Any = msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        raise BatosError("BAD_JSON", f"{where} is not JSON: {error}", _FORMS) from error
    if not isinstance(row, dict):
        raise BatosError("BAD_DOCUMENT", f"{where} is no JSON object", _FORMS)
    try:
        if "messages" in row:
            turns = msgspec.convert(row["messages"], list[Turn])
        else:
            prompt, response = (msgspec.convert(row.get(key), str) for key in ("prompt", "response"))
            turns = [Turn(role="user", content=prompt), Turn(role="assistant", content=response)]
    except msgspec.ValidationError as error:
        raise BatosError("BAD_DOCUMENT", f"{where} is no conversation: {error}", _FORMS) from error
    if not any(turn.role == "assistant" and turn.content.strip() for turn in turns):
        raise BatosError(
            "BAD_DOCUMENT", f"{where} has nothing to learn", "An assistant's turn with a text is what is learned."
        )
    return turns
