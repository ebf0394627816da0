"""How long a mandate may take that names no time itself: long enough for this model on this machine to write a method.

What is known is what inference has said of its speed with its last answers. Nobody waits for that: an understood message
takes the number that is there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from protocol.home import Inference
from protocol.messages import Speed

LEAST_S: Final = 90.0
MOST_S: Final = 3600.0
UNMEASURED_S: Final = 360.0
"""While nobody knows how fast this machine is."""
ROUNDS: Final = 3
"""In which a method is tried to be written."""
PROMPT_TOKENS: Final = 1500
"""A long prompt: slots, examples, the rules, and what was wrong with the candidates before."""
FIRST_ROWS: Final = 4
"""Of a round's first draw: the likeliest and a few beside it."""
NARROW_TOKENS: Final = 56
"""Of a method in the narrow form, whose draws are of more rows."""
NARROW_ROWS: Final = 20
MARGIN: Final = 1.5
"""For the trials, the question to memory, and whoever else computes here."""


@dataclass(slots=True)
class Measured:
    """The speed that inference has told last."""

    speed: Speed = field(default_factory=Speed)


def default_seconds(speed: Speed, settings: Inference) -> float:
    """The seconds of a mandate that may have to write a method, at the `speed` that was measured.

    Whole rounds of the form that costs more: reading a long prompt, and writing the first draw to its last token.
    """
    if speed.one <= 0:
        return UNMEASURED_S
    draws = [(NARROW_ROWS, NARROW_TOKENS)]
    if settings.form != "narrow":
        draws.append((FIRST_ROWS, settings.form_tokens))
    seconds = max(draw_seconds(speed, rows, tokens) for rows, tokens in draws)
    return min(MOST_S, max(LEAST_S, MARGIN * ROUNDS * seconds))


def draw_seconds(speed: Speed, rows: int, tokens: int) -> float:
    """How long `rows` texts of so many tokens take in one batch, after a long prompt, where the speed of one is known."""
    read = PROMPT_TOKENS / speed.read if speed.read > 0 else 0.0
    return read + tokens * _step(speed, rows)


def _step(speed: Speed, rows: int) -> float:
    """The seconds of one token of each row: on the line through what was measured, and in proportion where nothing was."""
    one = 1 / speed.one
    if speed.many <= 0 or speed.rows <= 1:
        return one * rows
    many = speed.rows / speed.many
    return max(one, one + (many - one) * (rows - 1) / (speed.rows - 1))
