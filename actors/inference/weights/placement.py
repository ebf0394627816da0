"""An expert as a row uses it: in which slot it stands, and from which token of the prompt on it reads.

A plain LoRA applies to the whole prompt. An activated LoRA (aLoRA) applies from the last occurrence of its invocation tokens in
the prompt on; the tokens before that are read by the base model. Where the prompt does not contain the invocation, the expert
does not apply at all, neither to the prompt nor to the text. PEFT does the same. Only the prompt is searched: the invocation in
a generated text has no effect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from actors.inference.weights.expert import Content


class Lent(NamedTuple):
    """An expert in its slot. The slot is where it is, the sha256 what it is; the tokens before `begin` are the base model's."""

    slot: int
    sha256: str
    begin: int = 0


def lend(content: Content | None, slots: Mapping[str, int], prompt: Sequence[int]) -> Lent | None:
    """How a row with this prompt uses the expert, which is in one of `slots`; None where the base model says all of it."""
    if content is None:
        return None
    begin = _last(content.invocation, prompt)
    return None if begin is None else Lent(slots[content.sha256], content.sha256, begin)


def _last(invocation: Sequence[int], prompt: Sequence[int]) -> int | None:
    """Where `invocation` begins for the last time in `prompt`: at 0 where it is empty, None where it is not in there."""
    if not invocation:
        return 0
    wanted, tokens = tuple(invocation), tuple(prompt)
    starts = range(len(tokens) - len(wanted), -1, -1)
    return next((start for start in starts if tokens[start : start + len(wanted)] == wanted), None)
