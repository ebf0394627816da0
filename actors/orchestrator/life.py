"""One mandate's life, from its acceptance to its end.

1. It stands in the journal (`inbox`). 2. It is thought through, by driving the generator of `interpreter.send` on the
world's thread and performing what it asks for. 3. `publish` commits what it changed. 4. The journal notes the end.

A world that has changed under it sends it back to 2: at once for its turn at what it has lost (`intents`), as often as
it takes until its deadline; a mandate whose thought is a cycle goes back so many times only. Finished steps are answered
from the journal, and whether a commit has happened stands in `applied`, so 2 may begin again after a crash as well.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, Final, TypeVar

import msgspec
import structlog

from actors.orchestrator import publish
from actors.orchestrator.inbox import is_same
from actors.orchestrator.journal.journal import Journal, MandateRow, expired
from actors.orchestrator.primitives.recollection import sourced
from actors.orchestrator.publish import Publication
from actors.orchestrator.thinking.author import author_of
from actors.orchestrator.thinking.cancellation import Cancellation, Deadline, late
from actors.orchestrator.thinking.claims import Claims, Joined
from actors.orchestrator.thinking.intents import Intents, QueuedTurn
from actors.orchestrator.thinking.overlay import Memo
from actors.orchestrator.thinking.session import Session
from bus.again import Again
from bus.client import Caller
from protocol import codec, verbs
from protocol.errors import BatosError
from protocol.failure import Failure, failure_of, raised_from
from protocol.messages import CatchUp, Event, Mandate, MandateReply
from protocol.messages.hand import Hand
from protocol.origin import Origin, is_same_origin
from world.store import Store, is_lost

T = TypeVar("T")
Tell = Callable[[Event], None]

_log = structlog.get_logger("orchestrator")

RETRY_S: Final = 0.2
REMEMBER_S: Final = 15.0
"""Seconds that an answer may wait for memory, which at its own start loads a model."""
TELL_S: Final = 2.0
"""Seconds in which memory is told of a failure, and of what a person has written by hand: it may learn of either later."""
MAX_CONFLICTS: Final = 3
"""So often is a thought with a cycle in it begun at most: each may cost a generation."""
BACKOFF_S: Final = 0.01
MAX_BACKOFF_S: Final = 0.5


class Life:
    """The life of one mandate, once begun by `live`. One that `is_new` cannot have been published by anybody."""

    def __init__(
        self,
        mandate: str,
        cancellation: Cancellation,
        tell: Tell,
        *,
        is_new: bool = False,
        store: Store,
        journal: Journal,
        caller: Caller,
        claims: Claims,
        intents: Intents,
        session: Callable[[MandateRow, Tell, Cancellation, Deadline], Session],
        beside: Callable[[Coroutine[Any, Any, object]], None],
        published: Callable[[Mandate], Awaitable[None]],
    ) -> None:
        """`session` opens a session of this mandate: one for each time that it is thought through.

        `beside` does what nobody awaits. `published` is called before its end, and does what follows from it; perhaps twice, where
        there was a crash in between.
        """
        self.mandate = mandate
        self.cancellation = cancellation
        self.deadline: Deadline | None = None
        self._store, self._journal, self._caller = store, journal, caller
        self._claims, self._intents = claims, intents
        self._session = session
        self._beside = beside
        self._published = published
        self._tell = tell
        self._conflicts = self._cycles_lost = 0
        self._lost_at: frozenset[str] = frozenset()
        self._number: int | None = None
        self._is_new = is_new

    async def live(self) -> MandateReply:
        """How it ends; raises the failure that ends it badly, once that is in the journal."""
        # Read here: between the row that started this and now it may have ended, or have been cancelled.
        row = await self._journal.run(lambda: self._journal.by_id(self.mandate), durable=False)
        if row is None:
            raise BatosError("UNKNOWN_CYCLE", f"the journal has forgotten mandate {self.mandate}")
        if row.state != "accepted":
            return ended(row)
        if (unreadable := _unreadable(row)) is not None:
            await self._journal.run(
                lambda: self._journal.finish(row.mandate, "failed", codec.pack(failure_of(unreadable)))
            )
            raise unreadable
        if row.cancelled is not None:
            self.cancellation.call()
        self.deadline = deadline = Deadline(row.remaining)
        while True:
            session = self._session(row, self._tell, self.cancellation, deadline)
            over: BatosError | None = None
            try:
                return await self._once(session, deadline)
            except Joined as joined:
                self._let_go()  # before waiting: nobody may wait in a circle
                await self._join(session, deadline, joined)
            except BatosError as error:
                if self._may_try_again(session, error):
                    await self._back_off(error)
                else:
                    over = await self._fail(session, error)
                    if over is None:
                        continue
                    raise over from error
            except Exception as error:
                _log.exception("a mandate failed unexpectedly", mandate=self.mandate)
                unexpected = BatosError(
                    "INTERNAL", f"{type(error).__name__}: {error}", "The orchestrator's log says more."
                )
                over = await self._fail(session, unexpected)
                if over is None:
                    continue
                raise over from error
            finally:
                await session.close()
                self._let_go(over)

    async def rest(self) -> None:
        """The process ends: note what time is left, for what is down must not cost any."""
        if self.deadline is not None:
            left = self.deadline.left()
            await self._journal.run(lambda: self._journal.spend(self.mandate, left))

    def _let_go(self, error: BatosError | None = None) -> None:
        self._intents.release(self.mandate)
        self._claims.release(self.mandate, error)

    # Again ----------------------------------------------------------------------------------------------------

    def _may_try_again(self, session: Session, error: BatosError) -> bool:
        """Whether this is no end: the store was lost, or another one was first."""
        if is_lost(error):
            return True
        if error.code != "CONFLICT":
            return False
        self._conflicts += 1
        self._cycles_lost += bool(session.begun)
        return self._cycles_lost < MAX_CONFLICTS

    async def _back_off(self, error: BatosError) -> None:
        """Wait before the next attempt where that may help; what was lost at is noted for its turn."""
        self._let_go()
        if is_lost(error):
            # Thinking is repeatable, and whether a commit happened stands in `applied`: begin again.
            _log.warning("the store is lost, trying again", mandate=self.mandate, error=error.message)
            await asyncio.sleep(RETRY_S)
            return
        oid = error.data.get("oid")
        _log.info("the world changed under a thought, thinking again", mandate=self.mandate, oid=oid)
        if isinstance(oid, str) and oid not in self._lost_at:
            self._lost_at |= {oid}
            return
        # Its turn was of no use: who has changed the object is no mandate, and may do so again.
        await asyncio.sleep(random.uniform(0, min(MAX_BACKOFF_S, BACKOFF_S * 2**self._conflicts)))  # noqa: S311

    async def _take_turn(self, session: Session, deadline: Deadline) -> None:
        """Wait for its turn where it has lost before, or where others queue with the same message."""
        intents = self._intents
        message = (session.mandate.target, session.mandate.selector)
        oids = self._lost_at | intents.wanted(message)
        if not oids:
            return
        if self._number is None:
            self._number = intents.number()
        turn = QueuedTurn(self._number, self.mandate, message, oids)
        try:
            await self.cancellation.unless(asyncio.wait_for(intents.take(turn), max(0.0, deadline.left())))
        except TimeoutError:
            raise late(deadline, "it was its turn") from None

    async def _join(self, session: Session, deadline: Deadline, joined: Joined) -> None:
        """Wait for the mandate that is at it already. Where it fails at the very same message, so does this one."""
        claim = joined.claim
        self._tell(Event(event="joined", mandate=self.mandate, detail={"mandate": claim.mandate}))
        try:
            error_there = await self.cancellation.unless(_ended_within(joined, deadline.left()))
        except BatosError as error:
            raise await self._fail(session, error) or error from error
        if error_there is None or error_there.code == "CANCELLED" or error_there.is_passing:
            return
        other = await self._journal.run(lambda: self._journal.by_id(claim.mandate), durable=False)
        if other is not None:
            theirs = codec.unpack(other.body, Mandate)
            is_ours = is_same_origin(other.origin, session.origin) and is_same(theirs, session.mandate)
            if theirs.selector == joined.selector and is_ours:
                raise await self._fail(session, error_there) or error_there

    # Once -----------------------------------------------------------------------------------------------------

    async def _once(self, session: Session, deadline: Deadline) -> MandateReply:
        done = None if self._is_new else await self._applied()
        self._is_new = False
        if done is not None:
            reply = msgspec.structs.replace(codec.unpack(done.reply, MandateReply), tid=done.tid)
            has_memos = reply.proposal is None
        else:
            self.cancellation.check()
            await self._take_turn(session, deadline)
            if deadline.left() <= 0:
                raise late(deadline, "it was thought through")
            thought = await session.think()
            self.cancellation.check()
            reply = await self._publish(session, thought)
            has_memos = bool(session.changes().outbox)
        self._intents.release(self.mandate)
        if has_memos and session.mandate.hand is not None:
            self._beside(self._catch_up(deadline, TELL_S))  # whoever writes by hand looks for it a moment later
        elif has_memos:
            reply = msgspec.structs.replace(reply, remembered=await self._catch_up(deadline, REMEMBER_S))
        await self._published(session.mandate)
        # What was published stands in `applied`, and would be found there after a power cut.
        await self._journal.run(
            lambda: self._journal.finish(self.mandate, "complete", codec.pack(reply), session.read),
            durable=reply.tid is None,
        )
        return reply

    async def _applied(self) -> publish.Applied | None:
        return await self._store.run(lambda: publish.applied(self._store.db, self.mandate))

    async def _publish(self, session: Session, reply: MandateReply) -> MandateReply:
        changes = session.changes()
        if publish.is_empty(changes) and not session.begun:
            return reply
        publication = Publication(
            mandate=self.mandate,
            selector=session.mandate.selector,
            changes=changes,
            reads=dict(session.thought.overlay.reads),
            cycles=session.begun,
            reply=codec.pack(reply),
            finished=await self._about_to_commit(session.read),
            origin=session.origin,
            **({} if session.mandate.hand is None else _by_hand(session.mandate, session.mandate.hand, session.origin)),
        )
        intents = self._intents
        written = await self._store.run(session.thought.overlay.written) if intents.taken(self.mandate) else frozenset()
        # Nothing is awaited from here to the commit: whoever gets a turn after this look thinks after this commit.
        lost = written & intents.taken(self.mandate)
        if lost:
            raise publish.changed_meanwhile(min(lost))
        session.is_committing = True
        tid = await self._store.run(lambda: publish.publish(self._store.db, publication))
        return msgspec.structs.replace(reply, tid=tid)

    async def _about_to_commit(self, read: str) -> list[str]:
        """Note what was `read`: after the commit there may be nobody left to do it. Mandates in `applied` whose end is safe."""
        known = await self._store.run(lambda: publish.applied_mandates(self._store.db))

        def note() -> list[str]:
            self._journal.note_read(self.mandate, read)
            return self._journal.are_over(known) if known else []

        return await self._journal.run(note, durable=False)

    async def _catch_up(self, deadline: Deadline, seconds: float) -> bool:
        """Let memory read the outbox; whether it has. What it could not now, it does when it is there again."""

        async def attempt(left: float) -> None:
            await self._caller.call(verbs.CATCH_UP, CatchUp(), seconds=left, causation=self.mandate)

        try:
            await Again(min(deadline.left(), seconds), is_patient=True).answer(attempt)
        except TimeoutError:
            return False
        except BatosError as error:
            _log.warning("memory did not catch up", mandate=self.mandate, code=error.code, error=error.message)
            return False
        return True

    # The end --------------------------------------------------------------------------------------------------

    async def _fail(self, session: Session, error: BatosError) -> BatosError | None:
        """Keep the diagnosis, doom what was thought, take the contexts out of the world; the error as it is told.

        None where it has not failed: its commit has happened, whatever was raised after that.
        """
        if session.is_committing:
            done = await self._patiently(lambda: publish.applied(self._store.db, self.mandate))
            if done is not None:
                return None
        # Those of a thought before a crash too: their contexts stand in the world.
        begun = await self._journal.run(lambda: self._journal.begun(self.mandate), durable=False)
        facts = {"mandate": self.mandate} | ({"cycle": begun[0]} if begun else {})
        over = {"goes_on": False, "conflicts": self._conflicts} if error.code == "TIMEOUT" else {}
        known = BatosError(error.code, error.message, error.hint, **{**error.data, **facts, **over})
        failure = failure_of(known)
        await session.doom()
        if begun:
            for cycle in begun:
                await self._journal.run(partial(self._journal.fail, cycle, codec.pack(failure)), durable=False)
            # What nobody wanted any more, or what will be otherwise in a moment, is nothing to learn from.
            memo = None if error.code == "CANCELLED" or error.is_passing else _memo(session, begun[0], error)
            await self._patiently(lambda: publish.retire(self._store.db, self.mandate, begun, memo))
            if memo is not None and self.deadline is not None:
                await self._catch_up(self.deadline, TELL_S)
        await self._journal.run(lambda: self._journal.finish(self.mandate, "failed", codec.pack(failure), session.read))
        _log.info("mandate failed", mandate=self.mandate, code=error.code, message=error.message)
        return known

    async def _patiently(self, work: Callable[[], T]) -> T:
        """`work` on the store, again for as long as the store is lost, or another one was first."""
        while True:
            try:
                return await self._store.run(work)
            except BatosError as error:
                if not is_lost(error) and error.code != "CONFLICT":
                    raise
                await asyncio.sleep(RETRY_S)


def _by_hand(mandate: Mandate, hand: Hand, origin: Origin | None) -> dict[str, str]:
    """Who publishes what was written by hand, why, and what kind of writing it was."""
    kind = str(type(hand).__struct_config__.tag)
    return {"user": "user", "author": author_of(origin), "why": mandate.intent, "hand": kind}


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
    said = f"{asked[:2000]}\n\nThis failed: {error.message}"
    return Memo(f"failure:{cycle}", said, sourced(metadata, session.thought.ledger.told))


def _unreadable(row: MandateRow) -> BatosError | None:
    """The failure of a mandate whose message the disk has damaged; without it the mandate would never end."""
    try:
        codec.unpack(row.body, Mandate)
        _ = row.origin  # without it nobody knows what the mandate may do
    except BatosError as error:
        return BatosError(
            "DAMAGED",
            f"what the journal holds of mandate {row.mandate} cannot be read: {error.message}",
            "It is given up. Send the message again under another key, and look for more: batos doctor --deep.",
            mandate=row.mandate,
        )
    return None


def ended(row: MandateRow) -> MandateReply:
    """The reply of a mandate that has ended; raises its failure."""
    if row.is_expired:
        raise expired(row.mandate, "how it ended cannot be told", "What it did stands in the world.")
    if row.reply is None:
        raise BatosError("STORAGE", f"the journal has an end without an answer for mandate {row.mandate}")
    if row.state == "complete":
        return codec.unpack(row.reply, MandateReply)
    raise raised_from(codec.unpack(row.reply, Failure))
