"""What the decoding loop asks of others: how tokens are spelt, and which of them a row may take.

The loop knows neither a tokenizer nor a grammar, so that it runs where no library for them is installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from actors.inference.decoding.sampling import Ids


class Spelling(Protocol):
    """Turns tokens back into text, the same way for every row."""

    def decode(self, tokens: Sequence[int]) -> bytes: ...


class Rule(Protocol):
    """Where one row stands in the form that it must keep. Each of these may raise `DeadEndError`."""

    def forced(self) -> list[int]:
        """The tokens that must come next whatever the model thinks; they count as taken."""

    def allowed(self) -> Ids:
        """The tokens that may come next."""

    def take(self, token: int) -> None: ...

    @property
    def complete(self) -> bool:
        """Nothing more can be said in this form."""


class DeadEndError(Exception):
    """A row's form cannot be followed any further."""
