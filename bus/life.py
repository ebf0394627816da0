"""How an actor lives; the same for all of them.

1. It answers `status` at once, and every other verb with NOT_READY.
2. It takes the steps of its start. Where one fails because something is away, `status` says what is missing, and the start
   goes on when it is there. Where no waiting would mend it, the process ends and says why (`bus/process/last_words.py`).
3. It is ready, and serves.
4. On SIGTERM it finishes what is under way (`bus/service.py`) and closes.

A start that dies of a mistake of ours ends the process too: supervisord starts it anew, and `status` counts that. An actor
that stayed would answer NOT_READY for ever.
"""

from __future__ import annotations

import asyncio
import os
import time
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import structlog

from bus.service import Call, Handler, serve
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import ActorStatus, StatusQuery


class Actor(ABC):
    """What lives so. `waiting_for` names in words what is missing, for a person; it is empty once the actor is ready."""

    service: ClassVar[str]
    retry_s: ClassVar[float] = 0.5
    """Seconds between two attempts at a step that has failed."""

    def __init__(self, home: Home, waiting_for: str) -> None:
        self.home = home
        self.settings = home.settings()
        self.waiting_for = waiting_for
        self._began = time.monotonic()

    @abstractmethod
    def handlers(self) -> dict[str, Handler]:
        """What answers each verb."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of everything, however far the start has come."""

    @abstractmethod
    async def _step(self) -> None:
        """Go on with the start, and empty `waiting_for` at its end. What an earlier attempt has reached is kept."""

    async def _detail(self) -> dict[str, Any]:
        """The facts of this actor for `status`."""
        return {}

    async def begin(self) -> None:
        """Return when it is ready. Raises what no waiting mends, and our own mistakes."""
        log = structlog.get_logger(self.service)
        while self.waiting_for:
            try:
                await self._step()
            except BatosError as error:
                if error.is_hopeless:
                    raise
                self.waiting_for = f"{error.message} {error.hint}".strip()
                log.warning("not ready", code=error.code, reason=error.message)
                await asyncio.sleep(self.retry_s)

    async def status(self, _request: StatusQuery, _call: Call) -> ActorStatus:
        detail = await self._detail()
        return ActorStatus(
            ready=not self.waiting_for,
            pid=os.getpid(),
            uptime_s=time.monotonic() - self._began,
            waiting_for=self.waiting_for,
            detail=detail,
        )

    async def live(self, stop: asyncio.Event) -> None:
        """Begin, and serve until `stop`. Raises what ended the start."""
        beginning = asyncio.create_task(self.begin())
        beginning.add_done_callback(lambda task: None if task.cancelled() or task.exception() is None else stop.set())
        try:
            await serve(self.home.bus, self.service, self.handlers(), stop=stop)
        finally:
            beginning.cancel()
            await asyncio.gather(beginning, return_exceptions=True)
            await self.close()
        if not beginning.cancelled() and (error := beginning.exception()) is not None:
            raise error

    def _not_ready(self) -> BatosError:
        return BatosError("NOT_READY", f"{self.service} waits for {self.waiting_for}", "`batos status` says when.")
