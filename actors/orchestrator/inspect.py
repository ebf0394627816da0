"""Looking at the world and at the trace of cycles, and making an object by hand; no thinking here."""

from __future__ import annotations

import time
from typing import Any, Final

from ZODB.Connection import Connection
from ZODB.POSException import POSKeyError

from actors.orchestrator.journal import CycleRow, Journal
from protocol import codec, names
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.failure import Failure
from protocol.messages import (
    Created,
    CyclesReply,
    CycleStory,
    CycleSummary,
    Look,
    Looked,
    MethodView,
    New,
    Source,
    SourceText,
    Stay,
)
from world import root as world_root
from world.method import UvmMethod
from world.store import Store, commit, snapshot
from world.uvm import UvmObject, lookup
from world.values import NotPlain, oid_of, persistent, plain

ROOT: Final = "root"


def look(store: Store, request: Look) -> Looked:
    """An object as it stands, or as it stood after transaction `at`; the root lists all objects by name."""
    with snapshot(store.db, _moment(store, request.at)) as connection:
        try:
            if request.target == ROOT and ROOT not in connection.root()["objects"]:
                return _look_root(connection)
            return _view(world_root.resolve(connection, request.target))
        except (KeyError, POSKeyError) as error:
            raise BatosError("UNKNOWN_OBJECT", f"there was no {request.target!r} at that moment") from error


def source(store: Store, request: Source) -> SourceText:
    """The method that `selector` means for the target, wherever it inherits it from."""
    with snapshot(store.db) as connection:
        target = world_root.resolve(connection, request.target)
        found = lookup(target, request.selector)
        if found is None or not isinstance(found.value, UvmMethod):
            raise BatosError(
                "UNKNOWN_METHOD",
                f"{request.target} understands no {request.selector[:100]}",
                f"Send it, and it will be written: `batos send {request.target} SELECTOR`.",
            )
        holder = found.holder._name or oid_of(found.holder)
        return SourceText(selector=request.selector, holder=holder, method=_method(found.value))


def create(store: Store, request: New) -> Created:
    """A new object of the user; NAME_TAKEN where one of that name stands already."""
    names.check_object(request.name)
    for name in request.slots:
        names.check_slot(name)
    codec.encode(request.slots)
    description = f"new {request.name}"
    with commit(store.db, user="user", description=description) as connection:
        root = connection.root()
        if (
            request.name in root["objects"]
            or request.name in world_root.KERNEL_OBJECTS
            or request.name in root["personas"]
        ):
            raise BatosError(
                "NAME_TAKEN",
                f"there is already an object called {request.name}",
                "Choose another name, or send it a message.",
            )
        parent = world_root.resolve(connection, request.parent or "traits_obj")

        def resolve(ref: Ref) -> UvmObject:
            return world_root.get(connection, ref.oid)

        made = UvmObject(request.name)
        made.set_slot("parent*", parent)
        for name, value in request.slots.items():
            made.set_slot(name, persistent(value, resolve))
        connection.add(made)
        root["objects"][request.name] = made
        oid = oid_of(made)
    with snapshot(store.db) as connection:
        stored = world_root.get(connection, oid)
        stored._p_activate()
        return Created(name=request.name, oid=oid, tid=stored._p_serial.hex())


def cycles(journal: Journal, id_: str | None, limit: int) -> CyclesReply:
    """The latest cycles, or the story of one."""
    if id_ is None:
        return CyclesReply(cycles=[_summary(row) for row in journal.cycles(limit)])
    row = journal.cycle(id_)
    if row is None:
        raise BatosError(
            "UNKNOWN_CYCLE", f"no cycle and no mandate with a cycle is called {id_[:100]!r}", "See `batos cycle ls`."
        )
    story = CycleStory(
        cycle=row.cycle,
        mandate=row.mandate,
        state=row.state,
        steps=journal.steps(row.cycle),
        verdicts=[
            {"sha256": sha256, "verdict": verdict, "problem": problem, "source": text}
            for sha256, verdict, problem, text in journal.verdicts(row.cycle)
        ],
        error=codec.unpack(row.error, Failure) if row.error else None,
        selector=row.selector,
        target=row.target,
        states=_stays(row, journal.transitions(row.cycle)),
        seconds=max(0.0, (row.ended or time.time()) - row.started),
        caused=[other.cycle for other in journal.caused(row.cycle)],
    )
    return CyclesReply(cycles=[_summary(row)], story=story)


def world_status(store: Store) -> dict[str, Value]:
    """Where the world is, its last transaction, and how many objects it holds."""
    return {
        "uri": store.uri,
        "tid": store.db.lastTransaction().hex(),
        "objects": int(store.db.objectCount()),
    }


def _moment(store: Store, at: str | None) -> bytes | None:
    if at is None:
        return None
    if not names.is_oid(at):
        raise BatosError("BAD_ARGUMENT", f"{at[:40]!r} is no transaction id", "A transaction id is 16 hex digits.")
    moment = bytes.fromhex(at)
    if moment > store.db.lastTransaction():
        raise BatosError(
            "BAD_ARGUMENT", f"the transaction {at} is in the future", "See `batos status` for the last one."
        )
    return moment


def _view(target: UvmObject) -> Looked:
    target._slots._p_activate()
    slots: dict[str, Value] = {}
    methods: dict[str, MethodView] = {}
    for name, value in target._slots.items():
        if isinstance(value, UvmMethod):
            methods[name] = _method(value)
        elif not names.is_delegation(name):
            slots[name] = _shown(value)
    return Looked(
        name=target._name,
        oid=oid_of(target),
        tid=target._slots._p_serial.hex(),
        slots=slots,
        parents=[Ref(oid_of(parent)) for parent in target.parents()],
        methods=methods,
    )


def _look_root(connection: Connection) -> Looked:
    root: Any = connection.root()
    kernel = {name: Ref(oid_of(root[name])) for name in world_root.KERNEL_OBJECTS}
    objects = {name: Ref(oid) for name, oid in world_root.all_objects(root)}
    personas = {name: Ref(oid_of(persona)) for name, persona in root["personas"].items()}
    slots: dict[str, Value] = {**kernel, "personas": personas, "objects": objects}
    return Looked(name=ROOT, oid=root._p_oid.hex(), tid=root._p_serial.hex(), slots=slots, parents=[], methods={})


def _shown(value: Any) -> Value:
    """A slot's value for a reader; what has no plain form is named by its type."""
    try:
        return plain(value, lambda _: None)
    except NotPlain as error:
        return f"<{error}>"


def _method(method: UvmMethod) -> MethodView:
    return MethodView(sha256=method.sha256, author=method.author, source=method.source, verdict=method.verdict)


def _stays(row: CycleRow, transitions: list[tuple[str, float]]) -> list[Stay]:
    """How long the cycle was in each state."""
    left = [entered for _, entered in transitions[1:]] + [row.ended or time.time()]
    return [
        Stay(state=state, seconds=max(0.0, gone - came)) for (state, came), gone in zip(transitions, left, strict=True)
    ]


def _summary(row: CycleRow) -> CycleSummary:
    return CycleSummary(
        cycle=row.cycle,
        mandate=row.mandate,
        target=row.target,
        selector=row.selector,
        state=row.state,
        started=row.started,
        seconds=max(0.0, (row.ended or time.time()) - row.started),  # the wall clock may have gone back
    )
