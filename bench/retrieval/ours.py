"""How memory searches some passages, by its own index; a document's best score; and the ranks of several ways, fused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from actors.memory.index.block import Source
from actors.memory.index.packing import hashed, postings
from actors.memory.index.view import View, rank, view_of
from actors.memory.texts.words import document_terms, query_terms
from protocol.home import Memory

Scores = NDArray[Any]
Way = Callable[[str, NDArray[np.float32]], Scores]
"""A score for each passage, of a question and its vector; minus infinity for what is not found."""


RRF: Final = 60
"""What a rank is put down by, as its authors have it."""


def ours(texts: Sequence[str], vectors: NDArray[np.float32], owner: NDArray[np.int64], b: float = Memory().b) -> Way:
    """By words and meaning; `owner` is the number of each passage's document, in order."""
    view = indexed(texts, vectors, owner)

    def scores(query: str, vector: NDArray[np.float32]) -> Scores:
        found = rank(view, Counter(map(hashed, query_terms(query))), vector, b)
        made = np.full(len(texts), -np.inf)
        made[[view.passage(number) for number in found.order.tolist()]] = found.scores
        return made

    return scores


def indexed(texts: Sequence[str], vectors: NDArray[np.float32], owner: NDArray[np.int64]) -> View:
    """A view of these passages, whose OIDs are their numbers."""
    halves = vectors.astype(np.float16)
    sources = []
    for document in np.unique(owner).tolist():
        numbers = np.flatnonzero(owner == document)
        found = postings([document_terms(texts[number]) for number in numbers.tolist()])
        sources.append(Source(document, 0.0, np.zeros(0, np.uint64), numbers, found, halves[numbers]))
    return view_of(b"", sources)


def best_of(scores: Scores, owner: NDArray[np.int64], documents: int) -> Scores:
    """The best score of each document's passages."""
    best = np.full(documents, -np.inf)
    np.maximum.at(best, owner, scores)
    return best


def ranks_fused(scores: Sequence[Scores]) -> Scores:
    """Reciprocal rank fusion (Cormack, Clarke, Büttcher, 2009) of documents by several scores."""
    total = np.zeros(len(scores[0]))
    for each in scores:
        total[np.argsort(-each, kind="stable")] += 1 / (RRF + 1 + np.arange(len(each)))
    return total
