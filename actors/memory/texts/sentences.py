"""A document's text as sentences, none of them longer than a chunk may be.

A sentence is a span of the text, and nothing but white space lies between two of them, so that chunks made of whole
sentences are exact slices of the document. One that is over the cap is cut where a word begins; a single word over
it (a table without spaces, an encoded picture) is cut at tokens.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import sentencex

LANGUAGE: Final = "en"

_FULL_STOP: Final = re.compile(r"[\u3002\uff01\uff1f]+[\u300d\u300f\u201d\uff09]?")

WINDOW: Final = 4096
"""Characters whose sentences are looked for at once; a sentence without an end within them ends there, between two words."""

AT_ONCE: Final = 1024
"""Parts of a text whose tokens are held at once."""
_HELD: Final = 1 << 16
"""Characters after which no further part is held with them: tokens take fifty times their bytes."""

Tokens = Callable[[Sequence[str]], Sequence[Sequence[tuple[int, int]]]]
"""Where the tokens of each text begin and end."""


class Sentence(NamedTuple):
    """Characters `start` to `end` of the text; `tokens` is at least 1."""

    start: int
    end: int
    tokens: int


def sentences(text: str, cap: int, tokens: Tokens) -> list[Sentence]:
    """The sentences of `text`, in order, each of at most `cap` tokens."""
    return list(counted(text, list(spans(text, 0, len(text))), cap, tokens))


def spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the sentences of a part of the text begin and end, however long they are.

    The text is read in windows, each from the last sentence of the one before, which may go on: what a sentence costs
    grows with all the others that are looked for with it, where they are not of ASCII.
    """
    at = start
    while at < end:
        until = min(at + WINDOW, end)
        part = text[at:until]
        found = [(each["start_index"], each["end_index"]) for each in sentencex.get_sentence_boundaries(LANGUAGE, part)]
        if until < end and len(found) > 1:
            until = at + found.pop()[0]
        elif until < end and (space := max(part.rfind(" "), part.rfind("\n"))) > 0:
            until, found = at + space + 1, [(0, space)]
        for first, last in found:
            # What ends a sentence in Chinese and Japanese ends it with and without a space after it.
            for stop in _FULL_STOP.finditer(part, first, last):
                yield from _stripped(text, at + first, at + stop.end())
                first = stop.end()  # noqa: PLW2901 - the rest of it
            yield from _stripped(text, at + first, at + last)
        at = until


def tokenized(
    text: str, parts: Sequence[tuple[int, int]], tokens: Tokens
) -> Iterator[tuple[int, int, Sequence[tuple[int, int]]]]:
    """These parts of the text, each with its tokens. Those of a large text would fill the memory, so there are never many."""
    at = 0
    while at < len(parts):
        until, held = at, 0
        while until < min(at + AT_ONCE, len(parts)) and held < _HELD:
            held += parts[until][1] - parts[until][0]
            until += 1
        some = parts[at:until]
        for (start, end), found in zip(some, tokens([text[start:end] for start, end in some]), strict=True):
            yield start, end, found
        at = until


def _stripped(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    inner = text[start:end].strip()
    if inner:
        first = start + text[start:end].index(inner)
        yield first, first + len(inner)


def counted(text: str, parts: list[tuple[int, int]], cap: int, tokens: Tokens) -> Iterator[Sentence]:
    """These parts of the text with their tokens; one that is over the cap as several."""
    short = [piece for start, end in parts for piece in _shortened(text, start, end)]
    for start, end, found in tokenized(text, short, tokens):
        if len(found) <= cap:
            yield Sentence(start, end, max(1, len(found)))
            continue
        cuts = list(_cuts(text, start, end, [start + begin for begin, _ in found], cap))
        if len(cuts) == 1:  # one character that is many tokens
            yield Sentence(start, end, cap)
            continue
        # Counted again: the half of a word has other tokens than it had in the whole.
        yield from counted(text, cuts, cap, tokens)


def _shortened(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The span in pieces of at most a window each, between two words where there are some: a line may be the whole text."""
    if end - start <= WINDOW:
        yield start, end
        return
    while end - start > WINDOW:
        space = max(text.rfind(mark, start + 1, start + WINDOW) for mark in " \t\n")
        until = start + WINDOW if space < 0 else space
        yield from _stripped(text, start, until)
        start = until
    yield from _stripped(text, start, end)


def _cuts(text: str, start: int, end: int, begins: list[int], cap: int) -> Iterator[tuple[int, int]]:
    """The span `start` to `end` in pieces of at most `cap` of the tokens that begin at `begins`."""
    words = [n for n, at in enumerate(begins) if n == 0 or text[at - 1].isspace()]
    at = 0
    while at < len(begins):
        limit = at + cap
        if limit < len(begins):
            word = words[bisect_right(words, limit) - 1]
            limit = word if word > at else limit
        last = begins[limit] if limit < len(begins) else end
        yield from _stripped(text, start if at == 0 else begins[at], last)
        at = limit
