"""The mind: every running mandate, from its acceptance to its end.

The life of a mandate: 1. it stands in the journal (`inbox`); 2. a task of its own thinks it through, by driving the
generator of `interpreter.send` on the world's thread and performing what it asks for; 3. `publish` commits what it
changed; 4. the journal notes the end, and whoever listens is told. After a crash, every mandate that the journal
holds without an end starts at 2 again: finished steps are answered from the journal, a finished commit from `applied`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

import msgspec
import structlog

from actors.orchestrator import publish
from actors.orchestrator.inbox import accept
from actors.orchestrator.journal import Journal, MandateRow
from actors.orchestrator.publish import Publication
from actors.orchestrator.thinking import Session, Thoughts
from bus.client import Caller
from protocol import codec
from protocol.errors import BatosError, Failure, raised_from
from protocol.home import Settings
from protocol.messages import Event, Mandate, MandateReply
from world.store import Store

T = TypeVar("T")

_log = structlog.get_logger("orchestrator")

RETRY_S: Final = 0.2
KEEP_EVENTS: Final = 100

Listener = Callable[[Event], None]


@dataclass(slots=True)
class Running:
    """A mandate's task, who listens to it, and what it has told so far (for a listener that joins late)."""

    task: asyncio.Task[MandateReply]
    listeners: list[Listener] = field(default_factory=list)
    told: list[Event] = field(default_factory=list)


class Mind:
    """All mandates of one orchestrator."""

    def __init__(self, store: Store, journal: Journal, caller: Caller, settings: Settings) -> None:
        self._store = store
        self._journal = journal
        self._settings = settings
        self._thoughts = Thoughts(store, journal, caller, settings)
        self._running: dict[str, Running] = {}

    async def recover(self) -> int:
        """Take up again every accepted mandate that has no end; their number."""
        rows = await self._journal.run(self._journal.unfinished)
        for row in rows:
            self._start(row)
        return len(rows)

    async def answer(self, mandate: Mandate, key: str, tell: Listener) -> MandateReply:
        """Accept `mandate`, or join the one that `key` was accepted for; its end, or at once where it is detached."""
        room = len(self._running) < self._settings.orchestrator.queue
        row = await accept(self._store, self._journal, mandate, key, room=room)
        accepted = Event(event="accepted", mandate=row.mandate)
        tell(accepted)
        if row.state != "accepted":
            return _ended(row)
        running = self._running.get(row.mandate) or self._start(row)
        if mandate.detach:
            return MandateReply(mandate=row.mandate, state="accepted")
        for event in running.told:
            tell(event)
        running.listeners.append(tell)
        try:
            # The mandate is durable: it goes on, whoever stops waiting for it.
            return await asyncio.shield(running.task)
        finally:
            running.listeners.remove(tell)

    async def close(self) -> None:
        """Stop thinking; what has no end yet goes on at the next start."""
        tasks = [running.task for running in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, row: MandateRow) -> Running:
        running = Running(asyncio.create_task(self._live(row), name=row.mandate))
        self._running[row.mandate] = running
        running.task.add_done_callback(lambda task: self._stopped(row.mandate, task))
        return running

    def _stopped(self, mandate: str, task: asyncio.Task[MandateReply]) -> None:
        self._running.pop(mandate, None)
        if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, BatosError):
            _log.error("a mandate was left without an end", mandate=mandate, exc_info=error)

    def _tell(self, event: Event) -> None:
        running = self._running.get(event.mandate)
        if running is not None:
            del running.told[:-KEEP_EVENTS]
            running.told.append(event)
            for listener in running.listeners:
                listener(event)

    async def _live(self, row: MandateRow) -> MandateReply:
        while True:
            session = self._thoughts.session(row, self._tell)
            try:
                return await self._once(session)
            except BatosError as error:
                if not _is_lost(error):
                    raise await self._fail(session, error) from error
                # Thinking is repeatable, and whether a commit happened stands in `applied`: begin again.
                _log.warning("the store is lost, trying again", mandate=row.mandate, error=error.message)
                await asyncio.sleep(RETRY_S)
            except Exception as error:
                _log.exception("a mandate failed unexpectedly", mandate=row.mandate)
                told = BatosError("INTERNAL", f"{type(error).__name__}: {error}", "The orchestrator's log says more.")
                raise await self._fail(session, told) from error
            finally:
                await session.close()

    async def _once(self, session: Session) -> MandateReply:
        mandate = session.row.mandate
        done = await self._store.run(lambda: publish.applied(self._store.db, mandate))
        if done is not None:
            reply = msgspec.structs.replace(codec.unpack(done.reply, MandateReply), tid=done.tid)
        else:
            reply = await self._publish(session, await session.think())
        await self._journal.run(lambda: self._journal.finish(mandate, "complete", codec.pack(reply)))
        return reply

    async def _publish(self, session: Session, reply: MandateReply) -> MandateReply:
        changes = session.changes()
        if publish.is_empty(changes) and not session.begun:
            return reply
        finished = await self._forgettable()
        publication = Publication(
            mandate=reply.mandate,
            selector=session.mandate.selector,
            changes=changes,
            reads=dict(session.thought.overlay.reads),
            cycles=session.begun,
            reply=codec.pack(reply),
            finished=finished,
        )
        tid = await self._store.run(lambda: publish.publish(self._store.db, publication))
        return msgspec.structs.replace(reply, tid=tid)

    async def _fail(self, session: Session, error: BatosError) -> BatosError:
        """Keep the diagnosis, doom what was thought, take the contexts out of the world; the error as it is told."""
        mandate = session.row.mandate
        facts = {"mandate": mandate} | ({"cycle": session.begun[0]} if session.begun else {})
        told = BatosError(error.code, error.message, error.hint, **{**error.data, **facts})
        failure = told.failure()
        await session.doom()
        begun = session.begun
        if begun:
            for cycle in begun:
                await self._journal.run(partial(self._journal.fail, cycle, codec.pack(failure)))
            await self._patiently(lambda: publish.retire(self._store.db, mandate, begun))
        await self._journal.run(lambda: self._journal.finish(mandate, "failed", codec.pack(failure)))
        _log.info("mandate failed", mandate=mandate, code=error.code, message=error.message)
        return told

    async def _forgettable(self) -> list[str]:
        """Mandates in `applied` whose end the journal has noted."""
        known = await self._store.run(lambda: publish.applied_mandates(self._store.db))
        return await self._journal.run(lambda: self._journal.are_finished(known)) if known else []

    async def _patiently(self, work: Callable[[], T]) -> T:
        """`work` on the store, again for as long as the store is lost."""
        while True:
            try:
                return await self._store.run(work)
            except BatosError as error:
                if not _is_lost(error):
                    raise
                await asyncio.sleep(RETRY_S)


def _is_lost(error: BatosError) -> bool:
    return error.code == "STORAGE" and bool(error.data.get("lost"))


def _ended(row: MandateRow) -> MandateReply:
    if row.reply is None:
        raise BatosError("STORAGE", f"the journal has an end without an answer for mandate {row.mandate}")
    if row.state == "complete":
        return codec.unpack(row.reply, MandateReply)
    raise raised_from(codec.unpack(row.reply, Failure))
