"""JSON texts that were cut: whether such a text is the beginning of one whose value has the form, in whichever writing.

The text is written again as `equivalence` does it, but in its own order of keys, under a form that asks for that order
(`open_schema`). What stands at the cut may become many things: it is accepted where one of them can come there.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from decimal import Decimal

from actors.inference.forms.bytewise import DIGITS, Bytes, plain, spelt
from actors.inference.forms.equivalence import TRIES, rewritten, written
from actors.inference.forms.open_schema import Schema, opened
from actors.inference.forms.partial_json import Container, Cut, CutNumber, CutString, CutWord, partial


def begins(text: str, schema: Schema, walk: Callable[[Schema], Bytes | None]) -> bool:
    """Whether `text`, which was cut, is the beginning of a JSON text whose value has the form of `schema`.

    `walk` begins a schema's form; None where it allows nothing.
    """
    try:
        return _begins(text, schema, walk)
    except RecursionError:  # hundreds of schemas within one another, or of keys in another order
        return False


def _begins(text: str, schema: Schema, walk: Callable[[Schema], Bytes | None]) -> bool:
    begun = partial(text)
    if begun is None:
        return False
    mark = secrets.token_hex(8)
    form = opened(schema, begun.path, mark) if begun.path else schema
    place = None if form is False else walk(form)
    if place is None:
        return False
    if begun.is_whole:
        return rewritten(text, place.copy)
    tries = [TRIES]
    for number, top in enumerate(begun.path):
        found = _opened(top, place, tries, number, mark)
        if found is None:
            return False
        place = found
    return _goes_on(begun.path[-1] if begun.path else None, begun.cut, place)


def _opened(top: Container, place: Bytes, tries: list[int], depth: int, mark: str) -> Bytes | None:
    """Where the form stands after what is whole of an open container, and before what its next value begins with."""
    if not place.goes(f'{{"{mark}":0' if top.is_object else "["):
        return None
    for number, (key, value) in enumerate(top.items):
        before = f',"{spelt(key)}":' if top.is_object else "," if number else ""
        if not place.goes(before):
            return None
        found = written(value, place, tries, depth + 1)
        if not found:
            return None
        place = found[0]
    if top.key is not None:
        return place if place.goes(f',"{spelt(top.key)}":') else None
    return place if not top.awaits or place.goes(",") else None


def _goes_on(top: Container | None, cut: Cut, place: Bytes) -> bool:
    """Whether what stands at the cut is the beginning of a key or a value that may come there."""
    # The first key of an object comes after the mark.
    is_first_key = top is not None and top.is_object and not top.awaits and cut is not None
    if is_first_key and not place.goes(","):
        return False
    match cut:
        case None:
            return True
        case CutWord(word):
            return place.goes(word)
        case CutNumber(number):
            return _goes_number(number, place)
        case CutString(whole, escape):
            return place.goes(f'"{spelt(whole)}') and _goes_escape(escape, place)


def _goes_escape(escape: str, place: Bytes) -> bool:
    """Whether a character that begins with this part of an escape may come next."""
    if not escape:
        return True
    if escape[1:] == "":
        return place.has_character(0, 0x10FFFF)
    units = escape.split("\\u")[1:]
    if len(escape) > 5:
        # The first half of a character that takes two escapes, and perhaps a part of the second.
        high = int(units[0].rstrip("\\"), 16)
        low, last = _units(units[1] if len(units) > 1 else "")
        base = 0x10000 + (high - 0xD800 << 10)
        low, last = max(low, 0xDC00), min(last, 0xDFFF)
        return low <= last and place.has_character(base + low - 0xDC00, base + last - 0xDC00)
    low, last = _units(units[0])
    # What UTF-16 writes in one unit, or in two, of which this begins the first.
    if low < 0xD800 and place.has_character(low, min(last, 0xD7FF)):
        return True
    if last > 0xDFFF and place.has_character(max(low, 0xE000), last):
        return True
    low, last = max(low, 0xD800), min(last, 0xDBFF)
    return low <= last and place.has_character(0x10000 + (low - 0xD800 << 10), 0x103FF + (last - 0xD800 << 10))


def _units(digits: str) -> tuple[int, int]:
    """The least and the largest of the four hexadecimal digits that begin with these."""
    return int(digits.ljust(4, "0"), 16), int(digits.ljust(4, "f"), 16)


def _goes_number(text: str, place: Bytes) -> bool:
    """Whether some number that is spelt beginning with `text` may come next, in whichever spelling the form has it."""
    if place.would(text):
        return True
    sign = "-" if text[0] == "-" else ""
    mantissa, *exponent = re.split("[eE]", text.removeprefix("-"), maxsplit=1)
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    if len(digits) > DIGITS:
        return False
    if exponent:
        return any(map(place.ends, _scaled(sign, digits, exponent[0], -len(fraction))))
    if not digits:
        # Zero so far; an exponent can make any size of what follows.
        return place.ends("0") or any(place.would(sign + first) for first in ("0.", *"123456789"))
    pointed = (f"{sign}{digits[:cut]}.{digits[cut:]}" for cut in range(1, len(digits)))
    if place.would(sign + digits) or any(map(place.would, pointed)):
        return True
    small = place.copy()
    if small.goes(f"{sign}0."):
        for _ in range(DIGITS):
            if small.would(digits):
                return True
            if not small.goes("0"):
                break
    return any(map(place.ends, _scaled(sign, digits, "", 0)))


def _scaled(sign: str, digits: str, exponent: str, scale: int) -> Iterator[str]:
    """The numbers of these digits, written out, with each exponent that begins with `exponent`."""
    if not digits:
        yield "0"
        return
    wanted = exponent.lstrip("+-").lstrip("0")
    for size in sorted(range(-DIGITS, DIGITS + 1), key=abs):
        if size and ((size < 0) != exponent.startswith("-")) and exponent:
            continue
        if str(abs(size)).startswith(wanted) if size else not wanted:
            yield plain(Decimal(f"{sign}{digits}e{size + scale}"))
