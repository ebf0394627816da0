"""Where one passage ends and the next begins: two strategies over the vectors of a document's sentences.

`changepoint` finds the segmentation of least cost, where a segment of n sentences with unit vectors e costs
n - ‖Σe‖²/n (how far they stray from their mean) plus β: kernel change-point detection with the linear kernel, solved
exactly by dynamic programming (Arlot, Celisse, Harchaoui, "A kernel multiple change-point algorithm via model
selection", 2019). `adjacent` ends a passage where the cosine of two neighbours falls under a threshold.

In both the cap on tokens is part of the problem and not a repair afterwards. It also bounds the work: a segment
cannot have more sentences than the cap has tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

BETA: Final = 1.2
"""What a further segment costs, in the unit of one sentence at right angles: the best of those tried on every second of the joined
documents of `bench.retrieval --boundaries`."""
THRESHOLD: Final = 0.2
"""The cosine under which two neighbours are no longer about the same; the best of those tried on joined documents."""

Vectors = NDArray[np.float32]
Strategy = Callable[[Vectors, Sequence[int], int], "list[Range]"]


class Range(NamedTuple):
    """The sentences `first` to `last`, the last not included."""

    first: int
    last: int


def changepoint(vectors: Vectors, tokens: Sequence[int], cap: int, beta: float = BETA) -> list[Range]:
    """The segmentation of least cost among those whose segments have at most `cap` tokens."""
    count = len(tokens)
    best = np.zeros(count + 1)
    begins = np.zeros(count + 1, dtype=np.int64)
    low, held = 0, 0
    for end in range(1, count + 1):
        held += tokens[end - 1]
        while held > cap and low < end - 1:
            held -= tokens[low]
            low += 1
        # Row k is the sum of the last k + 1 vectors before `end`, whose segment begins at end - 1 - k.
        sums = np.cumsum(vectors[low:end][::-1], axis=0, dtype=np.float64)
        lengths = np.arange(1, end - low + 1)
        costs = best[low:end][::-1] + lengths - np.einsum("ij,ij->i", sums, sums) / lengths + beta
        chosen = int(np.argmin(costs))
        best[end] = costs[chosen]
        begins[end] = end - 1 - chosen
    ranges = []
    end = count
    while end > 0:
        ranges.append(Range(int(begins[end]), end))
        end = int(begins[end])
    return ranges[::-1]


def adjacent(vectors: Vectors, tokens: Sequence[int], cap: int, threshold: float = THRESHOLD) -> list[Range]:
    """A passage ends where the next sentence is about something else, or has no room in it."""
    if not tokens:
        return []
    cosines = np.einsum("ij,ij->i", vectors[:-1], vectors[1:])
    ranges = []
    first, held = 0, tokens[0]
    for n in range(1, len(tokens)):
        if cosines[n - 1] < threshold or held + tokens[n] > cap:
            ranges.append(Range(first, n))
            first, held = n, 0
        held += tokens[n]
    return [*ranges, Range(first, len(tokens))]


def packed(tokens: Sequence[int], cap: int) -> list[Range]:
    """As much in each passage as it has room for: rows and definitions, whose order says more than their meaning."""
    ranges: list[Range] = []
    first, held = 0, 0
    for n, count in enumerate(tokens):
        if held + count > cap and n > first:
            ranges.append(Range(first, n))
            first, held = n, 0
        held += count
    return [*ranges, Range(first, len(tokens))] if tokens else []


STRATEGIES: Final[dict[Literal["changepoint", "adjacent"], Strategy]] = {
    "changepoint": changepoint,
    "adjacent": adjacent,
}
