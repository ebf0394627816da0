"""Looking at the world and at the trace of cycles, and making an object by hand; no thinking here."""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from typing import Any, Final

import msgspec
from ZODB.Connection import Connection
from ZODB.POSException import POSKeyError

from actors.orchestrator.journal.journal import CycleRow, Journal, VerdictRow
from actors.orchestrator.publish import MAKES, ORIGIN
from actors.orchestrator.thinking.author import author_of
from protocol import codec, names
from protocol.codec import Ref, Value
from protocol.envelope import check_key
from protocol.errors import BatosError
from protocol.failure import Failure
from protocol.messages import (
    Created,
    CyclesReply,
    CycleStory,
    CycleSummary,
    Look,
    Looked,
    Mandate,
    MethodView,
    New,
    Source,
    SourceText,
    Stay,
)
from protocol.origin import Origin
from world import root as world_root
from world.method import UvmMethod
from world.past.moments import world_at
from world.store import Store, commit, snapshot
from world.uvm import UvmObject, lookup
from world.values import NotPlain, oid_of, persistent, plain

MAX_PAGE: Final = 1000
ASK: Final = "ask_"
PAGE_BYTES: Final = 4 << 20
"""A page ends where the next entry would make it larger, so that it always fits into a frame."""
KEY_DATA: Final = "key"
REQUEST_DATA: Final = "request"
"""Under these names the transaction that makes an object says for which key, and for which request (sha256)."""


def look(store: Store, request: Look) -> Looked:
    """A page of an object as it stands, or as it stood after transaction `at`; the root lists objects by name."""
    if not 1 <= request.limit <= MAX_PAGE:
        raise BatosError("BAD_ARGUMENT", f"a page of {request.limit} entries", f"Give 1 to {MAX_PAGE}.")
    with world_at(store.db, request.at) as connection:
        try:
            if _is_root(connection, request.target):
                return _look_root(connection, request)
            return _view(connection, world_root.resolve(connection, request.target), request)
        except (KeyError, POSKeyError) as error:
            raise BatosError("UNKNOWN_OBJECT", f"there was no {request.target!r} at that moment") from error


def source(store: Store, request: Source) -> SourceText:
    """The method that `selector` means, or meant, for the target, wherever it inherits it from."""
    with world_at(store.db, request.at) as connection:
        try:
            target = world_root.resolve(connection, request.target)
        except (KeyError, POSKeyError) as error:
            raise BatosError("UNKNOWN_OBJECT", f"there was no {request.target!r} at that moment") from error
        found = lookup(target, request.selector)
        if found is None or not isinstance(found.value, UvmMethod):
            raise BatosError(
                "UNKNOWN_METHOD",
                f"{request.target} understands no {request.selector[:100]}",
                f"Have it written: `batos learn {request.target} {request.selector[:100]}`, or send it.",
            )
        holder = found.holder._name or oid_of(found.holder)
        return SourceText(selector=request.selector, holder=holder, method=_method(found.value))


def create(store: Store, request: New, key: str = "", origin: Origin | None = None) -> Created:
    """A new object of the user; NAME_TAKEN where the name means something already.

    The transaction carries the `key`, so that whoever has lost the answer asks again under it and has the same one:
    nothing else remembers a key, and nothing has to be forgotten. CONFLICT where the key made another object of that
    name, or somebody else's; who asks, `origin`, stands there too.
    """
    names.check_object(request.name)
    for name in request.slots:
        names.check_slot(name)
    codec.encode(request.slots)
    check_key(key)
    asked_by = author_of(origin)
    digest = hashlib.sha256(codec.pack([request, asked_by, origin.token] if origin else request)).hexdigest()
    before = _made_before(store, request.name, key, digest)
    if before is not None:
        return before
    facts = {ORIGIN: asked_by, MAKES: request.name, **({KEY_DATA: key, REQUEST_DATA: digest} if key else {})}
    with commit(store.db, user="user", description=f"new {request.name}", facts=facts) as connection:
        root = connection.root()
        if world_root.is_taken(root, request.name):
            raise world_root.taken(request.name)
        parent = world_root.resolve(connection, request.parent or "traits_obj")

        def resolve(ref: Ref) -> UvmObject:
            return world_root.get(connection, ref.oid)

        def find(named: str) -> Ref:
            return Ref(oid_of(world_root.resolve(connection, named)))

        made = UvmObject(request.name)
        made.set_slot("parent*", parent)
        for name, value in request.slots.items():
            made.set_slot(name, persistent(codec.resolved(value, find), resolve))
        connection.add(made)
        root["objects"][request.name] = made
        oid = oid_of(made)
    with snapshot(store.db) as connection:
        return _created(world_root.get(connection, oid))


def _made_before(store: Store, name: str, key: str, digest: str) -> Created | None:
    """The answer that this `key` had before, if it has made the object called `name`."""
    with snapshot(store.db) as connection:
        stands = connection.root()["objects"].get(name)
        if not key or not isinstance(stands, UvmObject):
            return None
        made = _created(stands)
    # An object's own record is written when it is made, and what it holds later stands in its slots'.
    (commit_,) = store.db.history(bytes.fromhex(made.oid), 1)
    if commit_.get(KEY_DATA) != key:
        return None
    if commit_.get(REQUEST_DATA) != digest:
        raise BatosError(
            "CONFLICT",
            f"the key {key!r} has made another {name}",
            "Use a key once, for one object; leave --key away to get a new one.",
        )
    return made


def _created(stored: UvmObject) -> Created:
    stored._p_activate()
    return Created(name=stored._name or "", oid=oid_of(stored), tid=stored._p_serial.hex())


def cycles(journal: Journal, id_: str | None, limit: int) -> CyclesReply:
    """The latest cycles, or the story of one."""
    if id_ is None:
        return CyclesReply(
            cycles=[_summary(row, _question(journal, row), _asked_by(journal, row)) for row in journal.cycles(limit)]
        )
    row = journal.cycle(id_)
    if row is None:
        raise BatosError(
            "UNKNOWN_CYCLE", f"no cycle and no mandate with a cycle is called {id_[:100]!r}", "See `batos cycle ls`."
        )
    mandate = journal.by_id(row.mandate)
    story = CycleStory(
        is_expired=mandate is not None and mandate.is_expired,
        cycle=row.cycle,
        mandate=row.mandate,
        state=row.state,
        steps=journal.steps(row.cycle),
        verdicts=[_verdict(verdict, row) for verdict in journal.verdicts(row.cycle)],
        error=codec.unpack(row.error, Failure) if row.error else None,
        selector=row.selector,
        target=row.target,
        states=_stays(row, journal.transitions(row.cycle)),
        seconds=_since(row.started, row.ended),
        caused=[other.cycle for other in journal.caused(row.cycle)],
        question=_question(journal, row),
        asked_by=_asked_by(journal, row),
    )
    return CyclesReply(cycles=[_summary(row, story.question, story.asked_by)], story=story)


def named(store: Store, reply: CyclesReply) -> CyclesReply:
    """`reply` with the names that the objects of the cycles have now."""
    found: dict[str, str] = {}
    with snapshot(store.db) as connection:
        for oid in {one.target for one in reply.cycles}:
            with suppress(BatosError):  # it may be gone
                found[oid] = world_root.get(connection, oid)._name or ""
    cycles = [msgspec.structs.replace(one, name=found.get(one.target, "")) for one in reply.cycles]
    story = reply.story and msgspec.structs.replace(reply.story, name=found.get(reply.story.target, ""))
    return CyclesReply(cycles=cycles, story=story)


def _question(journal: Journal, row: CycleRow) -> str:
    """What was asked, where the cycle answers a question of somebody's."""
    mandate = journal.by_id(row.mandate) if row.selector == ASK else None
    asked = codec.unpack(mandate.body, Mandate) if mandate is not None and not mandate.is_expired else None
    is_this = asked is not None and asked.selector == ASK and asked.args
    return str(asked.args[0]) if asked is not None and is_this else ""


def _asked_by(journal: Journal, row: CycleRow) -> str:
    """Who has asked for the cycle's mandate; "" where the journal knows no such mandate."""
    mandate = journal.by_id(row.mandate)
    return "" if mandate is None else author_of(mandate.origin)


def _verdict(found: VerdictRow, cycle: CycleRow) -> Value:
    """A verdict as it is told. What a cycle has chosen is told when it is over: what it had chosen before it failed is nothing."""
    done = cycle.state == "COMPLETE"
    marks = {"chosen": done and found.chosen, "installed": done and found.installed}
    return {**msgspec.structs.asdict(found), **marks}


def world_status(store: Store) -> dict[str, Value]:
    """Where the world is, its last transaction, and how many objects it holds."""
    return {
        "uri": store.uri,
        "tid": store.db.lastTransaction().hex(),
        "objects": int(store.db.objectCount()),
    }


def _is_root(connection: Connection, target: str) -> bool:
    return target == names.ROOT_OID or (target == names.ROOT and names.ROOT not in connection.root()["objects"])


def _view(connection: Connection, target: UvmObject, page: Look) -> Looked:
    target._slots._p_activate()
    entries = [name for name in target._slots if not names.is_delegation(name)]
    if page.after is not None and page.after not in entries:
        raise BatosError("BAD_ARGUMENT", f"{page.after[:100]!r} is no entry of {page.target}", "Begin without --after.")
    rest = entries if page.after is None else entries[entries.index(page.after) + 1 :]
    slots: dict[str, Value] = {}
    methods: dict[str, MethodView] = {}
    weight = 0
    shown: list[str] = []
    for name in rest[: page.limit]:
        value = target._slots[name]
        view = _method(value) if isinstance(value, UvmMethod) else _shown(value)
        weight += len(codec.pack(view))
        if shown and weight > PAGE_BYTES:
            break
        shown.append(name)
        if isinstance(view, MethodView):
            methods[name] = view
        else:
            slots[name] = view
    parents = [Ref(oid_of(parent)) for parent in target.parents()]
    return Looked(
        name=target._name,
        oid=oid_of(target),
        tid=target._slots._p_serial.hex(),
        slots=slots,
        parents=parents,
        methods=methods,
        next=shown[-1] if len(shown) < len(rest) else None,
        names=_names_of(connection, [parents, slots]),
    )


def _names_of(connection: Connection, value: Value) -> dict[str, str]:
    """The names of the objects that a value refers to, of the first `MAX_PAGE` of them."""
    found: dict[str, str] = {}
    pending, looked = [value], 0
    while pending and looked < MAX_PAGE:
        here = pending.pop()
        if isinstance(here, (list, dict)):
            pending.extend(here.values() if isinstance(here, dict) else here)
        elif isinstance(here, Ref) and here.oid not in found:
            looked += 1
            with suppress(BatosError):  # whoever writes a reference by hand may refer to nothing
                name = world_root.get(connection, here.oid)._name
                found.update({here.oid: name} if name else {})
    return found


def _look_root(connection: Connection, page: Look) -> Looked:
    root: Any = connection.root()
    kernel = {name: Ref(oid_of(root[name])) for name in world_root.KERNEL_OBJECTS}
    found = dict(world_root.objects_after(root, page.after, page.limit + 1))
    shown = list(found)[: page.limit]
    objects = {name: Ref(found[name]) for name in shown}
    personas = {name: Ref(oid_of(persona)) for name, persona in root["personas"].items()}
    slots: dict[str, Value] = {**kernel, "personas": personas, "objects": objects}
    return Looked(
        name=names.ROOT,
        oid=root._p_oid.hex(),
        tid=root._p_serial.hex(),
        slots=slots,
        parents=[],
        methods={},
        next=shown[-1] if len(shown) < len(found) else None,
    )


def _shown(value: Any) -> Value:
    """A slot's value for a reader; what has no plain form is named by its type."""
    try:
        return plain(value, lambda _: None)
    except NotPlain as error:
        return f"<{error}>"


def _method(method: UvmMethod) -> MethodView:
    return MethodView(
        sha256=method.sha256,
        author=method.author,
        source=method.source,
        verdict=method.verdict,
        intent=method.intent,
        origin=method.origin,
    )


def _stays(row: CycleRow, transitions: list[tuple[str, float]]) -> list[Stay]:
    """How long the cycle was in each state."""
    left = [entered for _, entered in transitions[1:]] + [row.ended or time.time()]
    return [
        Stay(state=state, seconds=_since(came, gone)) for (state, came), gone in zip(transitions, left, strict=True)
    ]


def _summary(row: CycleRow, question: str, asked_by: str) -> CycleSummary:
    return CycleSummary(
        question=question,
        asked_by=asked_by,
        cycle=row.cycle,
        mandate=row.mandate,
        target=row.target,
        selector=row.selector,
        state=row.state,
        started=row.started,
        seconds=_since(row.started, row.ended),
    )


def _since(began: float, ended: float | None) -> float:
    """Seconds from one moment to another, or to now; a clock that was put back makes none of them negative."""
    return max(0.0, (time.time() if ended is None else ended) - began)
