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
    """Where the sentences of a part of the text begin and end, however long they are."""
    part = text[start:end]
    for found in sentencex.get_sentence_boundaries(LANGUAGE, part):
        at, last = found["start_index"], found["end_index"]
        # What ends a sentence in Chinese and Japanese has no space after it, and so is none in English.
        for stop in _FULL_STOP.finditer(part, at, last):
            yield from _stripped(text, start + at, start + stop.end())
            at = stop.end()
        yield from _stripped(text, start + at, start + last)


def _stripped(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    inner = text[start:end].strip()
    if inner:
        first = start + text[start:end].index(inner)
        yield first, first + len(inner)


def counted(text: str, parts: list[tuple[int, int]], cap: int, tokens: Tokens) -> Iterator[Sentence]:
    """These parts of the text with their tokens; one that is over the cap as several."""
    for (start, end), found in zip(parts, tokens([text[start:end] for start, end in parts]), strict=True):
        if len(found) <= cap:
            yield Sentence(start, end, max(1, len(found)))
            continue
        cuts = list(_cuts(text, start, end, [start + begin for begin, _ in found], cap))
        if len(cuts) == 1:  # one character that is many tokens
            yield Sentence(start, end, cap)
            continue
        # Counted again: the half of a word has other tokens than it had in the whole.
        yield from counted(text, cuts, cap, tokens)


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
