"""The guardian's shell on the bus: judge, run, resume, trial, status.

It holds no state but its templates and what may be lost, so any number of it could serve; what it was doing when it dies
is asked again, and a run that another one keeps is run again.
Its life: 1. the jail comes up and every gate refuses its probe, or `status` says what is missing and nothing else is
answered; 2. it serves until SIGTERM; 3. what is under way ends, then the templates.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from typing import Any, Final

import structlog

from actors.guardian.jail.jail import Jail
from actors.guardian.jail.launching import Launched
from bus.service import Call, Handler, serve, stop_on_signals
from protocol.errors import HOPELESS, BatosError
from protocol.home import Home
from protocol.messages import ActorStatus, Judge, Ran, Resume, Resumed, Run, StatusQuery, Trial, Tried, Verdict

RETRY_S: Final = 5.0

_log = structlog.get_logger("guardian")


class Guardian:
    """The jail of one home; `waiting_for` is empty once it stands."""

    def __init__(self, home: Home, launched: Sequence[Launched] = ()) -> None:
        settings = home.settings().guardian
        self._jail = Jail(workers=settings.workers, may_lack=settings.may_lack, launched=launched)
        self._may_lack = settings.may_lack
        self.waiting_for = "the jail"
        self._began = time.monotonic()

    async def begin(self) -> None:
        """Bring the jail up; where it cannot be, say why in `waiting_for`, and try again."""
        while self.waiting_for:
            try:
                await self._jail.start()
            except BatosError as error:
                if error.code in HOPELESS:
                    raise
                self.waiting_for = f"{error.message} {error.hint}".strip()
                _log.error("not serving", code=error.code, reason=error.message)
                await asyncio.sleep(RETRY_S)
            else:
                self.waiting_for = ""
                _log.info("ready", missing=self._jail.missing)

    async def close(self) -> None:
        await self._jail.close()

    def handlers(self) -> dict[str, Handler]:
        return {"judge": self.judge, "run": self.run, "resume": self.resume, "trial": self.trial, "status": self.status}

    async def judge(self, request: Judge, call: Call) -> Verdict:  # noqa: ARG002
        return await self._standing().run(request)

    async def run(self, request: Run, call: Call) -> Ran:
        return await self._standing().begin(request, mandate=call.envelope.causation)

    async def resume(self, request: Resume, call: Call) -> Resumed:  # noqa: ARG002
        return await self._standing().resume(request)

    async def trial(self, request: Trial, call: Call) -> Tried:  # noqa: ARG002
        return await self._standing().run(request)

    async def status(self, request: StatusQuery, call: Call) -> ActorStatus:  # noqa: ARG002
        detail: dict[str, Any] = {
            "missing": dict(self._jail.missing),
            "may_lack": self._may_lack,
            "templates": self._jail.pids(),
        }
        uptime = time.monotonic() - self._began
        return ActorStatus(
            ready=not self.waiting_for, pid=os.getpid(), uptime_s=uptime, waiting_for=self.waiting_for, detail=detail
        )

    def _standing(self) -> Jail:
        if self.waiting_for:
            raise BatosError("NOT_READY", f"the guardian waits for {self.waiting_for}", "Try again in a moment.")
        return self._jail


async def run(home: Home, launched: Sequence[Launched] = ()) -> None:
    """Serve until SIGTERM, with the templates that are starting already."""
    stop = stop_on_signals()
    guardian = Guardian(home, launched)
    beginning = asyncio.create_task(guardian.begin())
    beginning.add_done_callback(lambda task: None if task.cancelled() or task.exception() is None else stop.set())
    try:
        await serve(home.bus, "guardian", guardian.handlers(), stop=stop)
    finally:
        beginning.cancel()
        await asyncio.gather(beginning, return_exceptions=True)
        await guardian.close()
    if not beginning.cancelled() and (error := beginning.exception()) is not None:
        raise error
