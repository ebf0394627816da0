"""`diff`: what the world at one moment has other than at an earlier one: slots, methods, personas, experts, documents."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any, Final

from ZODB.Connection import Connection

from actors.orchestrator.past import kinds
from actors.orchestrator.past.changes import Changed, Method, differences, plain
from protocol import codec, names
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.messages import Diff, DiffReply, DocumentDiff, MethodDiff, ObjectDiff, SlotDiff
from world import root as world_root
from world.finding import reach
from world.past import commits, moments
from world.past.moments import world_at
from world.store import Store
from world.values import oid_of

MAX_PAGE: Final = 1000
PAGE_BYTES: Final = 4 << 20
_STATE: Final = "synthesis_state*"
"""A slot of a cycle's context, which is there for as long as the cycle runs."""


def diff(store: Store, request: Diff) -> DiffReply:
    """A page of what differs. BAD_ARGUMENT where `a` is no earlier moment than `b`; EXPIRED, UNKNOWN_OBJECT."""
    if not 1 <= request.limit <= MAX_PAGE:
        raise BatosError("BAD_ARGUMENT", f"a page of {request.limit} objects", f"Give 1 to {MAX_PAGE}.")
    a, b = (moments.checked(store.db, moment).hex() for moment in (request.a, request.b))
    if a > b:
        raise BatosError("BAD_ARGUMENT", f"{request.a} is later than {request.b}", "Give the earlier moment first.")
    since = list(commits.between(store.db, a, b))
    with world_at(store.db, a) as before, world_at(store.db, b) as after:
        oids = _oids(before, after, since, request)
        page: list[ObjectDiff] = []
        weight, following = 0, None
        for one in differences(before, after, oids):
            if not one.is_any or _is_context(one):
                continue
            view = _object(one, before, after)
            weight += len(codec.pack(view))
            if page and (len(page) == request.limit or weight > PAGE_BYTES):
                following = page[-1].oid
                break
            page.append(view)
        is_whole = request.after is None and request.object is None
        return DiffReply(
            a=a,
            b=b,
            objects=page,
            documents=_documents(before, after, since) if is_whole else [],
            names=_names(after, page),
            next=following,
        )


def _oids(before: Connection, after: Connection, since: list[commits.Commit], request: Diff) -> list[str]:
    """The objects that may differ, in the order of their OIDs."""
    if request.object is not None:
        return [_oid(before, after, request.object)]
    if any(one.touched is None and kinds.kind_of(one).is_shown for one in since):
        found = {oid_of(here) for world in (before, after) for _, here in reach.objects(world)}
    else:
        found = {oid for one in since for oid in one.touched or ()}
    return sorted(oid for oid in found if request.after is None or oid > request.after)


def _oid(before: Connection, after: Connection, name: str) -> str:
    """What was called so at the later moment, or else at the earlier one."""
    try:
        return oid_of(world_root.resolve(after, name))
    except BatosError as error:
        if error.code != "UNKNOWN_OBJECT":
            raise
        try:
            return oid_of(world_root.resolve(before, name))
        except BatosError:
            raise error from None


def _is_context(one: Changed) -> bool:
    return any(_STATE in (there.slots or ()) and not there.name for there in (one.before, one.after))


def _object(one: Changed, before: Connection, after: Connection) -> ObjectDiff:
    told = one.told()
    slots: list[SlotDiff] = []
    methods: list[MethodDiff] = []
    for each in told.slots:
        was, now = one.before.held(each.slot), one.after.held(each.slot)
        if each.is_method:
            methods.append(_method(each.slot, was, now))
        if not isinstance(was, Method) and not isinstance(now, Method):
            slots.append(SlotDiff(slot=each.slot, how=each.how, before=plain(was), after=plain(now)))
    return ObjectDiff(
        oid=one.oid,
        name=told.name,
        kind=_kind(one.oid, told.name, before, after),
        how=told.how,
        was=told.was,
        slots=slots,
        methods=methods,
    )


def _method(selector: str, was: Any, now: Any) -> MethodDiff:
    then, here = (one if isinstance(one, Method) else None for one in (was, now))
    lines = difflib.unified_diff(
        [] if then is None else then.source.splitlines(),
        [] if here is None else here.source.splitlines(),
        "before" if then is not None else "nothing",
        "after" if here is not None else "nothing",
        lineterm="",
    )
    return MethodDiff(
        selector=selector,
        how="changed" if then is not None and here is not None else "gone" if here is None else "new",
        before=None if then is None else then.sha256,
        after=None if here is None else here.sha256,
        author="" if here is None else here.author,
        diff="\n".join(lines),
    )


def _kind(oid: str, name: str, before: Connection, after: Connection) -> str:
    for world in (after, before):
        root: Any = world.root()
        if name in root["personas"] and oid_of(root["personas"][name]) == oid:
            return "persona"
        if name in world_root.KERNEL_OBJECTS:
            return "root"
        experts = root["pLLM_obj"].lora_repository
        if name in experts and oid_of(experts[name]) == oid:
            return "expert"
    return "object"


def _documents(before: Connection, after: Connection, since: Iterable[commits.Commit]) -> list[DocumentDiff]:
    """Those that the commits between have written; what memory knows of a method follows from the method."""
    written = {one.facts[kinds.DOCUMENT] for one in since if kinds.DOCUMENT in one.facts}
    doc_ids = sorted(doc_id for doc_id in written if not doc_id.startswith(names.METHOD_DOC))
    there = [world.root()["knowledge_catalog_obj"].documents for world in (before, after)]
    found = []
    for doc_id in doc_ids:
        was, now = (documents.get(doc_id) for documents in there)
        if was is None and now is not None:
            found.append(DocumentDiff(doc_id=doc_id, how="new"))
        elif was is not None and now is None:
            found.append(DocumentDiff(doc_id=doc_id, how="gone"))
        elif was is not None and now is not None and was.sha256 != now.sha256:
            found.append(DocumentDiff(doc_id=doc_id, how="changed"))
    return found


def _names(world: Connection, page: list[ObjectDiff]) -> dict[str, str]:
    """The names, at the later moment, of what values refer to."""
    found: dict[str, str] = {}
    for oid in {ref.oid for one in page for slot in one.slots for ref in _references([slot.before, slot.after])}:
        try:
            name = world_root.get(world, oid)._name
        except BatosError:
            continue
        if name:
            found[oid] = name
    return found


def _references(value: Value) -> Iterator[Ref]:
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _references(item)
