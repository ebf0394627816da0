"""Who works next in the jail, where more is asked for than there are workers.

First come, first served, but what has been begun goes before what has not: a run that goes on, and the runs that it
waits for. So a child that is kept for an answer is kept for a short time, and few places keep many. A newcomer waits
also while the places are all taken by runs that hardly wait, because the one that it would push out is the next to go on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

PATIENCE_S: Final = 2.0
"""Who has waited so long gives way to nobody."""
AGAIN_S: Final = 0.02
"""After which it is looked again whether a newcomer may go."""


class Turns:
    """As many at once as there are `workers`. `is_crowded` says whether newcomers should rather wait."""

    def __init__(self, workers: int, is_crowded: Callable[[], bool]) -> None:
        self._free = workers
        self._is_crowded = is_crowded
        self._begun: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._new: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._again: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def one(self, *, newcomer: bool) -> AsyncIterator[None]:
        """Wait for a turn, and have it."""
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        (self._new if newcomer else self._begun).append((loop.time(), turn))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._give_back()
            raise
        try:
            yield
        finally:
            self._give_back()

    def _give_back(self) -> None:
        self._free += 1
        self._admit()

    def _admit(self) -> None:
        while self._free and (queue := self._next()):
            _, turn = queue.popleft()
            if not turn.done():
                self._free -= 1
                turn.set_result(None)

    def _next(self) -> deque[tuple[float, asyncio.Future[None]]] | None:
        """The queue whose first is next; None where nobody may go."""
        if self._new and self._new[0][0] + PATIENCE_S < asyncio.get_running_loop().time():
            return self._new
        if self._begun or not self._new:
            return self._begun
        if not self._is_crowded():
            return self._new
        if self._again is None:
            self._again = asyncio.get_running_loop().call_later(AGAIN_S, self._look_again)
        return None

    def _look_again(self) -> None:
        self._again = None
        self._admit()
