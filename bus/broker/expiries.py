"""Which of many requests expires next."""

from __future__ import annotations

import heapq
from collections.abc import Container, Sized
from typing import Final, Protocol

SLACK: Final = 1024
"""So many entries of what has ended already are not worth a rebuilding."""


class Known(Container[str], Sized, Protocol):
    """The ids of what has not ended."""


class Expiries:
    """Moments by id. What has ended is not taken out at once; when its moment comes, it is passed over."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, moment: float, ident: str, known: Known) -> None:
        """Note it. Most requests end long before their deadline, so the memory that this takes follows `known`."""
        if moment < float("inf"):
            heapq.heappush(self._heap, (moment, ident))
        if len(self._heap) > 2 * len(known) + SLACK:
            self._heap = [entry for entry in self._heap if entry[1] in known]
            heapq.heapify(self._heap)

    def due(self, now: float) -> str | None:
        """The id of one whose moment has come, once; None where there is none."""
        return heapq.heappop(self._heap)[1] if self._heap and self._heap[0][0] <= now else None
