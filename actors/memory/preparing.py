"""A document made ready to be kept: its passages, and their segments. All that takes long, done before any transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from actors.memory.embedding import Vectors
from actors.memory.index.packing import narrowed, pack, pack_vectors, postings
from actors.memory.texts.passages import Passage
from actors.memory.texts.words import Terms, document_terms
from world.memory.documents import Segment

AT_ONCE: Final = 500
"""Passages of one transaction: some tenths of a second. A document of more of them is written in pieces."""


class Prepared(NamedTuple):
    """Some neighbouring passages of a document, from number `first` on."""

    first: int
    passages: Sequence[Passage]
    terms: list[Terms]
    segment: Segment


def prepared(passages: Sequence[Passage], vectors: Vectors | None = None, model: bytes = b"") -> list[Prepared]:
    """The pieces of a document, of which a small one has one. Without vectors it is found by its words alone."""
    pieces = []
    for first in range(0, max(1, len(passages)), AT_ONCE):
        part = passages[first : first + AT_ONCE]
        rows = None if vectors is None else vectors[first : first + AT_ONCE]
        pieces.append(_piece(first, part, rows, model))
    return pieces


def segment_of(terms: Sequence[Terms], vectors: Vectors | None, model: bytes) -> Segment:
    """The segment of passages with these terms."""
    words = pack(postings(terms))
    return Segment(words) if vectors is None else Segment(words, pack_vectors(narrowed(vectors)), model)


def _piece(first: int, part: Sequence[Passage], vectors: Vectors | None, model: bytes) -> Prepared:
    terms = [document_terms(each.read) for each in part]
    return Prepared(first, part, terms, segment_of(terms, vectors, model))
