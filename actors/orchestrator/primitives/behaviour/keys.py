"""When two outcomes count as the same: by the equality of examples, and where floats differ only in their last digits."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Final

from protocol.codec import Value

_DIGITS: Final = 10

RAISES: Final = ("raises",)
"""The key of every outcome that is no answer: which error it is says little about what a method is for."""


def key_of(value: Value) -> Hashable:
    """Equal for values that are the same as outcomes: 2 is 2.0, True is not 1, the order of keys says nothing."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, float):
        return ("number", float(f"{value:.{_DIGITS}g}"))
    if isinstance(value, int):
        return ("number", value)
    if isinstance(value, list):
        return ("list", tuple(map(key_of, value)))
    if isinstance(value, dict):
        return ("dict", frozenset((key_of(key), key_of(item)) for key, item in value.items()))
    return (type(value).__name__, value)


def outcome_key(outcome: Mapping[str, Value]) -> Hashable:
    """Equal for outcomes of the guardian's verb `probe` that are the same."""
    return RAISES if "raises" in outcome else key_of(dict(outcome))
