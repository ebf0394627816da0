"""The best of what the index found."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def best(scores: Iterable[tuple[int, float]], top_k: int, take: Callable[[int], T | None]) -> list[tuple[float, T]]:
    """The `top_k` best of `scores` (docid, score), best first, for which `take` gives something.

    Of two equal scores the one of the older passage comes first. `take` is only called until there are enough, because
    it reads the passage from the world.
    """
    found: list[tuple[float, T]] = []
    for docid, score in _descending(scores):
        if len(found) == top_k:
            break
        taken = take(docid)
        if taken is not None:
            found.append((score, taken))
    return found


def _descending(scores: Iterable[tuple[int, float]]) -> Iterator[tuple[int, float]]:
    heap = [(-score, docid) for docid, score in scores]
    heapq.heapify(heap)
    while heap:
        score, docid = heapq.heappop(heap)
        yield docid, -score
