"""The runs that wait for an answer: a cache of live children, which may lose any of them at any time.

There are at most so many, each for so long; who has waited longest goes first. A run stands here under a token that
nobody can guess and that serves once, so that a child only ever hears the answer of the one who was given it.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Final, NamedTuple

from actors.guardian.jail.worker import Worker

SECONDS: Final = 5.0
SHORT_S: Final = 0.1
"""A run that waits no longer than this will probably go on soon."""
TOKEN_BYTES: Final = 16


class Waiting(NamedTuple):
    """A child of `worker` that waits under `number`; `wall` are the seconds that its run may take in all."""

    worker: Worker
    number: int
    wall: float
    mandate: str


class Suspended:
    """At most `most` runs, one or more, by token, in the order in which they began to wait."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._waiting: dict[str, tuple[Waiting, asyncio.TimerHandle]] = {}

    def has(self, mandate: str) -> bool:
        """Whether a run of this mandate waits."""
        return any(waiting.mandate == mandate for waiting, _ in self._waiting.values())

    def is_crowded(self, more: int) -> bool:
        """Whether `more` would push out one that has hardly begun to wait."""
        if not self._waiting or len(self._waiting) + more <= self.most:
            return False
        _, timer = next(iter(self._waiting.values()))
        return timer.when() - SECONDS + SHORT_S > asyncio.get_running_loop().time()

    def add(self, waiting: Waiting) -> str:
        """Keep this one; its token. The one that has waited longest is dropped where there is no room."""
        while len(self._waiting) >= self.most:
            self._drop(next(iter(self._waiting)))
        token = secrets.token_hex(TOKEN_BYTES)
        timer = asyncio.get_running_loop().call_later(SECONDS, self._drop, token)
        self._waiting[token] = waiting, timer
        return token

    def take(self, token: str) -> Waiting | None:
        """The run that waits under `token`, which does so no more; None where none does."""
        waiting, timer = self._waiting.pop(token, (None, None))
        if timer is not None:
            timer.cancel()
        return waiting

    def clear(self) -> None:
        for token in list(self._waiting):
            self._drop(token)

    def _drop(self, token: str) -> None:
        waiting = self.take(token)
        if waiting is not None:
            waiting.worker.drop(waiting.number)
