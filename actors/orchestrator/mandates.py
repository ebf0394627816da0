"""The registry of mandates: those that run, each with a task for its life (`life`), and whoever listens to it.

A cancel is noted in the journal first, then the task is told, so that it holds whatever is killed; what is committed
already stays. After a crash, every mandate that the journal holds without an end lives on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import structlog

from actors.orchestrator import publish
from actors.orchestrator.deadlines import Measured, default_seconds
from actors.orchestrator.hand.performing import perform
from actors.orchestrator.inbox import accept
from actors.orchestrator.journal.journal import Journal, MandateRow, expired
from actors.orchestrator.life import Life, ended
from actors.orchestrator.primitives.performers import PERFORMERS
from actors.orchestrator.thinking.cancellation import Cancellation, Deadline
from actors.orchestrator.thinking.claims import Claims
from actors.orchestrator.thinking.intents import Intents
from actors.orchestrator.thinking.session import Session
from actors.orchestrator.waiting import Waiting
from bus.client import Caller
from protocol import codec, verbs
from protocol.errors import BatosError
from protocol.failure import Failure, failure_of
from protocol.home import Settings
from protocol.messages import (
    Accept,
    BaseModel,
    Cancelled,
    Event,
    Mandate,
    MandateReply,
    Reject,
    Speed,
    TokenRevoked,
    Watched,
)
from protocol.origin import Origin, is_same_origin, may, not_allowed
from world.store import Store

_log = structlog.get_logger("orchestrator")

KEEP_EVENTS: Final = 100
SPEED_S: Final = 5.0
"""Between two questions how fast the model is, while nobody knows."""

Listener = Callable[[Event], None]


@dataclass(slots=True)
class Running:
    """A mandate's life, who listens to it, and what it has told so far (for a listener that joins late)."""

    life: Life
    attempt: int
    task: asyncio.Task[MandateReply]
    listeners: list[Listener] = field(default_factory=list)
    told: list[Event] = field(default_factory=list)


class Mandates:
    """All mandates of one orchestrator."""

    def __init__(self, store: Store, journal: Journal, caller: Caller, settings: Settings) -> None:
        self._store = store
        self._journal = journal
        self._settings = settings
        self._caller = caller
        self._claims = Claims()
        self._intents = Intents()
        self._waiting = Waiting(store, journal)
        self._running: dict[str, Running] = {}
        self._measured = Measured()
        self._beside: set[asyncio.Task[object]] = set()

    def default_seconds(self) -> float:
        """The deadline of a mandate that names none, by what is known of the model's speed at this moment."""
        return default_seconds(self._measured.speed, self._settings.inference)

    async def learn_speed(self) -> None:
        """Ask inference how fast it is until it has answered once: from then on the texts that it makes tell."""
        while self._measured.speed == Speed():
            try:
                reply = await self._caller.call(verbs.MODEL, BaseModel(), seconds=SPEED_S)
            except BatosError as error:
                if not error.is_away and error.code != "TIMEOUT":
                    _log.warning("inference does not say how fast it is", code=error.code, error=error.message)
            else:
                self._measured.speed = reply.speed
                return
            await asyncio.sleep(SPEED_S)

    async def recover(self) -> int:
        """Take up again every accepted mandate that has no end, and settle what belongs to none; their number."""
        await self._journal.run(self._journal.settle)
        rows = await self._journal.run(self._journal.unfinished)
        await self._retire_orphans({row.mandate for row in rows})
        for row in rows:
            self._start(row)
        return len(rows)

    async def _retire_orphans(self, running: set[str]) -> None:
        """Take the contexts out of the world that no mandate of this journal is thinking in: they are another one's."""
        active = await self._store.run(lambda: publish.active(self._store.db))
        orphans: dict[str, list[str]] = {}
        for cycle, mandate in active.items():
            if mandate not in running:
                orphans.setdefault(mandate, []).append(cycle)
        for mandate, cycles in orphans.items():
            _log.warning("contexts of a mandate that does not run are retired", mandate=mandate, cycles=cycles)
            await self._store.run(partial(publish.retire, self._store.db, mandate, cycles, None))

    async def answer(self, mandate: Mandate, key: str, tell: Listener, origin: Origin | None = None) -> MandateReply:
        """Accept `mandate`, or join the one that `key` was accepted for; its end, or at once where it is detached.

        `origin` is who asks: all that comes of the mandate is done under it, whenever that is.
        """
        room = len(self._running) < self._settings.orchestrator.queue
        default = self.default_seconds()
        row, is_new = await accept(self._store, self._journal, mandate, key, room=room, default=default, origin=origin)
        accepted = Event(event="accepted", mandate=row.mandate)
        tell(accepted)
        while True:
            if row.state == "accepted":
                running = await self._taken_up(row, is_new=is_new)
                if mandate.detach:
                    return MandateReply(mandate=row.mandate, state="accepted")
                reply = await self._follow(running, tell)
                if reply.proposal is None or not mandate.wait:
                    return reply
                row = await self._row(row.mandate)
            else:
                end = await self._waiting.end(row, ended(row), wait=mandate.wait)
                if end is not None:
                    return end
                row, is_new = await self._waiting.open_again(row, self._seconds(mandate)), False

    def _seconds(self, mandate: Mandate) -> float:
        return self.default_seconds() if mandate.seconds is None else mandate.seconds

    async def _published(self, mandate: Mandate) -> None:
        """What follows from a mandate's publication: the message of an accepted proposal is sent."""
        if isinstance(mandate.hand, Accept | Reject):
            self._waiting.tell()
        if isinstance(mandate.hand, Accept) and mandate.hand.send:
            said = await self._waiting.word(mandate.hand.id)
            running = self._running.get(said.mandate)
            if running is not None and running.attempt == said.attempt:
                await asyncio.wait([running.task])  # it has proposed, and notes its end
            row = await self._waiting.taken_up(mandate.hand.id, said, self.default_seconds())
            if row is not None:
                await self._taken_up(row)

    async def _follow(self, running: Running, tell: Listener) -> MandateReply:
        for event in running.told:
            tell(event)
        running.listeners.append(tell)
        try:
            # The mandate is durable: it goes on, whoever stops waiting for it.
            return await asyncio.shield(running.task)
        finally:
            running.listeners.remove(tell)

    async def watch(self, id_: str, tell: Listener) -> Watched:
        """Follow a mandate, named by its id or by that of one of its cycles, to its end. UNKNOWN_CYCLE for neither."""
        row = await self._row(id_)
        running = self._running.get(row.mandate)
        if running is not None:
            with suppress(BatosError):
                await self._follow(running, tell)
        return await self._end(row.mandate)

    async def cancel(self, id_: str, origin: Origin | None = None) -> Cancelled:
        """End a mandate as CANCELLED, and say how it has ended; one that had ended already stays as it was.

        `id_` is the mandate's or that of one of its cycles; UNKNOWN_CYCLE where there is none. Whoever may not install cancels
        what it has asked for itself: NOT_ALLOWED.
        """
        row = await self._row(id_)
        if origin is not None and not is_same_origin(row.origin, origin) and not may(origin, "install"):
            raise not_allowed(origin, "install", f"cancelling the mandate {row.mandate}, which is another one's,")
        await self._journal.run(lambda: self._journal.cancel(row.mandate))
        row = await self._row(row.mandate)
        if row.state == "accepted":
            running = await self._taken_up(row)
            running.life.cancellation.call()
            with suppress(BatosError):
                await asyncio.shield(running.task)
        end = await self._end(row.mandate)
        return Cancelled(
            mandate=end.mandate,
            cycle=end.cycle,
            state=end.state,
            cancelled=end.error is not None and end.error.code == "CANCELLED",
        )

    async def revoke(self, name: str) -> TokenRevoked:
        """Let the token of this name in no more, and cancel what runs for it."""
        tokens = self._journal.tokens

        def revoked() -> list[str]:
            running = tokens.running(tokens.revoke(name))
            for mandate in running:  # with the token itself: no crash comes in between
                self._journal.cancel(mandate)
            return running

        running = await self._journal.run(revoked)
        for mandate in running:
            await self.cancel(mandate)
        return TokenRevoked(name=name, cancelled=running)

    async def _row(self, id_: str) -> MandateRow:
        row = await self._journal.run(lambda: self._journal.by_id(id_), durable=False)
        if row is None:
            raise BatosError(
                "UNKNOWN_CYCLE", f"no cycle and no mandate is called {id_[:100]!r}", "See `batos cycle ls`."
            )
        return row

    async def _end(self, mandate: str) -> Watched:
        """How the mandate stands in the journal, and what its user has said since of what it proposed."""
        row = await self._row(mandate)
        if row.is_expired:
            raise expired(mandate, "how it ended cannot be told", f"See that it has: `batos cycle show {mandate}`.")
        cycle = await self._journal.run(lambda: self._journal.cycle(mandate), durable=False)
        error = codec.unpack(row.reply, Failure) if row.state == "failed" and row.reply else None
        reply = codec.unpack(row.reply, MandateReply) if row.state == "complete" and row.reply else None
        if reply is not None and reply.proposal is not None:
            try:
                reply = await self._waiting.end(row, reply, wait=False) or reply
            except BatosError as settled:
                reply, error = None, failure_of(settled)
        end = "FAILED" if error else reply.state if reply else "COMPLETE"
        state = row.state if row.state == "accepted" else end
        learned = reply.learned if reply else None
        asked = codec.unpack(row.body, Mandate) if learned else None
        return Watched(
            mandate=mandate,
            cycle=cycle.cycle if cycle else None,
            state=state,
            error=error,
            result=reply.result if reply else None,
            learned=learned,
            intent=asked.intent if asked else "",
            parameters=asked.parameters if asked else [],
            is_sent=asked is None or asked.learn is None,
            proposal=reply.proposal if reply else None,
        )

    def _do_beside(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def rest(self) -> None:
        """Wait for what is done beside mandates that have ended."""
        await asyncio.gather(*self._beside)

    async def close(self) -> None:
        """Stop thinking; what has no end yet goes on at the next start."""
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        tasks = [running.task for running in self._running.values()]
        for task in tasks:
            task.cancel()
        lives = [running.life for running in self._running.values()]
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(life.rest() for life in lives), return_exceptions=True)

    async def _taken_up(self, row: MandateRow, *, is_new: bool = False) -> Running:
        """The running mandate; one whose earlier attempt is about to end is waited for, and started."""
        while (running := self._running.get(row.mandate)) is not None and running.attempt < row.attempt:
            await asyncio.wait([running.task])
        return running or self._start(row, is_new=is_new)

    def _start(self, row: MandateRow, *, is_new: bool = False) -> Running:
        life = Life(
            row.mandate,
            Cancellation(row.mandate),
            self._tell,
            is_new=is_new,
            store=self._store,
            journal=self._journal,
            caller=self._caller,
            claims=self._claims,
            intents=self._intents,
            session=self._session,
            beside=self._do_beside,
            published=self._published,
        )
        running = Running(life, row.attempt, asyncio.create_task(life.live(), name=row.mandate))
        self._running[row.mandate] = running
        running.task.add_done_callback(lambda task: self._stopped(row.mandate, task))
        return running

    def _session(self, row: MandateRow, tell: Listener, cancellation: Cancellation, deadline: Deadline) -> Session:
        return Session(
            row,
            tell,
            cancellation,
            deadline,
            store=self._store,
            journal=self._journal,
            caller=self._caller,
            settings=self._settings,
            claims=self._claims,
            intents=self._intents,
            primitives=PERFORMERS,
            by_hand=perform,
            measured=self._measured,
        )

    def _stopped(self, mandate: str, task: asyncio.Task[MandateReply]) -> None:
        self._running.pop(mandate, None)
        if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, BatosError):
            _log.error("a mandate was left without an end", mandate=mandate, exc_info=error)

    def _tell(self, event: Event) -> None:
        running = self._running.get(event.mandate)
        if running is not None:
            if event.event not in {"piece", "sent", "progress"}:  # who comes late sees the rest of them
                running.told.append(event)
                del running.told[:-KEEP_EVENTS]
            for listener in running.listeners:
                listener(event)
