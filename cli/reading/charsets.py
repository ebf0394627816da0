"""In which encoding bytes are text: by their mark, by what only that encoding allows, or else by a guess that says so.

UTF-8 that decodes is UTF-8: other encodings practically never do by chance. UTF-16 without a mark shows in where its zero
bytes stand. A text that is mostly UTF-8 was put together from several, and its stray bytes are read as Windows-1252. What is
left is one of the old eight-bit encodings or one of East Asia, and charset-normalizer guesses which. Western letters in a text are
Windows-1252, of which Latin-1 is a part, unless that guess is of another script.
"""

from __future__ import annotations

import codecs
import re
from typing import Final, NamedTuple

SAMPLE: Final = 64 << 10
"""Bytes that a guess is made from."""

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ZEROS: Final = 0.2
"""The share of zero bytes on one side from which on it is UTF-16: Latin letters give a half."""


class Charset(NamedTuple):
    """An encoding by Python's name; `certainty` is 1 where it was not guessed. `errors` says how stray bytes are read."""

    name: str
    certainty: float = 1.0
    errors: str = "strict"


def marked(head: bytes) -> Charset | None:
    """The encoding whose mark stands at the beginning."""
    return next((Charset(name) for mark, name in _MARKS if head.startswith(mark)), None)


def detect(data: bytes, *, is_utf8: bool | None = None) -> Charset | None:
    """How `data` is to be decoded; None where it is no text. `is_utf8` where somebody has tried the whole of it."""
    found = marked(data)
    if found is not None:
        return found
    sample = data[:SAMPLE]
    if b"\0" in sample:
        return _wide(sample)
    if is_utf8 is None:
        is_utf8 = decodes(data, "utf-8")
    if is_utf8:
        return Charset("utf-8")
    if _controls(sample) > len(sample) // 50:
        return None
    return _mixed(_around(data)) or _guessed(data)


def decodes(data: bytes, name: str) -> bool:
    """Whether all of `data` is valid in the encoding `name`; False where there is no such encoding."""
    try:
        data.decode(name)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def declared(data: bytes, name: str) -> Charset | None:
    """The encoding that a file says it is in, where that is true."""
    try:
        known = codecs.lookup(name.strip()).name
    except (LookupError, ValueError):
        return None
    known = {"iso8859-1": "cp1252", "ascii": "cp1252"}.get(known, known)  # as browsers take them
    return Charset(known) if decodes(data, known) else None


def _wide(sample: bytes) -> Charset | None:
    half = len(sample) // 2
    zeros = sample[0 : 2 * half : 2].count(0), sample[1 : 2 * half : 2].count(0)
    for side, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if half and zeros[side] >= _ZEROS * half and zeros[1 - side] <= half // 100:
            text = sample[: 2 * half].decode(name, "replace")
            bad = sum(not (letter.isprintable() or letter.isspace()) for letter in text)
            return Charset(name, 0.9) if bad <= len(text) // 50 else None
    return None


def _controls(sample: bytes) -> int:
    return sum(sample.count(number) for number in range(32) if number not in b"\t\n\r\f\x1b")


def _around(data: bytes) -> bytes:
    """What stands around the first foreign letters: a long beginning in ASCII says nothing."""
    first = _FOREIGN.search(data)
    begin = max(0, (first.start() if first is not None else 0) - SAMPLE // 2)
    return data[begin : begin + SAMPLE]


def _mixed(sample: bytes) -> Charset | None:
    """UTF-8 with stray bytes, where its own sequences are more than those."""
    whole = _SEQUENCE.findall(sample)
    stray = len(_FOREIGN.findall(sample)) - sum(map(len, whole))
    if stray > len(whole):
        return None
    return Charset("utf-8", min(0.99, max(0.5, len(whole) / max(1, len(whole) + stray))), STRAY)


def _stray(error: UnicodeError) -> tuple[str, int]:
    """The byte at which UTF-8 fails, as Windows-1252 or else Latin-1 has it."""
    assert isinstance(error, UnicodeDecodeError)
    byte = error.object[error.start : error.start + 1]
    return byte.decode("cp1252" if decodes(byte, "cp1252") else "latin-1"), error.start + 1


STRAY: Final = "batos.stray"
codecs.register_error(STRAY, _stray)


def _guessed(data: bytes) -> Charset:
    sample = _around(data)
    western = "cp1252" if decodes(data, "cp1252") else "latin-1"
    if _is_western(sample):
        return Charset(western, 0.8)
    from charset_normalizer import from_bytes  # noqa: PLC0415 - most files need none of it

    best = from_bytes(sample).best()
    if best is None:
        return Charset(western, 0.5)
    return Charset(best.encoding, max(0.5, min(0.9, best.coherence)))


def _is_western(sample: bytes) -> bool:
    """Whether the bytes beyond ASCII are few, and letters and signs where Western languages have them."""
    text = sample.decode("latin-1")
    foreign = [n for n, letter in enumerate(text) if letter > "\x9f"]
    letters = sum(letter.isalpha() for letter in text)
    if len(foreign) > _FEW and len(foreign) > letters // 4:
        return False
    # A sign within a word (Za\u00bf\u00f3\u00b3\u00e6) is another alphabet's letter.
    within = sum(
        text[n : n + 1] in _SIGNS and text[n - 1 : n].isalpha() and text[n + 1 : n + 2].isalpha() for n in foreign
    )
    return within <= len(foreign) // 20


_FOREIGN: Final = re.compile(rb"[\x80-\xff]")
_SEQUENCE: Final = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_FEW: Final = 6
_SIGNS: Final = frozenset(chr(number) for number in range(0xA0, 0xC0)) - {"\xa0", "\xad", "\xb7"}
