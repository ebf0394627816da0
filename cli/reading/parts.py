"""A text in parts that memory takes one after the other: cut where a section, a paragraph, a line or a word begins.

A part is a slice of the text. Only the header of a table is said again in each part of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from cli.reading import tables

PART: Final = 900_000
"""Characters of a part: of any script within what memory takes at once, and some minutes of its work."""
MAX_HEADER: Final = 64_000

_HEADING: Final = re.compile(r"\n(?=#{1,6} )")


def parts(pieces: Iterable[str], kind: str, most: int = PART) -> Iterator[str]:
    """The parts of a text that comes in pieces, each of at most `most` characters; none is white space alone."""
    held, header = "", ""
    is_first = True
    for piece in pieces:
        held += piece
        while len(held) > most - len(header):
            if is_first and kind == "table":
                header = tables.header(held)
                header = header if len(header) < min(MAX_HEADER, most // 2) else ""
            at = _cut(held, most - len(header), kind)
            part, held = held[:at], held[at:]
            if part.strip():
                yield part if is_first else header + part
                is_first = False
    if held.strip():
        yield held if is_first else header + held


def _cut(text: str, most: int, kind: str) -> int:
    """Where the first part of `text` ends: late, and at the best place there."""
    window = text[: most + 1]
    places: list[Callable[[], int]] = [
        lambda: _after(window, "\n\n", most // 2),
        lambda: _after(window, "\n", most // 2),
        lambda: max((window.rfind(blank, most // 2, most) + 1 for blank in " \t"), default=0),
    ]
    if kind not in {"code", "table", "text"}:
        places.insert(0, lambda: max((found.end() for found in _HEADING.finditer(window, most // 2)), default=0))
    return next((at for place in places if 0 < (at := place()) <= most), most)


def _after(text: str, mark: str, least: int) -> int:
    """The place after the last `mark`; 0 where there is none behind `least`."""
    at = text.rfind(mark, least)
    return at + len(mark) if at >= 0 else 0
