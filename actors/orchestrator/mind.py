"""The mind: every running mandate, from its acceptance to its end.

The life of a mandate: 1. it stands in the journal (`inbox`); 2. a task of its own thinks it through, by driving the
generator of `interpreter.send` on the world's thread and performing what it asks for; 3. `publish` commits what it
changed; 4. the journal notes the end, and whoever listens is told. A cancel is noted in the journal first, then the task
is told, so that it holds whatever is killed; what is committed already stays. After a crash, every mandate that the journal
holds without an end starts at 2 again: finished steps are answered from the journal, a finished commit from `applied`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

import msgspec
import structlog

from actors.orchestrator import publish
from actors.orchestrator.cancellation import Cancellation
from actors.orchestrator.claims import Claims, Joined
from actors.orchestrator.inbox import accept, is_same
from actors.orchestrator.journal import Journal, MandateRow
from actors.orchestrator.overlay import Memo
from actors.orchestrator.publish import Publication
from actors.orchestrator.thinking import Session, Thoughts
from bus.client import Caller
from protocol import codec
from protocol.errors import BatosError
from protocol.failure import Failure, failure_of, raised_from
from protocol.home import Settings
from protocol.messages import Cancelled, CatchUp, Event, Mandate, MandateReply, Watched
from world.store import Store

T = TypeVar("T")

_log = structlog.get_logger("orchestrator")

RETRY_S: Final = 0.2
REMEMBER_S: Final = 15.0
"""Seconds that an answer may wait for memory, which at its own start loads a model."""
TELL_S: Final = 2.0
"""Seconds that a failure may wait for it: nobody asks for what failed, so memory may learn of it later."""
MAX_CONFLICTS: Final = 3
KEEP_EVENTS: Final = 100

Listener = Callable[[Event], None]


@dataclass(slots=True)
class Running:
    """A mandate's task, who listens to it, and what it has told so far (for a listener that joins late)."""

    task: asyncio.Task[MandateReply]
    cancellation: Cancellation
    listeners: list[Listener] = field(default_factory=list)
    told: list[Event] = field(default_factory=list)


class Mind:
    """All mandates of one orchestrator."""

    def __init__(self, store: Store, journal: Journal, caller: Caller, settings: Settings) -> None:
        self._store = store
        self._journal = journal
        self._settings = settings
        self._caller = caller
        self._claims = Claims()
        self._thoughts = Thoughts(store, journal, caller, settings, self._claims)
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
        return await self._follow(running, tell)

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

    async def cancel(self, id_: str) -> Cancelled:
        """End a mandate, named by its id or by that of one of its cycles, as CANCELLED; how it has ended, if it had

        already. UNKNOWN_CYCLE where there is none.
        """
        row = await self._row(id_)
        await self._journal.run(lambda: self._journal.cancel(row.mandate))
        row = await self._row(row.mandate)
        if row.state == "accepted":
            running = self._running.get(row.mandate) or self._start(row)
            running.cancellation.call()
            with suppress(BatosError):
                await asyncio.shield(running.task)
        ended = await self._end(row.mandate)
        return Cancelled(
            mandate=ended.mandate,
            cycle=ended.cycle,
            state=ended.state,
            cancelled=ended.error is not None and ended.error.code == "CANCELLED",
        )

    async def _row(self, id_: str) -> MandateRow:
        row = await self._journal.run(lambda: self._journal.by_id(id_))
        if row is None:
            raise BatosError(
                "UNKNOWN_CYCLE", f"no cycle and no mandate is called {id_[:100]!r}", "See `batos cycle ls`."
            )
        return row

    async def _end(self, mandate: str) -> Watched:
        """How the mandate stands in the journal."""
        row = await self._row(mandate)
        cycle = await self._journal.run(lambda: self._journal.cycle(mandate))
        error = codec.unpack(row.reply, Failure) if row.state == "failed" and row.reply else None
        state = {"complete": "COMPLETE", "failed": "FAILED"}.get(row.state, row.state)
        result = codec.unpack(row.reply, MandateReply).result if row.state == "complete" and row.reply else None
        return Watched(mandate=mandate, cycle=cycle.cycle if cycle else None, state=state, error=error, result=result)

    async def close(self) -> None:
        """Stop thinking; what has no end yet goes on at the next start."""
        tasks = [running.task for running in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, row: MandateRow) -> Running:
        cancellation = Cancellation(row.mandate)
        task = asyncio.create_task(self._live(row.mandate, cancellation), name=row.mandate)
        running = Running(task, cancellation)
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
            if event.event not in {"piece", "sent"}:  # who comes late sees the rest of them
                running.told.append(event)
                del running.told[:-KEEP_EVENTS]
            for listener in running.listeners:
                listener(event)

    async def _live(self, mandate: str, cancellation: Cancellation) -> MandateReply:
        # Read here: between the row that started this and now it may have ended, or have been cancelled.
        row = await self._row(mandate)
        if row.state != "accepted":
            return _ended(row)
        if row.cancelled is not None:
            cancellation.call()
        conflicts = 0
        while True:
            session = self._thoughts.session(row, self._tell, cancellation)
            ended: BatosError | None = None
            try:
                return await self._once(session)
            except Joined as joined:
                self._claims.release(row.mandate)  # before waiting: nobody may wait in a circle
                await self._join(session, joined)
            except BatosError as error:
                conflicts += error.code == "CONFLICT"
                if error.code == "CONFLICT" and conflicts < MAX_CONFLICTS:
                    _log.info("the world changed under a thought, thinking again", mandate=row.mandate)
                elif _is_lost(error):
                    # Thinking is repeatable, and whether a commit happened stands in `applied`: begin again.
                    _log.warning("the store is lost, trying again", mandate=row.mandate, error=error.message)
                    await asyncio.sleep(RETRY_S)
                else:
                    ended = await self._fail(session, error)
                    raise ended from error
            except Exception as error:
                _log.exception("a mandate failed unexpectedly", mandate=row.mandate)
                told = BatosError("INTERNAL", f"{type(error).__name__}: {error}", "The orchestrator's log says more.")
                ended = await self._fail(session, told)
                raise ended from error
            finally:
                await session.close()
                self._claims.release(row.mandate, ended)

    async def _join(self, session: Session, joined: Joined) -> None:
        """Wait for the mandate that is at it already. Where it fails at the very same message, so does this one."""
        mandate, claim = session.row.mandate, joined.claim
        self._tell(Event(event="joined", mandate=mandate, detail={"mandate": claim.mandate}))
        left = session.row.deadline - time.time()
        try:
            error_there = await session.cancellation.unless(_ended_within(joined, left))
        except BatosError as error:
            raise await self._fail(session, error) from error
        if error_there is None or error_there.code == "CANCELLED":
            return
        other = await self._journal.run(lambda: self._journal.by_id(claim.mandate))
        if other is not None:
            theirs = codec.unpack(other.body, Mandate)
            if theirs.selector == joined.selector and is_same(theirs, session.mandate):
                raise await self._fail(session, error_there)

    async def _once(self, session: Session) -> MandateReply:
        mandate = session.row.mandate
        done = await self._store.run(lambda: publish.applied(self._store.db, mandate))
        if done is not None:
            reply = msgspec.structs.replace(codec.unpack(done.reply, MandateReply), tid=done.tid)
            has_memos = True
        else:
            session.cancellation.check()
            thought = await session.think()
            session.cancellation.check()
            reply = await self._publish(session, thought)
            has_memos = bool(session.changes().outbox)
        if has_memos:
            reply = msgspec.structs.replace(reply, remembered=await self._catch_up(session.row))
        await self._journal.run(lambda: self._journal.finish(mandate, "complete", codec.pack(reply)))
        return reply

    async def _catch_up(self, row: MandateRow, seconds: float = REMEMBER_S) -> bool:
        """Let memory read the outbox; whether it has. What it could not now, it does when it is there again."""
        until = min(row.deadline, time.time() + seconds)
        while (left := until - time.time()) > 0:
            try:
                await self._caller.call("memory", "catch_up", CatchUp(), seconds=left, causation=row.mandate)
            except BatosError as error:
                if error.code not in {"NOT_READY", "NOT_RUNNING", "BUSY"}:
                    _log.warning("memory did not catch up", mandate=row.mandate, code=error.code, error=error.message)
                    return False
                await asyncio.sleep(RETRY_S)
            else:
                return True
        return False

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
        # Those of a thought before a crash too: their contexts stand in the world.
        begun = await self._journal.run(lambda: self._journal.begun(mandate))
        facts = {"mandate": mandate} | ({"cycle": begun[0]} if begun else {})
        told = BatosError(error.code, error.message, error.hint, **{**error.data, **facts})
        failure = failure_of(told)
        await session.doom()
        if begun:
            for cycle in begun:
                await self._journal.run(partial(self._journal.fail, cycle, codec.pack(failure)))
            # What nobody wanted any more is nothing to learn from.
            memo = None if error.code == "CANCELLED" else _memo(session, begun[0], error)
            await self._patiently(lambda: publish.retire(self._store.db, mandate, begun, memo))
            if memo is not None:
                await self._catch_up(session.row, TELL_S)
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


async def _ended_within(joined: Joined, seconds: float) -> BatosError | None:
    """The error that ended the joined mandate, or None; TIMEOUT where it has no end by then."""
    done, _ = await asyncio.wait([joined.claim.ended], timeout=max(0.0, seconds))
    if not done:
        raise BatosError("TIMEOUT", f"mandate {joined.claim.mandate} is still writing {joined.selector}", "Ask again.")
    return joined.claim.ended.result()


def _memo(session: Session, cycle: str, error: BatosError) -> Memo:
    """A failed cycle as memory finds it again."""
    mandate = session.mandate
    asked = str(mandate.args[0]) if mandate.selector == "ask_" else f"{mandate.target} {mandate.selector}"
    metadata = {"kind": "failure", "cycle": cycle, "mandate": session.row.mandate, "code": error.code}
    return Memo(f"failure:{cycle}", f"{asked[:2000]}\n\nThis failed: {error.message}", metadata)


def _is_lost(error: BatosError) -> bool:
    return error.code == "STORAGE" and bool(error.data.get("lost"))


def _ended(row: MandateRow) -> MandateReply:
    if row.reply is None:
        raise BatosError("STORAGE", f"the journal has an end without an answer for mandate {row.mandate}")
    if row.state == "complete":
        return codec.unpack(row.reply, MandateReply)
    raise raised_from(codec.unpack(row.reply, Failure))
