"""A document as passages: exact slices of its text, each with the context that it is not understood without.

The context of a passage is the document's title, the headings above it, and what its table or its definition begins with.
It is indexed and embedded before the passage's own text, and context and text together are within the cap. What is within
the cap as it stands is never divided, be it the whole document or a section: its author has drawn that boundary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from actors.memory.texts.chunking import Strategy, Vectors, packed
from actors.memory.texts.sentences import Sentence, Tokens, counted, spans, tokenized
from actors.memory.texts.structure import Block, Kind, Span, blocks, definitions, lines

BETWEEN: Final = " > "
"""What stands between two headings of a context."""

_MOST_CONTEXT: Final = 3
"""A context has at most this part of the cap: a half, a third."""

_CHARACTERS: Final = 32
"""Characters for each token of the cap, above which a text is not even counted as a whole."""


class Passage(NamedTuple):
    """`text` begins at character `start` of the document."""

    text: str
    start: int
    context: str = ""

    @property
    def read(self) -> str:
        """What is embedded and indexed of it."""
        return f"{self.context}\n{self.text}" if self.context else self.text


class Part(NamedTuple):
    """Neighbouring units of a document (sentences, rows, definitions) that become passages; `room` is their cap.

    What `is_told_apart` is divided by what its units mean. `header` stands in the context of all passages but the first.
    """

    units: list[Sentence]
    room: int
    context: str = ""
    header: str = ""
    is_told_apart: bool = False

    def passages(self, text: str, ranges: Sequence[tuple[int, int]]) -> Iterator[Passage]:
        context = self.context
        for first, last in ranges:
            start, end = self.units[first].start, self.units[last - 1].end
            yield Passage(text[start:end], start, context)
            context = "\n".join(filter(None, (self.context, self.header)))


class Divider:
    """How documents are divided where no passage has more than `cap` of these tokens."""

    def __init__(self, cap: int, tokens: Tokens, strategy: Strategy) -> None:
        self._cap = cap
        self._tokens = tokens
        self._strategy = strategy

    def parts(self, text: str, title: str = "", *, is_code: bool = False) -> list[Part]:
        """The parts of a document, in order. Nothing but white space and headings above a part lies between them."""
        context = "" if text.lstrip().startswith(title) else self._context((title,))
        room = self._cap - self._count(context)
        for span in _some(text):
            if (whole := self._whole(text, span, room)) is not None:
                return [Part([whole], room, context)]
        made: list[Part] = []
        above = (title,) if title else ()
        for path, section in groupby(blocks(text, is_code=is_code), key=lambda block: block.path):
            path = path if path[:1] == above else (*above, *path)  # noqa: PLW2901 - the title once
            made += self._section(text, path, list(section))
        if made and text.lstrip().startswith(title):
            made[0] = made[0]._replace(context=made[0].context.removeprefix(title).removeprefix(BETWEEN))
        return made

    def passages(self, text: str, parts: Sequence[Part], vectors: Vectors) -> list[Passage]:
        """The passages of a document; `vectors` are those of the units of all parts that are told apart by meaning."""
        made: list[Passage] = []
        at = 0
        for part in parts:
            tokens = [unit.tokens for unit in part.units]
            if part.is_told_apart:
                ranges = self._strategy(vectors[at : at + len(tokens)], tokens, part.room)
                at += len(tokens)
            else:
                ranges = packed(tokens, part.room)
            made += part.passages(text, ranges)
        return made

    def _section(self, text: str, path: tuple[str, ...], section: list[Block]) -> Iterator[Part]:
        context = self._context(path)
        room = self._cap - self._count(context)
        whole = self._whole(text, (section[0].start, section[-1].end), room)
        if whole is not None:
            yield Part([whole], room, context)
            return
        for block in section:
            if block.kind == "code":
                yield from self._code(text, block, context, room)
            else:
                yield self._part(text, block.kind, _pieces(text, block), context, block.header)

    def _code(self, text: str, block: Block, context: str, room: int) -> Iterator[Part]:
        """Whole definitions as long as they have room; of a longer one its lines, under the first of them."""
        together: list[Sentence] = []
        pieces = list(_pieces(text, block))
        countable = [(start, end) for start, end, _ in pieces if end - start <= _CHARACTERS * self._cap]
        counts = {start: len(found) for start, _, found in tokenized(text, countable, self._tokens)}
        for start, end, _ in pieces:
            if (count := counts.get(start, room + 1)) <= room:
                together.append(Sentence(start, end, max(1, count)))
                continue
            if together:
                yield Part(together, room, context)
                together = []
            rows = [(*span, False) for span in lines(text, start, end)]
            yield self._part(text, "code", rows, context, text[rows[0][0] : rows[0][1]].strip())
        if together:
            yield Part(_glued(together, _titles(pieces), room), room, context)

    def _part(
        self, text: str, kind: Kind, pieces: Sequence[tuple[int, int, bool]], context: str, header: str = ""
    ) -> Part:
        most = self._cap // _MOST_CONTEXT
        if header:
            header = self._cut(header, max(1, most - self._count(context)))
        room = self._cap - self._count(f"{context}\n{header}")
        found = counted(text, [(start, end) for start, end, _ in pieces], room, self._tokens)
        units = _glued(list(found), _titles(pieces), room)
        is_told_apart = kind == "prose" and sum(unit.tokens for unit in units) > room
        return Part(units, room, context, header, is_told_apart)

    def _whole(self, text: str, span: Span, room: int) -> Sentence | None:
        start, end = span
        if end - start > _CHARACTERS * self._cap:
            return None
        count = self._count(text[start:end])
        return Sentence(start, end, max(1, count)) if count <= room else None

    def _context(self, path: Sequence[str]) -> str:
        """The headings, from the outermost; where they are too long together, without the middle ones, and then cut."""
        most = self._cap // _MOST_CONTEXT
        top, below = path[:1], path[1:]
        kept = list(below[-1:] or top)
        for n in range(len(below)):
            # From the innermost on: a path may be as deep as the text is hostile.
            longer = [*top, *below[len(below) - 1 - n :]]
            if self._count(BETWEEN.join(longer)) > most:
                break
            kept = longer
        return self._cut(BETWEEN.join(kept), most)

    def _cut(self, text: str, most: int) -> str:
        found = self._tokens([text[: _CHARACTERS * most]])[0]
        return text[: found[most - 1][1]] if len(found) > most else text[: _CHARACTERS * most]

    def _count(self, text: str) -> int:
        return len(self._tokens([text])[0]) if text else 0


def _some(text: str) -> Iterator[Span]:
    """The text without the white space around it, where there is some text."""
    inner = text.strip()
    if inner:
        start = text.index(inner)
        yield start, start + len(inner)


def _pieces(text: str, block: Block) -> list[tuple[int, int, bool]]:
    """The units of a block, and of each whether it is one of its lonely headings."""
    divide = {"prose": spans, "table": lines, "code": definitions}[block.kind]
    made: list[tuple[int, int, bool]] = []
    at = block.start
    for start, end in sorted(set(block.titles)):
        if start >= at:
            made += [(*span, False) for span in divide(text, at, start)]
            made.append((start, end, True))
            at = end
    return made + [(*span, False) for span in divide(text, at, block.end)]


def _titles(pieces: Sequence[tuple[int, int, bool]]) -> set[int]:
    return {start for start, _, is_title in pieces if is_title}


def _glued(units: list[Sentence], titles: set[int], room: int) -> list[Sentence]:
    """The units, where a heading is one with what is before it, or after it where it is the first; if there is room."""
    made: list[Sentence] = []
    for unit in units:
        is_next = unit.start in titles or (len(made) == 1 and made[0].start in titles)
        if made and is_next and made[-1].tokens + unit.tokens <= room:
            made[-1] = Sentence(made[-1].start, unit.end, made[-1].tokens + unit.tokens)
        else:
            made.append(unit)
    return made
