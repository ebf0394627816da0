"""The guardian's shell on the bus: judge, run, resume, trial, probe, status.

It holds no state but its templates and what may be lost, so any number of it could serve; what it was doing when it dies
is asked again, and a run that another one keeps is run again.
Its life: 1. the jail comes up and every gate refuses its probe, or `status` says what is missing and nothing else is
answered; 2. it serves until SIGTERM; 3. what is under way ends, then the templates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog

from actors.guardian.jail.jail import Jail
from actors.guardian.jail.launching import Launched
from bus.life import Actor
from bus.service import Call, Handler, stop_on_signals
from protocol.home import Home
from protocol.messages import Judge, Probe, Probed, Ran, Resume, Resumed, Run, Trial, Tried, Verdict

_log = structlog.get_logger("guardian")


class Guardian(Actor):
    """The jail of one home."""

    service = "guardian"
    retry_s = 5.0

    def __init__(self, home: Home, launched: Sequence[Launched] = ()) -> None:
        super().__init__(home, "the jail")
        settings = self.settings.guardian
        self._jail = Jail(workers=settings.workers, may_lack=settings.may_lack, launched=launched)

    async def close(self) -> None:
        await self._jail.close()

    def handlers(self) -> dict[str, Handler]:
        return {
            "judge": self.judge,
            "run": self.run,
            "resume": self.resume,
            "trial": self.trial,
            "probe": self.probe,
            "status": self.status,
        }

    async def judge(self, request: Judge, call: Call) -> Verdict:  # noqa: ARG002
        return await self._standing().run(request)

    async def run(self, request: Run, call: Call) -> Ran:
        return await self._standing().begin(request, mandate=call.envelope.causation)

    async def resume(self, request: Resume, call: Call) -> Resumed:  # noqa: ARG002
        return await self._standing().resume(request)

    async def trial(self, request: Trial, call: Call) -> Tried:  # noqa: ARG002
        return await self._standing().run(request)

    async def probe(self, request: Probe, call: Call) -> Probed:  # noqa: ARG002
        return await self._standing().run(request)

    async def _step(self) -> None:
        await self._jail.start()
        self.waiting_for = ""
        _log.info("ready", missing=self._jail.missing)

    async def _detail(self) -> dict[str, Any]:
        return {
            "missing": dict(self._jail.missing),
            "may_lack": self.settings.guardian.may_lack,
            "templates": self._jail.pids(),
        }

    def _standing(self) -> Jail:
        if self.waiting_for:
            raise self._not_ready()
        return self._jail


async def run(home: Home, launched: Sequence[Launched] = ()) -> None:
    """Serve until SIGTERM, with the templates that are starting already."""
    await Guardian(home, launched).live(stop_on_signals())
