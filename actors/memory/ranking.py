"""One score a passage, of its words and its meaning, and the best of what was found.

The two signals are brought to one scale and added (Bruch, Gai, Ingber, "An Analysis of Fusion Functions for Hybrid
Retrieval", 2023): a combination of scores keeps what ranks alone throw away, namely by how much one passage is better
than the next.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]

K1: Final = 1.2
"""BM25's k1: how soon a word that comes again counts no more."""

B: Final = 0.5
"""BM25's b: how much a long passage owes for its length. Passages are of like length, and need less of it than documents."""

SPAN: Final = 0.25
"""Cosines that are less apart make no whole scale: among a few passages about the same, their words decide."""

RARITY: Final = 1.5
"""The power of a term's rarity in BM25 where meaning counts too, which already says what common words do: words add the rare ones."""

MEANING: Final = np.float32(0.55)
"""The share of meaning in a score; the rest is of the words."""

OF_DOCUMENT: Final = np.float32(0.3)
"""The share that a passage has of its document's score; the rest is its own."""


def fuse(words: Scores, meaning: Scores, owner: NDArray[Any]) -> Scores:
    """The score of each passage, from 0 to 1: `words` are BM25 scores, 0 where no term is shared; `meaning` are cosines.

    `owner` is the number of each passage's document, from 0. Words are measured by the best passage. A cosine counts by how
    far it is above the mean of all, which is what a passage about something else has: its zero says nothing, and one
    passage that is the worst says no more. No order of the passages is assumed.
    """
    if not len(words):
        return words
    said = _with_document(_scaled(words, 0.0, 0.0), owner)
    meant = _with_document(_scaled(meaning, float(meaning.mean(dtype=np.float64)), SPAN), owner)
    return (1 - MEANING) * said + MEANING * meant


def _scaled(scores: Scores, floor: float, least: float) -> Scores:
    span = np.float32(max(float(scores.max()) - floor, least))
    return np.maximum(scores - np.float32(floor), 0) / span if span > 0 else np.zeros_like(scores)


def _with_document(scores: Scores, owner: NDArray[Any]) -> Scores:
    """Each signal by itself: one passage may have the words, and its neighbour the meaning.

    A document's score is the mean of its passages, each of which weighs by its own score: what is about something else in a
    long document takes nothing from it.
    """
    total = np.bincount(owner, scores)
    weighed = np.bincount(owner, scores * scores)
    document = np.divide(weighed, total, out=np.zeros_like(total), where=total > 0).astype(np.float32)
    mixed: Scores = (1 - OF_DOCUMENT) * scores + OF_DOCUMENT * document[owner]
    return mixed
