"""What can be wrong with the rows of a batch before any text is generated, whichever engine takes them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from actors.inference.weights.expert import Content
from protocol.errors import BatosError
from protocol.messages import MAX_ROWS, Row

if TYPE_CHECKING:
    from actors.inference.decoding.decoding import OnPiece

MAX_CHARACTERS: Final = 1_000_000
"""In the texts of one row. No context is as long; to cut more into tokens would take seconds that nobody is served."""


def check(rows: Sequence[Row]) -> None:
    """TOO_LARGE where there are more rows than one batch may have, BAD_ARGUMENT for the first one that makes no sense."""
    if len(rows) > MAX_ROWS:
        raise BatosError("TOO_LARGE", f"{len(rows)} rows are over the limit of {MAX_ROWS}", "Ask in several batches.")
    for number, row in enumerate(rows):
        _check(row, number)


def _check(row: Row, number: int) -> None:
    if bool(row.turns) == bool(row.prompt):
        raise BatosError("BAD_ARGUMENT", f"row {number} needs either turns or a prompt", "Give one of them.")
    characters = len(row.prompt) + sum(len(turn.content) for turn in row.turns)
    if characters > MAX_CHARACTERS:
        raise BatosError(
            "BAD_ARGUMENT",
            f"row {number}: its texts have {characters} characters, over the limit of {MAX_CHARACTERS}",
            "Send a shorter prompt.",
        )
    if row.max_tokens < 1:
        raise BatosError("BAD_ARGUMENT", f"row {number}: max_tokens is {row.max_tokens}, it must be at least 1")
    temperature, top_p = row.sampling.temperature, row.sampling.top_p
    if not (math.isfinite(temperature) and 0 <= temperature <= 100):
        raise BatosError("BAD_ARGUMENT", f"row {number}: temperature is {temperature}, it must be from 0 to 100")
    if not 0 < top_p <= 1:
        raise BatosError("BAD_ARGUMENT", f"row {number}: top_p is {top_p}, it must be over 0 and at most 1")


def content_of(row: Row, number: int, experts: Mapping[str, Content]) -> Content | None:
    """The content of the expert that row `number` names, None for the base model; UNKNOWN_EXPERT."""
    if row.expert is None:
        return None
    found = experts.get(row.expert)
    if found is None:
        raise BatosError(
            "UNKNOWN_EXPERT",
            f"row {number}: no expert is called {row.expert[:100]!r}",
            "`batos expert ls` lists them; `batos expert import PATH NAME` brings one.",
        )
    return found


def distinct(contents: Iterable[Content | None]) -> dict[str, Content]:
    """The contents by their sha256, each once, in order."""
    return {content.sha256: content for content in contents if content is not None}


def renumbered(on_piece: OnPiece | None, rows: Sequence[int]) -> OnPiece | None:
    """`on_piece` for a part of the rows: what is said of the part's row n is passed on as of `rows[n]`."""
    if on_piece is None:
        return None
    return lambda row, text: on_piece(rows[row], text)
