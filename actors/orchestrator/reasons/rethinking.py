"""A mandate of the journal, thought again, and beside how it was then: the first difference, or that there is none.

What the journal does not keep any more, or the world has forgotten, is EXPIRED. It is no mandate: it has no turn and no end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import msgspec

from actors.orchestrator.deadlines import Measured
from actors.orchestrator.hand.performing import perform
from actors.orchestrator.journal.finding import is_mandate_id
from actors.orchestrator.journal.journal import CycleRow, Journal, MandateRow
from actors.orchestrator.primitives import trials
from actors.orchestrator.primitives.performers import PERFORMERS
from actors.orchestrator.reasons import waited
from actors.orchestrator.reasons.replaying import NOTHING, Asked, Replaying, Unanswered
from actors.orchestrator.reasons.waited import Once
from actors.orchestrator.thinking.cancellation import Cancellation, Deadline
from actors.orchestrator.thinking.claims import Claims
from actors.orchestrator.thinking.intents import Intents
from actors.orchestrator.thinking.overlay import Overlay
from bus.client import Caller
from protocol import codec, names
from protocol.brief import brief
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.examples import same_value
from protocol.failure import Failure
from protocol.home import Settings
from protocol.mandates import MAX_SECONDS
from protocol.messages import Mandate, MandateReply, Replay, Replayed
from protocol.messages.reasons import Difference, Ending, OtherSource
from world import root as world_root
from world.method import digest
from world.past import commits, moments
from world.store import Store

REPLAY_S: Final = 60.0
"""Seconds for all of it: no text is drawn, but each run in the jail is made again."""
MOST_STEPS: Final = 5000
MOST_SOURCES: Final = 16
_NEW: Final[Value] = {"a new object": None}
_END: Final = "the end"


class Rethought(msgspec.Struct, frozen=True):
    """A thought that was thought again: how it ended, None where it has `stopped`, and what it has `asked` on the way."""

    row: MandateRow
    mandate: Mandate
    cycle: str | None
    then: Ending
    now: Ending | None
    session: Replaying
    is_same_end: bool
    stopped: Difference | None

    @property
    def asked(self) -> list[Asked]:
        return self.session.asked


class Rethinking:
    """Thinks mandates of a journal again, over its world."""

    def __init__(self, store: Store, journal: Journal, caller: Caller, settings: Settings) -> None:
        self._store, self._journal, self._caller, self._settings = store, journal, caller, settings

    async def run(self, request: Replay, cancelled: asyncio.Event) -> Replayed:
        """The trace of now and the first difference. UNKNOWN_CYCLE, EXPIRED, REFUSED where a source does not pass the gates."""
        began = time.monotonic()
        if len(request.sources) > MOST_SOURCES:
            raise BatosError("BAD_ARGUMENT", f"{len(request.sources)} other sources, at most {MOST_SOURCES}")
        for other in request.sources:
            names.check_selector(other.selector)
        row = await self._journal.run(lambda: row_of(self._journal, request.id), durable=False)
        begun = await self._journal.run(lambda: self._journal.begun(row.mandate), durable=False)
        asked = next((one for one in begun if one.startswith(request.id.lower())), None)
        found = await self.think(row, request.sources, cancelled, asked)
        row, session = found.row, found.session
        return Replayed(
            mandate=row.mandate,
            cycle=found.cycle,
            target=found.mandate.target,
            selector=found.mandate.selector,
            tid=str(row.read),
            time=commits.time_of(str(row.read)),
            same=(difference := _first(found)) is None,
            steps=session.steps[:MOST_STEPS],
            total=len(session.steps),
            then=found.then,
            now=found.now,
            difference=difference,
            stopped=found.stopped,
            sources=[
                {"name": other.name, "selector": other.selector, "sha256": digest(other.source)}
                for other in request.sources
            ],
            seconds=round(time.monotonic() - began, 3),
        )

    async def think(
        self,
        row: MandateRow,
        sources: Sequence[OtherSource] = (),
        cancelled: asyncio.Event | None = None,
        cycle: str | None = None,
    ) -> Rethought:
        """Think it again, within `REPLAY_S`: as it was thought last, or when `cycle` ran."""
        try:
            return await asyncio.wait_for(self._think(row, sources, cancelled or asyncio.Event(), cycle), REPLAY_S)
        except TimeoutError:
            raise BatosError(
                "TIMEOUT", f"mandate {row.mandate} was not thought again within {REPLAY_S:g} s", "See `batos status`."
            ) from None

    async def once(self, row: MandateRow, cycle: str | None) -> Once:
        """The mandate as it was thought last, or when `cycle` ran. EXPIRED."""
        check_kept(row)
        journal, of = self._journal, await self._times(row)
        return await journal.run(lambda: waited.chosen(journal, row, of, ending_of(row), cycle), durable=False)

    async def waited(self, row: MandateRow) -> list[str]:
        """A cycle for each time that the mandate was thought before the last one, the first time first."""
        found = {read: cycle for cycle, read in (await self._times(row)).items()}
        return [found[read] for read in sorted(found)]

    async def _times(self, row: MandateRow) -> dict[str, str]:
        journal, db = self._journal, self._store.db

        def begun() -> list[CycleRow]:
            return [one for one in map(journal.cycle, journal.begun(row.mandate)) if one is not None]

        cycles = await journal.run(begun, durable=False)
        return await self._store.read(lambda: waited.times(db, row, cycles))

    async def _think(
        self, row: MandateRow, sources: Sequence[OtherSource], cancelled: asyncio.Event, cycle: str | None
    ) -> Rethought:
        journal = self._journal
        once = await self.once(row, cycle)
        row, then = once.row, once.then
        await self._store.run(lambda: moments.checked(self._store.db, str(row.read)), again=True)
        has_replies = await journal.run(lambda: journal.finding.has_replies(row.mandate), durable=False)
        session = self._session(row)
        session.compare(once.trace, sources)
        leaving = asyncio.create_task(cancelled.wait())
        leaving.add_done_callback(lambda _: session.cancellation.call())
        is_same_end = False
        now: Ending | None = None
        stopped: Difference | None = None
        try:
            ending = await self._ending(session, then)
            is_same_end = await self._store.run(lambda: _same_end(session.thought.overlay, then, ending))
            now = await self._store.run(lambda: _shown(session.thought.overlay, ending))
        except Unanswered as unanswered:
            ask = unanswered.ask
            is_new = bool(sources) and (session.difference is not None or session.sent_then(ask.path) == NOTHING)
            if not (has_replies or is_new):
                raise _expired(f"the journal keeps nothing of what mandate {row.mandate} was answered") from None
            told_now = f"{ask.verb.service}.{ask.verb.name}, to which the journal has no reply"
            stopped = Difference(path=ask.path, then=session.sent_then(ask.path), now=told_now)
        finally:
            leaving.cancel()
            await session.close()
        return Rethought(row, session.mandate, once.cycle, then, now, session, is_same_end, stopped)

    async def _ending(self, session: Replaying, then: Ending) -> Ending:
        try:
            return _of_reply(await session.think())
        except BatosError as error:
            is_ours = error.code == "CANCELLED" or (error.is_passing and error.code != then.code)
            if is_ours or session.is_refused:
                raise
            return Ending(state="FAILED", code=error.code, message=error.message)

    def _session(self, row: MandateRow) -> Replaying:
        return Replaying(
            row,
            lambda _: None,
            Cancellation(row.mandate),
            Deadline(MAX_SECONDS),
            store=self._store,
            journal=self._journal,
            caller=self._caller,
            settings=self._settings,
            claims=Claims(),
            intents=Intents(),
            primitives=PERFORMERS,
            by_hand=perform,
            measured=Measured(),
        )


def row_of(journal: Journal, asked: str) -> MandateRow:
    """The mandate with this id, or that of the cycle with this id, or the only one that begins so. UNKNOWN_CYCLE, EXPIRED."""
    row = journal.by_id(asked)
    if row is not None:
        return row
    oldest = journal.finding.oldest()
    if is_mandate_id(asked) and (oldest is None or asked.upper() < oldest):
        raise _expired(f"the journal has no mandate as old as {asked}")
    raise BatosError(
        "UNKNOWN_CYCLE", f"no cycle and no mandate is called {asked[:100]!r}", "See `batos cycle ls`, or `batos log`."
    )


def check_kept(row: MandateRow) -> None:
    """BAD_ARGUMENT for a mandate that goes on still, EXPIRED for one of which too little is known."""
    if row.state == "accepted" or (row.body and row.reply is None):
        raise BatosError(
            "BAD_ARGUMENT", f"mandate {row.mandate} has not ended yet", f"Follow it: `batos cycle watch {row.mandate}`."
        )
    if not row.body:
        raise _expired(f"of mandate {row.mandate} the journal keeps digests alone")
    if not row.read:
        raise _expired(f"nobody has noted in which moment of the world mandate {row.mandate} was thought")


def ending_of(row: MandateRow) -> Ending:
    """How a mandate has ended, as the journal has it."""
    if row.state == "failed":
        failure = codec.unpack(row.reply or b"", Failure)
        return Ending(state="FAILED", code=failure.code, message=failure.message)
    return _of_reply(codec.unpack(row.reply or b"", MandateReply))


def _of_reply(reply: MandateReply) -> Ending:
    sha256 = reply.method.sha256 if reply.method is not None else None
    return Ending(state=reply.state, result=reply.result, sha256=sha256)


def _first(found: Rethought) -> Difference | None:
    """The first difference: in the trace, or where it stopped, or in how it ended."""
    session = found.session
    if session.difference is not None or found.stopped is not None:
        return session.difference or found.stopped
    if (path := session.missing) is not None:
        return Difference(path=path, then=session.sent_then(path), now=NOTHING)
    if found.now is None or found.is_same_end:
        return None
    return Difference(path=_END, then=_told(found.then), now=_told(found.now))


def _told(end: Ending) -> str:
    if end.code:
        return f"{end.code}: {end.message}"
    written = f" by {end.sha256[:12]}" if end.sha256 else ""
    return f"{end.state}{written}: {brief(end.result)}"


def _same_end(overlay: Overlay, then: Ending, now: Ending) -> bool:
    """Whether two ends are the same. An object that was made has another OID each time."""
    same = (then.state, then.code, then.message, then.sha256) == (now.state, now.code, now.message, now.sha256)
    return same and same_value(_without_new(overlay, then.result), _without_new(overlay, now.result))


def _shown(overlay: Overlay, end: Ending) -> Ending:
    return msgspec.structs.replace(end, result=trials.told(overlay, end.result))


def _without_new(overlay: Overlay, value: Value) -> Value:
    if isinstance(value, Ref):
        return _NEW if overlay.is_fresh(value.oid) or not _is_known(overlay, value.oid) else value
    if isinstance(value, list):
        return [_without_new(overlay, item) for item in value]
    if isinstance(value, dict):
        return {key: _without_new(overlay, item) for key, item in value.items()}
    return value


def _is_known(overlay: Overlay, oid: str) -> bool:
    try:
        world_root.get(overlay.connection, oid)
    except BatosError:
        return False
    return True


def _expired(what: str) -> BatosError:
    return BatosError(
        "EXPIRED",
        f"{what}, so it cannot be thought again",
        "`batos cycle show` has what is left of its trace. `keep` in batos.toml says how long all of it is kept.",
    )
