"""A value in few words, as it is described in a message, a verdict or a log.

It looks like Python's `repr`, and differs where `repr` would fail or give another text in another run. It ends after a given
number of characters. A long integer is described by its size. What is nested deeply is left out. The members of a set are
ordered by their texts. An object without content of its own is described by its type alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import Any, Final

from protocol.codec import MAX_DEPTH, Ref

MOST: Final = 300
_DIGITS_BITS: Final = 14_000
"""An integer of more bits has more digits than anybody reads."""
_LEAVES: Final = frozenset({bool, float, complex, type(None), type(...), range})


def brief(value: Any, most: int = MOST) -> str:
    """The text of `value`, cut to `most` characters. Never raises, whatever it is given."""
    pieces: list[str] = []
    length = 0
    for piece in _pieces(value, most, 0):
        pieces.append(piece)
        length += len(piece)
        if length > most:
            break
    text = "".join(pieces)
    return text if len(text) <= most else text[: most - 1] + "…"


def _pieces(value: Any, most: int, depth: int) -> Iterator[str]:
    kind = type(value)
    if kind is str or kind is bytes:
        yield repr(value[: most + 1])
    elif kind is int:
        yield str(value) if value.bit_length() <= _DIGITS_BITS else f"<an integer of {value.bit_length()} bits>"
    elif kind in _LEAVES:
        yield repr(value)
    elif kind is Ref:
        yield "<reference>"
    elif depth >= MAX_DEPTH:
        yield "…"
    elif kind is list:
        yield from _listed("[", value, "]", most, depth)
    elif kind is tuple:
        yield from _listed("(", value, ",)" if len(value) == 1 else ")", most, depth)
    elif kind is dict:
        yield from _fields(value, most, depth)
    elif kind is set or kind is frozenset:
        yield from _set(value, most, depth)
    elif isinstance(value, BaseException):
        yield kind.__name__
        yield from _listed("(", value.args, ")", most, depth)
    else:
        yield f"<{kind.__name__}>"


def _listed(start: str, items: Iterable[Any], end: str, most: int, depth: int) -> Iterator[str]:
    yield start
    for n, item in enumerate(items):
        if n:
            yield ", "
        yield from _pieces(item, most, depth + 1)
    yield end


def _fields(value: dict[Any, Any], most: int, depth: int) -> Iterator[str]:
    yield "{"
    for n, (key, item) in enumerate(value.items()):
        if n:
            yield ", "
        yield from _pieces(key, most, depth + 1)
        yield ": "
        yield from _pieces(item, most, depth + 1)
    yield "}"


def _set(value: Collection[Any], most: int, depth: int) -> Iterator[str]:
    start, end = ("{", "}") if type(value) is set and value else (f"{type(value).__name__}({{", "})")
    if not value:
        start, end = f"{type(value).__name__}(", ")"
    texts = sorted("".join(islice(_pieces(item, most, depth + 1), most)) for item in value)
    yield start
    yield ", ".join(texts)
    yield end
