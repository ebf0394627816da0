"""How fast this engine reads and writes, as it was seen last: what a deadline is made of.

Each batch that was long enough to tell counts half, and all before it the other half, so that a busy hour is soon known and
soon forgotten. Nothing that is generated depends on any of this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LEAST_READ: Final = 16
LEAST_WRITTEN: Final = 3
"""Tokens of a prompt, and steps of a batch, below which a batch says nothing."""


@dataclass(slots=True)
class Pace:
    """Tokens a second, 0 where nothing is known: `read` of prompts, `one` of a text alone, `many` of `rows` texts together."""

    read: float = 0.0
    one: float = 0.0
    many: float = 0.0
    rows: int = 0

    def has_read(self, tokens: int, seconds: float) -> None:
        """So many tokens of prompts were computed in so many seconds."""
        if tokens >= LEAST_READ and seconds > 0:
            self.read = _seen(self.read, tokens / seconds)

    def has_written(self, steps: int, tokens: int, seconds: float) -> None:
        """So many steps of a batch have made so many tokens."""
        if steps < LEAST_WRITTEN or seconds <= 0:
            return
        if tokens == steps:
            self.one = _seen(self.one, tokens / seconds)
        else:
            self.many, self.rows = _seen(self.many, tokens / seconds), round(tokens / steps)


def _seen(before: float, now: float) -> float:
    return now if before == 0 else (before + now) / 2
