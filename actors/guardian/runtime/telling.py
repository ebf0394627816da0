"""The texts of exceptions, and of what holds them: the same on every run, whatever was raised.

Python puts the `repr` of an object into what it raises (`[].index(f)`), and with it an address; an exception's own text
shows what it was made of, and fails where that has none. So the texts that a caught exception holds are cleaned where it
is caught, and the text of any exception is put together by `protocol.brief`.
"""

from __future__ import annotations

import re
from typing import Any, Final

from protocol.brief import brief
from protocol.codec import MAX_INT_BITS

MAX_TEXT: Final = 1 << 20
"""Characters of a text that a method makes of an exception; a longer one ends there."""

_IDENTITY: Final = re.compile(r" at 0x[0-9a-f]+(?=>)|(Ref\('[0-9a-f]{16}'\))")
_PLAIN: Final = frozenset({str, bytes, float, bool, type(None)})


class Shown:
    """Stands for a value where a text is made of it."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __str__(self) -> str:
        return text_of(self._value) if isinstance(self._value, BaseException) else repr(self)

    def __repr__(self) -> str:
        return brief(self._value, MAX_TEXT)

    def __format__(self, spec: str) -> str:
        if spec:
            raise TypeError(f"unsupported format string passed to {type(self._value).__name__}.__format__")
        return str(self)


def text_of(error: BaseException, most: int = MAX_TEXT) -> str:
    """What `str(error)` says, as far as that is the same on every run. Never raises."""
    args = error.args
    while len(args) == 1 and isinstance(args[0], BaseException) and not isinstance(error, KeyError):
        error = args[0]  # Python would ask it in turn
        args = error.args
    if isinstance(error, KeyError) and len(args) == 1:
        return brief(args[0], most)
    if isinstance(error, UnicodeError | OSError) and all(map(_is_plain, args)):
        return str(error)  # which is made of more than its arguments
    if len(args) == 1:
        return cleaned(args[0]) if type(args[0]) is str else brief(args[0], most)
    return brief(args, most) if args else ""


def clean(error: BaseException) -> None:
    """Take the addresses and identities out of the texts in `error`, which Python may have put there."""
    args = error.args
    if any(type(arg) is str and _IDENTITY.search(arg) for arg in args):
        error.args = tuple(cleaned(arg) if type(arg) is str else arg for arg in args)


def cleaned(text: str) -> str:
    return _IDENTITY.sub(lambda found: "<reference>" if found[1] else "", text)


def _is_plain(arg: Any) -> bool:
    return type(arg) in _PLAIN or (type(arg) is int and arg.bit_length() <= MAX_INT_BITS)
