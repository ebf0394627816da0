"""Where passages end: documents are joined, and the boundaries between them are to be found again.

Pk (Beeferman, Berger, Lafferty, "Statistical Models for Text Segmentation", 1999) is the share of pairs of sentences, half a
document apart, of which it is said wrongly whether they are of one document. Lower is better.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from actors.memory.reader import PassageReader
from actors.memory.texts.chunking import Range, adjacent, changepoint
from actors.memory.texts.sentences import spans
from bench.claims import Claim

JOINED: Final = 8
"""Documents that are joined into one."""

TEXTS: Final = 12
MOST: Final = 2000
"""Characters of a document that are taken."""

THRESHOLDS: Final = tuple(n / 100 for n in range(5, 75, 5))
TARGET: Final = 0.5
UNBOUNDED: Final = 1 << 30
"""A cap that divides nothing: what is asked for are the boundaries of meaning."""


async def claim(name: str, texts: Sequence[str], maker: PassageReader) -> Claim:
    """Ours beside the adjacent cosine at the threshold that is best for these very texts."""
    chance = random.Random(0)
    long = [text[:MOST] for text in texts if len(text) > MOST // 4]
    ours, peer = [], np.zeros((TEXTS, len(THRESHOLDS)))
    for n in range(TEXTS):
        sentences, owner = _joined(chance.sample(long, JOINED))
        vectors = await maker.vectors(sentences, lambda: False)
        tokens = [1] * len(sentences)
        ours.append(pk(changepoint(vectors, tokens, len(tokens)), owner))
        for place, threshold in enumerate(THRESHOLDS):
            peer[n, place] = pk(adjacent(vectors, tokens, UNBOUNDED, threshold), owner)
    found, best = float(np.mean(ours)), peer.mean(axis=0)
    return Claim(
        id=f"Pk of {TEXTS} x {JOINED} joined documents of {name}",
        ours=round(found, 4),
        peers={f"adjacent cosine, threshold {THRESHOLDS[best.argmin()]} (its best)": round(float(best.min()), 4)},
        unit="of 1, less is better",
        target=f"<= {TARGET} x its best",
        ok=found <= TARGET * best.min(),
    )


def pk(found: Sequence[Range], owner: NDArray[np.int64]) -> float:
    """Pk of these ranges of sentences, of which `owner` names the true segment of each."""
    said = np.repeat(np.arange(len(found)), [last - first for first, last in found])
    apart = max(1, round(len(owner) / len(np.unique(owner)) / 2))
    same = owner[apart:] == owner[:-apart]
    told = said[apart:] == said[:-apart]
    return float(np.mean(same != told))


def _joined(texts: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    sentences, owner = [], []
    for number, text in enumerate(texts):
        found = [text[start:end] for start, end in spans(text, 0, len(text))]
        sentences += found
        owner += [number] * len(found)
    return sentences, np.array(owner)
