"""`rewind`: what a person and the mind have written since a moment is as it was then, in one transaction, or in none.

Of each object that was changed since, only the two ends count: how it was, and how it is. What memory, inference and the world's own steps have
written stays, and is named; a slot that one of those has changed is in the way.
"""

from __future__ import annotations

from typing import Final

import msgspec
from ZODB import DB

from actors.orchestrator.hand.undoing import beside
from actors.orchestrator.hand.undoing.undo import Taken, check, kernel_holds, told
from actors.orchestrator.hand.undoing.writing import Writing
from actors.orchestrator.past import kinds
from actors.orchestrator.past.changes import changed, state
from actors.orchestrator.publish import MEMOS
from actors.orchestrator.thinking.asks import Pause, Thinking
from actors.orchestrator.thinking.thought import Thought
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.messages import Blocked, Rewind, Undone
from world.past import commits, moments
from world.past.commits import Commit
from world.store import moment_of, snapshot

PAUSE_AFTER: Final = 200
"""Objects that are looked at before others may come."""


def rewind(thought: Thought, request: Rewind) -> Thinking[Value]:
    """Take all back that came after the moment, in the overlay. BLOCKED, EXPIRED, BAD_ARGUMENT."""
    found = yield from _found(thought, request)
    check(found)
    yield from kernel_holds(thought, found.taught)
    thought.overlay.take_back(rewinds=request.to)
    return msgspec.to_builtins(told(thought.overlay, found))


def planned(thought: Thought, request: Rewind) -> Thinking[Undone]:
    """What `rewind` would do, with what is in the way."""
    found = yield from _found(thought, request)
    return told(thought.overlay, found)


def _found(thought: Thought, request: Rewind) -> Thinking[Taken]:
    overlay = thought.overlay
    db = overlay.connection.db()
    moment = moments.checked(db, request.to).hex()
    since = list(commits.between(db, moment, moment_of(overlay.connection)))  # what came later is not seen here
    ours = [one for one in since if not kinds.kind_of(one).why_not and not kinds.changes_nothing(one)]
    if not ours:
        raise BatosError(
            "BAD_ARGUMENT", f"nothing that could be taken back came after {moments.told(moment)}", "See `batos log`."
        )
    others = [one for one in since if kinds.kind_of(one).why_not and kinds.kind_of(one).is_shown]
    writing = Writing(thought)
    with snapshot(db, bytes.fromhex(moment)) as then:
        states = {oid: state(then, oid) for oid in sorted({oid for one in ours for oid in one.touched or ()})}
        kept = _kept(db, others, tuple(states))
        for oid, was in states.items():
            writing.release(oid, was)
        for number, (oid, was) in enumerate(states.items(), 1):
            if number % PAUSE_AFTER == 0:
                yield Pause()
            writing.restore(oid, was, kept.get(oid, ()))
    for oid in writing.unnamed:
        if states[oid].slots is None:  # who may have come to hold it is as he was then, too
            writing.lose(oid)
    besides = beside.take_back_all(overlay, [one for one in since if one in ours or MEMOS in one.facts], moment)
    return Taken(
        undone=ours,
        blocked=[_blocked(thought, block.oid, block.slot, block.why) for block in writing.blocks],
        depends=[],
        needs={},
        forgets=besides.forgets,
        left=[*_left(others), *besides.left],
        touched=list(writing.written),
        taught=list(writing.taught),
    )


def _kept(db: DB, others: list[Commit], oids: tuple[str, ...]) -> dict[str, list[str]]:
    """The slots that were changed by what is not taken back; who does not say what he has changed is asked for all `oids`."""
    kept: dict[str, list[str]] = {}
    for one in others:
        for each in changed(db, one if one.touched is not None else msgspec.structs.replace(one, touched=oids)):
            kept.setdefault(each.oid, []).extend(each.slots)
    return kept


def _left(others: list[Commit]) -> list[str]:
    """What stays: documents by their id, everything else by what its commit says."""
    return list(dict.fromkeys(one.facts.get(kinds.DOCUMENT) or one.why for one in others))


def _blocked(thought: Thought, oid: str, slot: str, why: str) -> Blocked:
    return Blocked(tid="", object=thought.overlay.name(oid) or oid, slot=slot, why=why)
