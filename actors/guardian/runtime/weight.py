"""How much a method's value would weigh when it is written out, and its bytes.

A method may build anything. A small nest of shared lists can be worth gigabytes, so everything is weighed before it is
copied or packed, a level of it at a time, which costs much less than a look at each thing.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, Final

from protocol import codec
from protocol.errors import BatosError

_LISTS: Final = frozenset({list, tuple})
_TEXTS: Final = frozenset({str, bytes})
_WORD_BITS: Final = 64
_PIECE: Final = 8192


def encoding(value: Any) -> bytes:
    """The canonical encoding of a value; BAD_VALUE for what is none, TOO_LARGE before anything is copied."""
    weigh(value)
    return codec.encode(value)


NO_VALUE: Final = b""
"""Stands for the bytes of what cannot be packed; everything else has at least one byte."""


def packed(value: Any) -> bytes:
    """The same bytes for a value, and other ones, or `NO_VALUE`, for what is none: good for comparing, and much faster."""
    try:
        weigh(value)
        return codec.packed(value)
    except BatosError:
        return NO_VALUE


def weigh(value: Any) -> None:
    """TOO_LARGE where `value` would have more than `MAX_VALUE_BYTES` when it is written out, BAD_VALUE where it is too deep."""
    weight = 0
    parts: Iterator[Any] = iter((value,))
    for _ in range(codec.MAX_DEPTH + 2):
        lists: list[Any] = []
        dicts: list[Any] = []
        within = 0
        # A level at a time, as many steps as the value is deep; and a piece of it at a time, to be done with the first that is
        # too much.
        while piece := list(islice(parts, _PIECE)):
            kinds = set(map(type, piece))
            if kinds & _LISTS:
                found = [part for part in piece if type(part) in _LISTS]
                within += sum(map(len, found))
                lists += found
            if dict in kinds:
                found = [part for part in piece if type(part) is dict]
                within += 2 * sum(map(len, found))
                dicts += found
            weight += len(piece) + _more(piece, kinds)
            if weight + within > codec.MAX_VALUE_BYTES:
                raise BatosError("TOO_LARGE", f"a value of more than {codec.MAX_VALUE_BYTES} bytes")
        if not within:
            return
        entries = chain(chain.from_iterable(dicts), chain.from_iterable(map(dict.values, dicts)))
        parts = chain(chain.from_iterable(lists), entries)
    raise BatosError("BAD_VALUE", f"a value that is nested deeper than {codec.MAX_DEPTH} levels")


def _more(parts: list[Any], kinds: set[type]) -> int:
    """What `parts` weigh beside one each: the lengths of texts, the bytes of long integers."""
    more = 0
    if kinds & _TEXTS:
        more += sum([len(part) for part in parts if type(part) in _TEXTS])
    if int in kinds:
        numbers = [part for part in parts if type(part) is int]
        if max(max(numbers).bit_length(), min(numbers).bit_length()) > _WORD_BITS:
            more += sum([number.bit_length() >> 3 for number in numbers])
    return more
