"""When a request that may be carried out twice goes out again: the one mechanism of the command and of the actors.

What an error lets a caller do stands in the table of `protocol/errors`; here stands when, and for how long.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from protocol.errors import BatosError

T = TypeVar("T")

AGAIN_S: Final = 0.1
"""Seconds between two attempts."""


class Again:
    """The attempts at one request, all of them within `seconds`, and within `once_lost` from the first loss on.

    A person is told at once that nothing runs: the request goes out again only after one of it was lost. A caller that
    `is_patient` also waits for a service that has not come up yet.
    """

    def __init__(self, seconds: float, *, once_lost: float = math.inf, is_patient: bool = False) -> None:
        self.until = self._whole = self._clock() + seconds
        self.once_lost = once_lost
        self.is_patient = is_patient
        self.is_lost = False

    @property
    def left(self) -> float:
        return self.until - self._clock()

    def may(self, error: BatosError, *, was_taken: bool = False) -> bool:
        """Whether `error` allows another attempt; one that `was_taken` was lost, whatever the error says."""
        if (error.is_lost or was_taken) and not self.is_lost:
            self.is_lost, self.until = True, min(self.until, self._clock() + self.once_lost)
        return error.is_away and (self.is_patient or self.is_lost)

    def back(self) -> None:
        """The system has spoken: the next loss is one of its own."""
        self.is_lost, self.until = False, self._whole

    async def rest(self) -> None:
        await asyncio.sleep(min(AGAIN_S, max(0.0, self.left)))

    async def answer(self, attempt: Callable[[float], Awaitable[T]]) -> T:
        """What `attempt` comes to, which gets the seconds that are left. TimeoutError when none are."""
        while (left := self.left) > 0:
            try:
                return await attempt(left)
            except BatosError as error:
                if not self.may(error):
                    raise
            await self.rest()
        raise TimeoutError

    @staticmethod
    def _clock() -> float:
        return asyncio.get_running_loop().time()
