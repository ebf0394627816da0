"""How memory searches some passages. A document has its best passage's score."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actors.memory.ranking import K1, B, fuse
from actors.memory.words import document_terms, query_terms

Scores = NDArray[Any]
Way = Callable[[str, NDArray[np.float32]], Scores]
"""A score for each passage, of a question and its vector."""


class Words:
    """BM25 over the terms of memory."""

    def __init__(self, texts: Sequence[str]) -> None:
        lengths = []
        found: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, text in enumerate(texts):
            terms = document_terms(text)
            lengths.append(len(terms.words))
            for term, count in Counter(terms.words + terms.beside).items():
                found[term].append((number, count))
        self._postings = {term: np.array(rows) for term, rows in found.items()}
        self._owed = K1 * (1 - B + B * np.array(lengths) / max(1.0, float(np.mean(lengths))))

    def scores(self, query: str) -> NDArray[np.float32]:
        total = np.zeros(len(self._owed), dtype=np.float32)
        for term, times in Counter(query_terms(query)).items():
            if term in self._postings:
                at, count = self._postings[term].T
                rarity = np.log(1 + (len(total) - len(at) + 0.5) / (len(at) + 0.5))
                total[at] += times * rarity * count * (K1 + 1) / (count + self._owed[at])
        return total


def ours(texts: Sequence[str], vectors: NDArray[np.float32], owner: NDArray[np.int64]) -> Way:
    """Words and meaning, as memory ranks."""
    words = Words(texts)
    return lambda query, vector: fuse(words.scores(query), vectors @ vector, owner)


def best_of(scores: Scores, owner: NDArray[np.int64], documents: int) -> Scores:
    """The best score of each document's passages."""
    best = np.full(documents, -np.inf)
    np.maximum.at(best, owner, scores)
    return best
