"""One score a passage, of its words and its meaning, and the best of what was found.

The two signals are brought to one scale and added (Bruch, Gai, Ingber, "An Analysis of Fusion Functions for Hybrid
Retrieval", 2023): a combination of scores keeps what ranks alone throw away, namely by how much one passage is better
than the next.
"""

from __future__ import annotations

from typing import Final

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


def fuse(words: Scores, meaning: Scores, owner: NDArray[np.intp]) -> Scores:
    """The score of each passage, from 0 to 1: `words` are BM25 scores, 0 where no term is shared; `meaning` are cosines.

    `owner` is the number of each passage's document, from 0. No order of the passages is assumed.
    """
    return by_words(words, owner) + by_meaning(meaning, owner)


def by_words(words: Scores, owner: NDArray[np.intp]) -> Scores:
    """What words give to the score of each passage: they are measured by the best of them."""
    if not len(words):
        return words
    span = np.float32(words.max())
    scaled = words / span if span > 0 else np.zeros_like(words)
    return _shared(scaled, owner, 1 - MEANING)


def by_meaning(meaning: Scores, owner: NDArray[np.intp], among: NDArray[np.bool_] | None = None) -> Scores:
    """What meaning gives to the score of each passage that it is ranked `among`, and nothing to the others.

    A cosine counts by how far it is above the mean of all, which is what a passage about something else has: its zero says
    nothing, and one passage that is the worst says no more.
    """
    part = None if among is None or among.all() else among
    counted = meaning if part is None else meaning[part]
    if not len(counted):
        return np.zeros_like(meaning)
    floor = float(counted.mean(dtype=np.float64))
    scaled = meaning - np.float32(floor)
    np.maximum(scaled, 0, out=scaled)
    scaled /= np.float32(max(float(counted.max()) - floor, SPAN))
    if part is not None:
        scaled *= part
    return _shared(scaled, owner, MEANING)


def highest(scores: Scores, most: int) -> NDArray[np.intp]:
    """The numbers of the highest scores, at most so many; of equal ones the first."""
    if most < 1 or len(scores) <= most:
        return np.arange(min(most, len(scores)))
    least = np.partition(scores, len(scores) - most)[len(scores) - most]
    above = np.flatnonzero(scores > least)
    return np.append(above, np.flatnonzero(scores == least)[: most - len(above)])


def _shared(scores: Scores, owner: NDArray[np.intp], share: np.float32) -> Scores:
    """These scores with that of the document in each: one passage may have the words, and its neighbour the meaning.

    A document's score is the mean of its passages, each of which weighs by its own score: what is about something else in a
    long document takes nothing from it.
    """
    total = np.bincount(owner, scores)
    weighed = np.bincount(owner, scores * scores)
    document = np.divide(weighed, total, out=np.zeros_like(total), where=total > 0).astype(np.float32)
    mixed = scores * (1 - OF_DOCUMENT)
    document *= OF_DOCUMENT
    mixed += document.take(owner)
    mixed *= share
    return mixed
