"""`undo`: what commits did is taken back, slot by slot, in a new transaction; refused where a slot has changed since.

What stands on what goes is told. With `cascade` it goes along, and so does what has changed a slot since: the newest first, until
nothing is in the way, or what is in the way cannot be taken back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from ZODB import DB

from actors.orchestrator.hand import uses
from actors.orchestrator.hand.rehearsing import rehearse
from actors.orchestrator.hand.undoing import beside
from actors.orchestrator.hand.undoing.writing import Block, Writing, seen
from actors.orchestrator.past import kinds
from actors.orchestrator.past.changes import Changed, changed, state
from actors.orchestrator.publish import UNDOES
from actors.orchestrator.thinking.asks import Thinking
from actors.orchestrator.thinking.overlay import Overlay
from actors.orchestrator.thinking.thought import Thought
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.messages import Blocked, Undo, Undone
from world import root as world_root
from world.finding import mentions, reach
from world.method import UvmMethod
from world.past import commits, moments
from world.past.commits import Commit
from world.store import moment_of
from world.uvm import UvmObject
from world.values import oid_of

TOLD: Final = 20
LOOKED: Final = 200
"""Later commits of an object among which the one is looked for that has changed a slot."""


class Taken(msgspec.Struct):
    """What came of taking `undone` back. `needs` are the commits that would have to go too."""

    undone: list[Commit]
    blocked: list[Blocked]
    depends: list[str]
    needs: dict[str, None]
    forgets: list[str]
    left: list[str]
    touched: list[str]
    taught: list[str]


def undo(thought: Thought, request: Undo) -> Thinking[Value]:
    """Take the commits back, in the overlay. BLOCKED, IN_USE, BAD_ARGUMENT."""
    found = yield from _found(thought, request)
    check(found)
    yield from kernel_holds(thought, found.taught)
    thought.overlay.take_back(undoes=[one.tid for one in found.undone])
    return msgspec.to_builtins(told(thought.overlay, found))


def planned(thought: Thought, request: Undo) -> Thinking[Undone]:
    """What `undo` would do, with what is in the way."""
    found = yield from _found(thought, request)
    return told(thought.overlay, found)


def check(found: Taken) -> None:
    """BLOCKED where something is in the way, IN_USE where something stands on what goes."""
    if found.blocked:
        first = found.blocked[0]
        more = f", and {len(found.blocked) - 1} more" if len(found.blocked) > 1 else ""
        by = f" (by {first.by})" if first.by else ""
        raise BatosError(
            "BLOCKED",
            f"{first.object}.{first.slot} is in the way: {first.why}{by}{more}",
            "Take that back too, the newest first: --cascade. `--dry-run` lists all."
            if first.by
            else "`batos diff` shows it.",
            blocked=[msgspec.to_builtins(one) for one in found.blocked[:TOLD]],
            count=len(found.blocked),
        )
    if found.depends:
        more = f" and {len(found.depends) - TOLD} more" if len(found.depends) > TOLD else ""
        raise BatosError(
            "IN_USE",
            f"what would go is in use: {', '.join(found.depends[:TOLD])}{more}",
            "Take these back too: --cascade. What came by no commit of its own is changed by hand: `batos set`, `drop`.",
            depends=found.depends[:TOLD],
            count=len(found.depends),
        )


def told(overlay: Overlay, found: Taken) -> Undone:
    """What was found, as it is shown."""
    objects = [Changed(oid, state(overlay.connection, oid), seen(overlay, oid)) for oid in found.touched]
    return Undone(
        undone=[one.tid for one in found.undone],
        blocked=found.blocked,
        objects=[one.told() for one in objects if one.is_any],
        depends=found.depends,
        forgets=found.forgets,
        left=found.left,
    )


def kernel_holds(thought: Thought, oids: Iterable[str]) -> Thinking[None]:
    """A kernel whose methods were put back still answers: a message and a question are tried."""
    for oid in oids:
        if thought.overlay.is_kernel(oid):
            yield from rehearse(thought, oid)


def _found(thought: Thought, request: Undo) -> Thinking[Taken]:
    overlay, db = thought.overlay, thought.overlay.connection.db()
    wanted = {tid: undoable(db, tid) for tid in request.tids}
    while True:
        mark = thought.overlay.push()
        found = yield from _tried(thought, sorted(wanted.values(), key=lambda one: one.tid, reverse=True))
        if not found.undone and not found.blocked and not found.depends:
            raise _done(overlay, next(iter(wanted.values())))
        more = [tid for tid in found.needs if tid not in wanted] if request.cascade else []
        if not more:
            thought.overlay.merge()
            return found
        thought.overlay.restore(mark)
        for tid in more:
            one = commits.at(db, tid)
            if one is None or kinds.kind_of(one).why_not:
                why = "it is gone" if one is None else kinds.kind_of(one).why_not
                blocked = Blocked(tid=tid, object=tid, slot="", why=f"{tid} would have to go too, and {why}")
                return msgspec.structs.replace(found, blocked=[blocked])
            wanted[tid] = one


def undoable(db: DB, tid: str) -> Commit:
    """The commit, which must be one that can be taken back. BAD_ARGUMENT, EXPIRED."""
    moments.checked(db, tid)
    one = commits.at(db, tid)
    if one is None:
        raise BatosError(
            "BAD_ARGUMENT", f"this world has no commit {tid}", "`batos log` lists them; is it another home's?"
        )
    kind = kinds.kind_of(one)
    if kind.why_not or kinds.changes_nothing(one):
        why = kind.why_not or "it changed nothing that could be"
        raise BatosError(
            "BAD_ARGUMENT", f"{tid} ({one.why}) cannot be taken back: {why}", kind.instead or "See `batos log`."
        )
    return one


def _done(overlay: Overlay, one: Commit) -> BatosError:
    """That nothing is left to take back, and who has done it."""
    later = [each for oid in (one.touched or ())[:1] for each in _writers(overlay, oid)]
    by = next((each.tid for each in later if one.tid in kinds.listed(each, UNDOES)), "")
    said = f": {by} took it back" if by else ""
    hint = f"To have it again, take that back: `batos undo {by}`." if by else "See `batos diff`."
    return BatosError("BAD_ARGUMENT", f"nothing is left of {one.tid} ({one.why}){said}", hint)


def _tried(thought: Thought, wanted: list[Commit]) -> Thinking[Taken]:
    overlay = thought.overlay
    db = overlay.connection.db()
    writing = Writing(thought)
    found = Taken([], [], [], {}, [], [], [], [])
    for one in wanted:
        blocks, before = len(writing.blocks), sum(writing.written.values())
        for each in changed(db, one):
            writing.inverse(each)
        besides = beside.take_back(overlay, one)
        found.forgets += besides.forgets
        found.left += besides.left
        for block in writing.blocks[blocks:]:
            by = _changer(db, overlay, one, block)
            found.blocked.append(_blocked(overlay, one, block, by))
            if by:
                found.needs[by] = None
        if sum(writing.written.values()) > before or len(writing.blocks) > blocks or any(besides):
            found.undone.append(one)
    found.touched, found.taught = list(writing.written), list(writing.taught)
    yield from _depend(thought, writing, found, {one.tid for one in wanted})
    return found


def _blocked(overlay: Overlay, one: Commit, block: Block, by: str) -> Blocked:
    name = overlay.name(block.oid) or block.oid
    return Blocked(tid=one.tid, object=name, slot=block.slot, by=by, why=block.why)


def _changer(db: DB, overlay: Overlay, one: Commit, block: Block) -> str:
    """The last commit after `one` that has changed a slot; "" where it is not found."""
    for later in _writers(overlay, block.oid):
        if later.tid <= one.tid:
            break
        for each in changed(db, later):
            if each.oid == block.oid and (block.slot in each.slots or each.before.name != each.after.name):
                return later.tid
    return ""


def _writers(overlay: Overlay, oid: str) -> list[Commit]:
    """The last commits that have written an object, the newest first, of those that are seen here."""
    connection = overlay.connection
    here, moment = world_root.get(connection, oid), moment_of(connection)
    found = commits.of_object(connection.db(), (oid, oid_of(here._slots)), LOOKED)
    return [one for one in found if one.tid <= moment]


def _depend(thought: Thought, writing: Writing, found: Taken, wanted: set[str]) -> Thinking[None]:
    """Who sends a method that goes, and came after it; and who refers to an object that loses its name."""
    overlay = thought.overlay
    connection = overlay.connection
    oldest = min(wanted)
    for oid, selector in writing.gone:
        if overlay.lookup(oid, selector) is not None:
            continue
        for here, method in mentions.using(connection, selector):
            place = (oid_of(here), method.selector)
            since = method._p_serial.hex()
            if place != (oid, selector) and place not in writing.gone and since > oldest:
                found.depends.append(f"{here._name or place[0]}.{method.selector}")
                found.needs[since] = None
    using = (yield from uses.of_objects(connection, writing.unnamed)) if writing.unnamed else {}
    for oid, held in using.items():
        stay = [place for place in held.places if not _goes(overlay, place, oid, writing)]
        found.depends += [place.label for place in stay]
        found.needs.update(dict.fromkeys(filter(None, (_referred(overlay, place, oldest) for place in stay))))
        if not stay:
            writing.lose(oid)


def _referred(overlay: Overlay, place: uses.Holding, oldest: str) -> str:
    """The commit after `oldest` by which a slot has come to refer to what it does; "" where there is none."""
    db = overlay.connection.db()
    for later in _writers(overlay, place.holder):
        if later.tid <= oldest:
            break
        if any(one.oid == place.holder and place.slot in one.slots for one in changed(db, later)):
            return later.tid
    return ""


def _goes(overlay: Overlay, place: uses.Holding, oid: str, writing: Writing) -> bool:
    """Whether what refers to an object loses its own name here too, or refers to it no longer."""
    return place.holder in writing.unnamed or not _refers(overlay.own(place.holder).get(place.slot), oid)


def _refers(value: Any, oid: str) -> bool:
    if isinstance(value, UvmMethod):
        return any(isinstance(one, UvmObject) and oid_of(one) == oid for one in reach.within(value.examples))
    if isinstance(value, (list, dict)):
        return any(_refers(item, oid) for item in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, Ref) and value.oid == oid
