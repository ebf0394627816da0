"""Prompts where no tokenizer lies on this machine: made with the server's own, or not in tokens at all.

llama.cpp's server cuts any text into its tokens, with and without those that steer the model, and writes turns with the model's
chat template. So the rule of `prompts` holds there too: what people have said is cut into tokens of which none steers.
"""

from __future__ import annotations

import re
import secrets
from typing import Final, Protocol

from actors.inference.remote.server import Server
from protocol.errors import BatosError
from protocol.messages import Row, Turn

LONGEST: Final = 256
"""Characters of the longest token, where no vocabulary is known: models have some of up to 128 blanks."""


class Tokenizer(Protocol):
    """What makes prompts and counts texts: see `Prompts`."""

    longest: int

    def tokens(self, row: Row, /) -> tuple[int, ...]: ...
    def forged(self, row: Row, /) -> str | None: ...
    def count(self, text: str, /) -> int: ...


class ServerPrompts:
    """Prompts by llama.cpp's own tokenizer and template, which it is asked for."""

    longest = LONGEST

    def __init__(self, server: Server) -> None:
        self._server = server

    def count(self, text: str) -> int:
        return len(self._plain(text))

    def forged(self, row: Row) -> str | None:
        """The first text that spells a token which is the template's to write."""
        return next((text for text in (row.prompt, *(turn.content for turn in row.turns)) if self._spells(text)), None)

    def tokens(self, row: Row) -> tuple[int, ...]:
        """The prompt's tokens, one at least; BAD_ARGUMENT where the template refuses the turns, or changes what they spell."""
        if not row.turns:
            ids = self._server.tokens(row.prompt, special=False, begins=True)
        else:
            ids = self._templated(row.turns)
        if not ids:
            raise BatosError(
                "BAD_ARGUMENT", "the prompt has no token: the tokenizer leaves nothing of it", "Give some words."
            )
        return tuple(ids)

    def _templated(self, turns: list[Turn]) -> list[int]:
        """A turn that spells a token of the template is a sign while the template writes, and is cut by itself."""
        spelt = [turn.content for turn in turns if turn.content] if self._spells(_joined(turns)) else []
        hidden = [text for text in spelt if self._spells(text)]
        mark = f"q{secrets.token_hex(8)}q"
        said = [
            {"role": turn.role, "content": mark if turn.content in hidden else turn.content.replace(mark, "")}
            for turn in turns
        ]
        written = self._server.rendered(said)
        parts = re.split(mark, written)
        words = [turn.content for turn in turns if turn.content in hidden]
        if len(parts) != len(words) + 1:
            raise BatosError(
                "BAD_ARGUMENT",
                "the turns spell a token of the model's chat template, which then changes them",
                "Leave it out of the text.",
            )
        ids: list[int] = []
        for number, part in enumerate(parts):
            ids += self._server.tokens(part, special=True, begins=number == 0) if part or number == 0 else []
            ids += self._plain(words[number]) if number < len(words) else []
        return ids

    def _spells(self, text: str) -> bool:
        """Whether the text would steer the model if it were read as the template's."""
        return self._plain(text) != self._server.tokens(text, special=True, begins=False)

    def _plain(self, text: str) -> list[int]:
        return self._server.tokens(text, special=False, begins=False)


class NoPrompts:
    """No tokenizer is known: prompts are texts, and nobody can see whether one spells a token that steers the model."""

    longest = LONGEST

    def tokens(self, _row: Row) -> tuple[int, ...]:
        raise BatosError("INTERNAL", "tokens are wanted for a server whose tokenizer nobody knows")

    def forged(self, _row: Row) -> str | None:
        return None

    def count(self, _text: str) -> int:
        return 0


def _joined(turns: list[Turn]) -> str:
    return "\n".join(turn.content for turn in turns)
