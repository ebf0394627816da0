"""The orchestrator's shell: verbs in, replies out, and the start.

The life of an orchestrator: 1. it takes its lock and answers `status` at once; 2. it waits for the storage server, has
the guardian judge the image if the world is older than this program, backs it up, rehearses its steps and awakens it; 3. it takes up what the
journal holds unfinished; 4. it is ready; 5. on SIGTERM it stops thinking, and what is unfinished stays in the journal.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import structlog

from actors.orchestrator import views
from actors.orchestrator.journal import packing, schema
from actors.orchestrator.journal.database import damaged
from actors.orchestrator.journal.journal import Journal
from actors.orchestrator.mandates import Mandates
from actors.orchestrator.parts import Parts
from actors.orchestrator.renewing import rehearsing
from actors.orchestrator.verbs import Verbs
from bus.client import Caller, Client
from bus.life import Actor
from bus.process.lock import hold
from bus.service import Handler, stop_on_signals
from protocol import verbs
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import (
    Judge,
)
from world import awakening
from world.store import open_store

JUDGE_S: Final = 10.0
LOOK_S: Final = 1.0

_log = structlog.get_logger("orchestrator")


class Orchestrator(Actor):
    """The parts of a running orchestrator."""

    service = "orchestrator"

    def __init__(self, home: Home, caller: Caller, stop: asyncio.Event) -> None:
        super().__init__(home, "the storage server")
        self.damage: BatosError | None = None
        self.parts = Parts(home, self.settings, caller, self._not_ready)
        self._stop = stop
        self._beside: list[asyncio.Task[None]] = []

    def give_up(self, error: BatosError) -> None:
        """Stop the process with `error`: no time that passes mends it, only a person does."""
        self.damage = self.damage or error
        self._stop.set()

    async def close(self) -> None:
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        parts = self.parts
        if parts.has_mandates is not None:
            await parts.has_mandates.close()
        if parts.has_journal is not None:
            parts.has_journal.close()
        if parts.has_store is not None:
            await asyncio.to_thread(parts.has_store.close)

    async def _step(self) -> None:
        parts = self.parts
        if parts.has_journal is None:
            # First, because it needs nobody: what is wrong with it is said at once.
            await rehearsing.keep_journal(self.home, self.settings, self._wait_for)
            parts.has_journal = await asyncio.to_thread(Journal, self.home.journal, self.give_up)
        journal = parts.has_journal
        if parts.has_store is None:
            self.waiting_for = "the storage server"
            parts.has_store = await asyncio.to_thread(
                open_store, self.settings, self.home, name="orchestrator", seconds=self.retry_s * 4
            )
        store = parts.has_store
        if await store.run(lambda: awakening.schema_version(store.db)) < awakening.CURRENT:
            self.waiting_for = "the guardian's judgement of the image"
            await self._judge_image()
            await rehearsing.keep_world(self.home, store, parts.caller, self.settings, self._wait_for)
        self.waiting_for = "the awakening"
        await store.run(lambda: awakening.awaken(store.db))
        mandates = Mandates(store, journal, parts.caller, self.settings)
        taken_up = await mandates.recover()
        parts.has_mandates, self.waiting_for = mandates, ""
        self._beside = [
            asyncio.create_task(packing.retain(journal, packing.limits_of(self.settings.orchestrator))),
            asyncio.create_task(self._look_through()),
            asyncio.create_task(journal.stay(LOOK_S)),
            asyncio.create_task(mandates.learn_speed()),
        ]
        _log.info("ready", taken_up=taken_up)

    def _wait_for(self, what: str) -> None:
        self.waiting_for = what

    async def _look_through(self) -> None:
        """Read all of a large journal while it is served from: what is broken in it must not wait for who comes to it."""
        path = self.home.journal
        if path.stat().st_size > schema.SMALL:
            found = await asyncio.to_thread(schema.problems, path, check="quick_check")
            if found:
                self.give_up(damaged(path, found[0]))

    async def _judge_image(self) -> None:
        """The kernel's own methods pass the same gate as any other method, or there is no world."""
        for method in awakening.image():
            request = Judge(source=method.source, kernel=True)
            verdict = await self.parts.caller.call(verbs.JUDGE, request, seconds=JUDGE_S)
            if not verdict.accepted:
                first = verdict.violations[0]
                raise BatosError(
                    "REFUSED",
                    f"the image's {method.holder}/{method.selector} is refused: {first.rule} at line {first.line}:"
                    f" {first.message}",
                    "This installation is damaged; install it again.",
                )

    def handlers(self) -> dict[str, Handler]:
        return {**Verbs(self.parts).handlers(), "status": self.status}

    async def _detail(self) -> dict[str, Any]:
        detail: dict[str, Any] = {}
        if self.parts.has_mandates is not None:
            detail["cycles"] = await self.parts.in_journal(Journal.counts)
            detail["world"] = await self.parts.in_world(views.world_status)
        return detail


async def run(home: Home) -> None:
    """Serve the home until SIGTERM; HOME_HELD where another orchestrator holds it, and what no waiting mends."""
    home.prepare()
    stop = stop_on_signals()
    with hold(home.run / "orchestrator.lock", f"the world of {home.root}"):
        async with Client(home.bus, "orchestrator", patience=30.0) as client:
            orchestrator = Orchestrator(home, client, stop)
            await orchestrator.live(stop)
    if orchestrator.damage is not None:
        raise orchestrator.damage
