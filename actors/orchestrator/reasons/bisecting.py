"""`bisect`: the commit after which a message was answered otherwise, found by trying it in moments of the past.

Both ends are tried first: where one of them is not as it was said to be, there is nothing to be found. Then the list of commits between
them is halved. A moment in which the object was not there, or did not understand the message, is not as expected; one in which the
message cannot be tried is passed over. It is no mandate, and writes nothing.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import Final

import msgspec
from ZODB import DB

from actors.orchestrator.past.changes import changed
from actors.orchestrator.publish import ORIGIN
from actors.orchestrator.reasons.halving import Halving
from actors.orchestrator.reasons.trying import Outcome, TriedCall, Trying
from bus.client import Caller
from protocol import codec, names
from protocol.brief import brief
from protocol.errors import BatosError
from protocol.examples import same_value
from protocol.home import Settings
from protocol.messages import Bisect, Bisected, BisectProgress
from protocol.messages.reasons import TriedMoment
from world.past import commits, moments
from world.past.commits import Commit
from world.store import Store

BISECT_S: Final = 60.0
"""Seconds for all of it."""
ENDS: Final = 2
MOST_CHANGED: Final = 20
MOST_TOLD: Final = 20_000
"""Bytes of an answer that is told of each trial. A value has up to a mebibyte, and a reply has room for a few of those alone."""


class Bisecting:
    """One search. `tell` hears of each trial, `is_wanted` is asked before each."""

    def __init__(
        self,
        store: Store,
        caller: Caller,
        settings: Settings,
        tell: Callable[[BisectProgress], None],
        is_wanted: Callable[[], bool],
    ) -> None:
        self._store = store
        self._trying = Trying(store, caller, settings)
        self._tell, self._is_wanted = tell, is_wanted
        self._trials: list[TriedMoment] = []
        self._total = ENDS

    async def run(self, request: Bisect) -> Bisected:
        """The commit. BAD_ARGUMENT for ends that are none, TRIAL_SEND where an end cannot be tried, TIMEOUT, EXPIRED."""
        names.check_selector(request.selector)
        codec.encode([request.args, request.kwargs, request.expect])
        try:
            return await asyncio.wait_for(self._find(request), BISECT_S)
        except TimeoutError:
            raise BatosError(
                "TIMEOUT",
                f"the commit was not found within {BISECT_S:g} s, after {len(self._trials)} trials",
                "Give ends that lie nearer to each other (--good, --bad).",
                trials=[moment.tid for moment in self._trials],
            ) from None

    async def _find(self, request: Bisect) -> Bisected:
        began = time.monotonic()
        db = self._store.db
        first, last = await self._store.read(lambda: _moments(db, request))
        good, bad = await self._ends(request, first, last)
        found = await self._store.read(lambda: _candidates(db, first, last))
        self._total = ENDS + math.ceil(math.log2(max(1, len(found))))
        halving = Halving(len(found))
        before, after = good, bad
        while (at := halving.next()) is not None:
            moment = await self._try(request, bytes.fromhex(found[at].tid), halving.bad - halving.good)
            halving.note(at, moment.as_expected)
            before = moment if halving.good == at else before
            after = moment if halving.bad == at else after
        culprit = found[halving.bad]
        return Bisected(
            tid=culprit.tid,
            time=culprit.time,
            author=culprit.facts.get(ORIGIN) or culprit.user,
            why=culprit.why,
            cycle=culprit.facts.get("cycle"),
            good=good,
            bad=bad,
            before=before,
            after=after,
            trials=self._trials,
            untried=[found[at].tid for at in halving.between],
            commits=len(found),
            changed=await self._store.read(lambda: [one.told() for one in changed(db, culprit)[:MOST_CHANGED]]),
            seconds=round(time.monotonic() - began, 3),
        )

    async def _ends(self, request: Bisect, first: bytes, last: bytes) -> tuple[TriedMoment, TriedMoment]:
        """What both ends answer; an error where they are not what they were said to be."""
        good = await self._try(request, first, 0)
        bad = await self._try(request, last, 0)
        if good.code == bad.code == "UNKNOWN_OBJECT":
            raise BatosError("UNKNOWN_OBJECT", bad.message, "`batos ls` has the names; `batos log` what became of one.")
        facts = {"good": _facts(good), "bad": _facts(bad)}
        for word, moment in (("good", good), ("bad", bad)):
            if moment.as_expected is None:
                raise BatosError("TRIAL_SEND", f"the {word} end cannot be tried: {moment.message}", _CANNOT, **facts)
        told = f"the good end {answered(good)}, the bad end {answered(bad)}"
        if not good.as_expected:
            raise BatosError(
                "BAD_ARGUMENT",
                f"the good end does not answer {brief(request.expect)}: {told}",
                "Give a --good at which it was right, or another --expect. `batos log OBJECT` has the moments.",
                **facts,
            )
        if bad.as_expected:
            raise BatosError(
                "BAD_ARGUMENT",
                f"the bad end answers {brief(request.expect)} too: {told}",
                "Nothing is broken between them. Give a --bad at which it was wrong.",
                **facts,
            )
        return good, bad

    async def _try(self, request: Bisect, tid: bytes, left: int) -> TriedMoment:
        if not self._is_wanted():
            raise BatosError("CANCELLED", "nobody waits for this search any more", "Nothing was written.")
        call = TriedCall(request.target, request.selector, request.args, request.kwargs)
        moment = _moment(tid, await self._trying.at(tid, call), request)
        self._trials.append(_listed(moment))
        self._tell(BisectProgress(done=len(self._trials), total=self._total, left=left, moment=moment))
        return moment


def _moments(db: DB, request: Bisect) -> tuple[bytes, bytes]:
    """The last transactions that are not after the two ends. BAD_ARGUMENT where good is not before bad; EXPIRED."""
    first = moments.checked(db, request.good)
    last = bytes(db.lastTransaction()) if request.bad is None else moments.checked(db, request.bad)
    if first >= last:
        raise BatosError(
            "BAD_ARGUMENT",
            "the good moment is not before the bad one",
            "Give --good a moment at which the answer was right, and --bad a later one (default: now).",
        )
    return first, last


def _candidates(db: DB, first: bytes, last: bytes) -> list[Commit]:
    """The commits between, the oldest first; of those that say it, only such as have changed an object."""
    every = list(commits.between(db, first.hex(), last.hex()))[::-1]
    return [one for one in every if one.touched != ()] or every


_CANNOT: Final = (
    "What asks inference or memory has no answer from then. Bisect a message that it sends, or one that only computes."
)


def answered(moment: TriedMoment) -> str:
    """What a moment has answered, in a few words."""
    return f"fails ({moment.code}: {moment.message})" if moment.code else f"answers {brief(moment.returns)}"


def _moment(tid: bytes, outcome: Outcome, request: Bisect) -> TriedMoment:
    at = commits.time_of(tid.hex())
    if outcome.error is None:
        as_expected = same_value(outcome.value, request.expect)
        return TriedMoment(tid=tid.hex(), time=at, as_expected=as_expected, returns=outcome.value)
    told = outcome.error
    known = None if outcome.is_untried else False
    return TriedMoment(tid=tid.hex(), time=at, as_expected=known, code=told.code, message=told.message)


def _listed(moment: TriedMoment) -> TriedMoment:
    """One of many: without its answer, where that is long."""
    is_long = moment.returns is not msgspec.UNSET and len(codec.encode(moment.returns)) > MOST_TOLD
    return msgspec.structs.replace(moment, returns=msgspec.UNSET) if is_long else moment


def _facts(moment: TriedMoment) -> dict[str, object]:
    told = {"returns": moment.returns} if not moment.code else {"code": moment.code, "message": moment.message}
    return {"tid": moment.tid, "as_expected": moment.as_expected, **told}
