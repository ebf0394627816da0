"""What a text shows of its own structure: headings, tables, code, and the prose between them.

Headings are Markdown's (`#`, or underlined) and numbered titles that stand alone between two blank lines. A block lies
under the headings of its path. A heading that has nothing of its own below it would be lost, as it is on no block's path;
it belongs to the block before it, or else to the next.

Nothing here fails: what looks like no structure is prose. Each line is looked at a bounded number of times.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal, NamedTuple

Kind = Literal["prose", "table", "code"]
Span = tuple[int, int]

_LONGEST_TITLE: Final = 200
"""Characters of a heading. A longer line is no heading, whatever it begins with."""

_FEWEST_ROWS: Final = 3
"""Lines with as many separators each, from which on they are a table without a frame."""

_ATX: Final = re.compile(r" {0,3}(#{1,6})[ \t]+([^\r]*?)[ \t]*#*[ \t\r]*")
_UNDERLINE: Final = re.compile(r" {0,3}(=+|-{2,})[ \t\r]*")
_NUMBERED: Final = re.compile(r"(\d{1,3}(?:\.\d{1,3})*)\.?[ \t]+([^\W\d_a-z].*?[^\s.,;:!?])[ \t\r]*")
_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})")
_QUOTED: Final = re.compile(r'"[^"]*"')
_SEPARATORS: Final = ("\t", "|", ";", ",")
_DEFINITION: Final = re.compile(
    r"(?:export |default |pub |public |private |protected |static |final |abstract |async |unsafe )*"
    r"(?:def|class|func|fn|function|fun|struct|enum|trait|impl|interface|type|module|namespace|sub|proc|template)\b"
)
_BEFORE_DEFINITION: Final = ("@", "#", "//", "/*", "*", "--", ";;")


class Block(NamedTuple):
    """Characters `start` to `end` of a text. `titles` are headings in it, which no passage may be without what is beside them.

    `header` are the lines that a part of the block is not understood without, such as a table's first row.
    """

    kind: Kind
    start: int
    end: int
    path: tuple[str, ...]
    header: str = ""
    titles: tuple[Span, ...] = ()


def blocks(text: str, *, is_code: bool = False) -> list[Block]:
    """The blocks of `text`, in order. All but white space and headings that are on a path lies in one of them."""
    if is_code:
        return [Block("code", *_inner(text, 0, len(text)), ())] if text.strip() else []
    return _Outline(_Lines(text)).read()


def definitions(text: str, start: int, end: int) -> Iterator[Span]:
    """The parts of some code: each begins at its left edge with a definition or after a blank line."""
    begin = at = start
    was_blank, was_before = False, False
    while at < end:
        after = text.find("\n", at, end) + 1 or end
        line = text[at : min(after, at + _LONGEST_TITLE)]
        is_edge = not line[:1].isspace() and line[:1] not in {"}", ")", "]"}
        is_cut = was_blank or (_DEFINITION.match(line) is not None and not was_before)
        if is_edge and is_cut and at > begin:
            yield from _some(text, begin, at)
            begin = at
        was_blank = not line.strip()
        was_before = is_edge and line.startswith(_BEFORE_DEFINITION)
        at = after
    yield from _some(text, begin, end)


def lines(text: str, start: int, end: int) -> Iterator[Span]:
    """The lines of a part of the text that have something in them."""
    at = start
    while at < end:
        after = text.find("\n", at, end) + 1 or end
        yield from _some(text, at, after)
        at = after


class _Lines:
    """A text by its lines, none of which is copied before it is looked at."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(found.end() for found in re.finditer("\n", text))]
        self.ends = [*self.starts[1:], len(text)]
        if self.starts[-1] == len(text):
            del self.starts[-1], self.ends[-1]

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, n: int) -> str:
        return self.text[self.starts[n] : self.ends[n]].rstrip("\n")

    def short(self, n: int) -> str:
        """The line where it is short enough for a heading; otherwise, and outside of the text, nothing."""
        if not 0 <= n < len(self) or self.ends[n] - self.starts[n] > _LONGEST_TITLE:
            return ""
        return self[n]

    @cached_property
    def fences(self) -> dict[tuple[str, int], list[int]]:
        """The lines that can close a fence, by its character and length."""
        found: dict[tuple[str, int], list[int]] = {}
        for n in range(len(self)):
            line = self.short(n).strip()
            if line[:1] in {"`", "~"} and not line.strip(line[0]):
                found.setdefault((line[0], len(line)), []).append(n)
        return found

    def is_blank(self, n: int) -> bool:
        return not 0 <= n < len(self) or not self.text[self.starts[n] : self.ends[n]].strip()


class _Heading(NamedTuple):
    level: int
    title: str
    first: int
    last: int


@dataclass
class _Outline:
    """Reading a text from its first line to its last."""

    text: _Lines
    made: list[Block] = field(default_factory=list)
    above: list[_Heading] = field(default_factory=list)
    used: int = 0
    """So many of the headings above are on the path of a block."""

    lonely: list[Span] = field(default_factory=list)
    """Headings that were on no path, since the last block or before the first one."""

    unclosed: dict[str, int] = field(default_factory=dict)

    def read(self) -> list[Block]:
        at, prose = 0, 0
        while at < len(self.text):
            heading = self._heading(at)
            found = None if heading else self._block(at)
            if heading is None and found is None:
                at += 1
                continue
            self._keep("prose", prose, at)
            if heading is not None:
                self._rise(heading.level)
                self.above.append(heading)
                at = heading.last
            elif found is not None:
                kind, last, header = found
                self._keep(kind, at, last, header)
                at = last
            prose = at
        self._keep("prose", prose, len(self.text))
        self._rise(0)
        if self.made:
            self._join_lonely()
        elif self.lonely:
            self.made.append(Block("prose", min(self.lonely)[0], max(self.lonely)[1], ()))
        return self.made

    def _keep(self, kind: Kind, first: int, last: int, header: str = "") -> None:
        if first >= last:
            return
        for start, end in _some(self.text.text, self.text.starts[first], self.text.ends[last - 1]):
            self._join_lonely()
            titles = tuple(sorted(self.lonely))
            path = tuple(each.title for each in self.above)
            self.made.append(Block(kind, titles[0][0] if titles else start, end, path, header, titles))
            self.used = len(self.above)
            self.lonely = []

    def _rise(self, level: int) -> None:
        """Leave the headings that are not above one of this level."""
        while self.above and self.above[-1].level >= level:
            heading = self.above.pop()
            if self.used > len(self.above):
                self.used = len(self.above)
            else:
                lines = self.text
                self.lonely.append(_inner(lines.text, lines.starts[heading.first], lines.ends[heading.last - 1]))

    def _join_lonely(self) -> None:
        """Give the lonely headings to the last block, if there is one."""
        if self.made and self.lonely:
            last = self.made[-1]
            titles = tuple(sorted(self.lonely))
            self.made[-1] = last._replace(end=max(last.end, titles[-1][1]), titles=(*last.titles, *titles))
            self.lonely = []

    def _heading(self, at: int) -> _Heading | None:
        line = self.text.short(at)
        if not line.strip():
            return None
        if found := _ATX.fullmatch(line):
            return _Heading(len(found[1]), found[2].strip(), at, at + 1) if found[2].strip() else None
        if not self.text.is_blank(at - 1) and not (at and self._ends_heading(at - 1)):
            return None
        if line.lstrip()[0] not in "-=>|" and (found := _UNDERLINE.fullmatch(self.text.short(at + 1))):
            return _Heading(1 if found[1][0] == "=" else 2, line.strip(), at, at + 2)
        if (found := _NUMBERED.fullmatch(line)) and self.text.is_blank(at + 1) and not self._is_listed(at, found[1]):
            # Below all of Markdown's, which do not number their depth.
            return _Heading(7 + found[1].count("."), line.strip(), at, at + 1)
        return None

    def _ends_heading(self, at: int) -> bool:
        return bool(self.above) and self.above[-1].last == at + 1

    def _is_listed(self, at: int, number: str) -> bool:
        """Whether the next line or the one before is numbered as deep: then they are a list."""
        for step in (-1, 1):
            near = at + step
            while near in range(at - 4, at + 5) and self.text.is_blank(near):
                near += step
            found = _NUMBERED.fullmatch(self.text.short(near))
            if found and found[1].count(".") == number.count("."):
                return True
        return False

    def _block(self, at: int) -> tuple[Kind, int, str] | None:
        """The code or table that begins in this line: its kind, the line after it, and its header."""
        line = self.text[at]
        if found := _FENCE.match(line):
            last = self._closing(at, found[1])
            return ("code", last, "") if last else None
        if "|" in line and _is_rule(self.text, at + 1):
            last = at + 2
            while last < len(self.text) and "|" in self.text[last]:
                last += 1
            return "table", last, line.strip()
        for separator in _SEPARATORS:
            fields = _fields(line, separator)
            if not fields or line.rstrip().endswith((",", ";")):  # no column is without a name, but statements end so
                continue
            last = at + 1
            while last < len(self.text) and _fields(self.text[last], separator) == fields:
                last += 1
            if last - at >= _FEWEST_ROWS:
                return "table", last, line.strip()
        return None

    def _closing(self, at: int, fence: str) -> int | None:
        """The line after the fence that closes this one. One that nothing closes is a line like any other."""
        if len(fence) >= self.unclosed.get(fence[0], len(fence) + 1):
            return None
        last: int | None = None
        for (character, length), found in self.text.fences.items():
            if character == fence[0] and length >= len(fence):
                after = bisect_right(found, at)
                if after < len(found):
                    last = found[after] if last is None else min(last, found[after])
        if last is None:
            self.unclosed[fence[0]] = len(fence)
            return None
        return last + 1


def _is_rule(text: _Lines, at: int) -> bool:
    line = text[at] if at < len(text) else ""
    return "-" in line and "|" in line and set(line) <= set(" \t\r|:-")


def _fields(line: str, separator: str) -> int:
    """How many separators part the fields of a row; 0 where they part clauses, which a space follows."""
    if separator not in line:
        return 0
    bare = _QUOTED.sub("", line) if '"' in line else line
    return 0 if separator in ",;" and f"{separator} " in bare else bare.count(separator)


def _some(text: str, start: int, end: int) -> Iterator[Span]:
    inner = _inner(text, start, end)
    if inner[0] < inner[1]:
        yield inner


def _inner(text: str, start: int, end: int) -> Span:
    """The span without the white space at its ends, but with what indents its first line."""
    part = text[start:end]
    length = len(part.rstrip())
    lead = len(part) - len(part.lstrip())
    begin = part.rfind("\n", 0, lead) + 1 if length > lead else 0
    return start + begin, start + length
