"""A text beside a form, byte by byte; and how forms spell what JSON lets everybody spell in many ways."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Final

from llguidance import LLMatcher

DIGITS: Final = 400
"""Digits before or after the point in which a number is written out; floating-point numbers have fewer."""
_ESCAPED: Final = [*(chr(code) for code in range(0x20)), '"', "\\", "\x7f"]
"""Characters that a JSON text cannot or, in a form, does not hold as they are."""


class Bytes:
    """A matcher over bytes, and how far a text has come in it."""

    def __init__(self, matcher: LLMatcher) -> None:
        """`matcher` is one over LLTokenizer("byte"), whose tokens are the bytes."""
        self._matcher = matcher

    def goes(self, text: str) -> bool:
        """Take `text`, if a text of the form can go on like this; whether it can."""
        data = _encoded(text)
        # A matcher that refuses a token describes its whole state, which takes a hundred times as long as to ask it first.
        return self._allows(data) and self._matcher.consume_tokens(data)

    def most(self, text: str) -> str:
        """Take as much of `text` as a text of the form can go on with, in whole characters; that part."""
        data = _encoded(text)
        kept = data[: self._matcher.validate_tokens(data)]
        if kept:
            self._matcher.consume_tokens(kept)
        return bytes(kept).decode(errors="ignore")

    def takes(self, text: str) -> bool:
        """Take `text`; whether the form is complete after it."""
        return self.goes(text) and self._matcher.is_accepting()

    def would(self, text: str) -> bool:
        """Whether `goes` would say yes; takes nothing."""
        return self._allows(_encoded(text))

    def ends(self, text: str) -> bool:
        """Whether a value of the form ends after `text`, and not within it; takes nothing."""
        after = self.copy()
        return after.goes(text) and (after.is_complete or any(map(after.would, (" ", ",", "]", "}"))))

    def has_character(self, low: int, high: int) -> bool:
        """Whether a character with a code from `low` to `high`, inclusive, may come next in a string; takes nothing."""
        if any(low <= ord(one) <= high and self.would(spelt(one)) for one in _ESCAPED):
            return True
        return any(
            self._has_bytes(max(low, first), min(high, last), width)
            for first, last, width in ((0x20, 0x7E, 1), (0x80, 0x7FF, 2), (0x800, 0xFFFF, 3), (0x10000, 0x10FFFF, 4))
            if max(low, first) <= min(high, last)
        )

    @property
    def is_complete(self) -> bool:
        return self._matcher.is_accepting()

    def copy(self) -> Bytes:
        return Bytes(self._matcher.deep_copy())

    def _has_bytes(self, low: int, high: int, width: int, *, is_first: bool = True) -> bool:
        """The same for the last `width` bytes of such a character in UTF-8: only what may come is looked at further."""
        if width == 0:
            return low not in {ord('"'), ord("\\")}
        step = 64 ** (width - 1)
        for lead in range(low // step, high // step + 1):
            start, end = max(low, lead * step), min(high, lead * step + step - 1)
            byte = chr(start).encode(errors="surrogatepass")[0] if is_first else 0x80 | lead % 64
            if not self._allows([byte]):
                continue
            place = self.copy()
            place._matcher.consume_tokens([byte])  # noqa: SLF001 - of its own kind
            if place._has_bytes(start, end, width - 1, is_first=False):  # noqa: SLF001 - as above
                return True
        return False

    def _allows(self, data: list[int]) -> bool:
        return self._matcher.validate_tokens(data) == len(data)


def spelt(text: str) -> str:
    """The inside of a JSON string as forms spell it."""
    return json.dumps(text, ensure_ascii=False)[1:-1].replace("\x7f", "\\u007f")


def plain(number: Decimal) -> str:
    """The number without an exponent and without needless zeros."""
    if number == 0:
        return "0"
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _encoded(text: str) -> list[int]:
    """The tokens of a text: its bytes. A half of a character has some that no form allows."""
    return list(text.encode(errors="surrogatepass"))
