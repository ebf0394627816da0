"""What the world holds, page by page, and the versions of its methods. It is read from a snapshot, and nothing is written."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from heapq import merge
from itertools import islice
from typing import Any, Final

from ZODB.Connection import Connection

from actors.orchestrator.hand import settling
from actors.orchestrator.thinking import consent
from actors.orchestrator.thinking.author import author_of
from protocol import codec, names
from protocol.checks.documents import MAX_PARTS, part_id, whole_id
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.messages import (
    History,
    List,
    Listed,
    MethodVersion,
    Proposal,
    Proposals,
    ProposalsReply,
    Versions,
)
from world import history as kept
from world import root as world_root
from world.history import UvmProposal, UvmVersion
from world.method import UvmMethod
from world.store import Store, snapshot
from world.uvm import UvmObject, lookup
from world.values import NotPlain, oid_of, plain

MAX_PAGE: Final = 1000
PAGE_BYTES: Final = 4 << 20
"""A page ends where the next item would make it larger, so that it always fits into a frame."""

Item = tuple[str, dict[str, Value]]
"""What an item is called, for the next page to begin after it, and the item."""


def listed(store: Store, request: List) -> Listed:
    """A page of what there is of a kind, in the order of names; BAD_ARGUMENT for another kind."""
    _check_page(request.limit)
    items = _KINDS.get(request.kind)
    if items is None:
        raise BatosError("BAD_ARGUMENT", f"{request.kind[:100]!r} is no kind of things", f"Kinds: {', '.join(_KINDS)}.")
    with snapshot(store.db) as connection:
        page: list[dict[str, Value]] = []
        weight, last = 0, ""
        for name, item in islice(items(connection, request.after or ""), request.limit + 1):
            weight += len(codec.packed(item))
            if len(page) == request.limit or (page and weight > PAGE_BYTES):
                return Listed(kind=request.kind, items=page, next=last)
            page.append(item)
            last = name
        return Listed(kind=request.kind, items=page)


def versions(store: Store, request: History) -> Versions:
    """The versions of a method, wherever the object has it from, or of all that the object itself has or had."""
    _check_page(request.limit)
    with snapshot(store.db) as connection:
        here = world_root.resolve(connection, request.name)
        holder = here if request.selector is None else _holder(here, request.name, request.selector)
        selectors = kept.selectors(holder) if request.selector is None else [request.selector]
        found = [
            _version(selector, one, is_last=one is every[-1])
            for selector in selectors
            for every in [kept.versions(holder, selector)]
            for one in every
        ]
        found.sort(key=lambda one: (one.tid, one.time), reverse=True)
        page: list[MethodVersion] = []
        weight = 0
        for one in found[request.after : request.after + request.limit]:
            weight += len(codec.pack(one))
            if page and weight > PAGE_BYTES:
                break
            page.append(one)
        end = request.after + len(page)
        return Versions(
            name=request.name,
            holder=holder._name or oid_of(holder),
            versions=page,
            next=end if end < len(found) else None,
        )


def proposals(store: Store, request: Proposals) -> ProposalsReply:
    """A page of what waits for the user's word; with an id that one alone, settled or not. UNKNOWN_PROPOSAL."""
    _check_page(request.limit)
    with snapshot(store.db) as connection:
        if request.id is not None:
            return ProposalsReply(proposals=[_proposal(connection, settling.find(connection, request.id))])
        every = list(kept.proposals(connection))
        if request.after is not None:
            at = [one.id for one in every]
            every = every[at.index(request.after) + 1 :] if request.after in at else every
        page: list[Proposal] = []
        weight = 0
        for one in every[: request.limit]:
            view = _proposal(connection, one)
            weight += len(codec.pack(view))
            if page and weight > PAGE_BYTES:
                break
            page.append(view)
        return ProposalsReply(proposals=page, next=page[-1].id if len(page) < len(every) else None)


def id_of(store: Store, beginning: str) -> str:
    """The id of the proposal that may be called by the beginning of it. UNKNOWN_PROPOSAL."""
    with snapshot(store.db) as connection:
        return settling.find(connection, beginning).id


def _proposal(connection: Connection, one: UvmProposal) -> Proposal:
    method = one.method
    return Proposal(
        id=one.id,
        name=one.target._name or oid_of(one.target),
        oid=oid_of(one.target),
        selector=method.selector,
        sha256=str(method.sha256),
        replaces=one.replaces or None,
        doubts=_plain(one.found["doubts"]),
        age_s=max(0.0, time.time() - one.made),
        state=one.state,
        mandate=one.mandate,
        cycle=method.author,
        source=str(method.source),
        parameters=list(method.parameters),
        intent=method.intent,
        examples=_plain(method.examples),
        origin=method.origin,
        verdict=method.verdict,
        cases=_plain(one.found["cases"]),
        result=_plain(one.found["result"]),
        diff=one.diff,
        moved=settling.has_moved(connection, one),
        by=one.by,
        because=one.because,
        settled=one.settled,
        asked_by=author_of(consent.asker(one)),
        drops=settling.dropped(connection, one),
    )


def _check_page(limit: int) -> None:
    if not 1 <= limit <= MAX_PAGE:
        raise BatosError("BAD_ARGUMENT", f"a page of {limit} items", f"Give 1 to {MAX_PAGE}.")


def _holder(here: UvmObject, name: str, selector: str) -> UvmObject:
    if kept.versions(here, selector):
        return here
    found = lookup(here, selector)
    if found is None or not isinstance(found.value, UvmMethod):
        raise BatosError(
            "UNKNOWN_METHOD",
            f"{name} has and had no method {selector[: names.MAX_NAME]}",
            f"See what it has and had: `batos history {name}`.",
        )
    return found.holder


def _version(selector: str, one: UvmVersion, *, is_last: bool) -> MethodVersion:
    method = one.method
    tid = one.tid
    if method is None:
        return MethodVersion(
            selector=selector,
            tid=tid,
            time=one.time,
            sha256=None,
            author=one.author,
            why=one.why,
            verdict="dropped",
            stands=False,
        )
    return MethodVersion(
        selector=selector,
        tid=tid,
        time=one.time,
        sha256=method.sha256,
        author=one.author,
        why=one.why,
        verdict=method.verdict if method.primitive is None else "primitive",
        stands=is_last,
        source=method.source,
        intent=method.intent,
        examples=[plain(example, lambda _: None) for example in method.examples],
        model=method.model,
        expert=method.expert,
        origin=method.origin,
        asked_by=method.asked_by,
    )


# Kinds --------------------------------------------------------------------------------------------------------


def _objects(connection: Connection, after: str) -> Iterator[Item]:
    for name, here in _after(connection.root()["objects"], after):
        own = list(here._slots.items())
        methods = [slot for slot, value in own if isinstance(value, UvmMethod)]
        data = [slot for slot, value in own if not isinstance(value, UvmMethod) and not names.is_delegation(slot)]
        parents: list[Value] = [parent._name or oid_of(parent) for parent in here.parents()]
        yield (
            name,
            {
                "name": name,
                "oid": oid_of(here),
                "parents": parents,
                "slots": len(data),
                "methods": len(methods),
            },
        )


def _methods(connection: Connection, after: str) -> Iterator[Item]:
    """Those of the user's objects and of the personas. The kernel's are shown with the root's objects."""
    root: Any = connection.root()
    first, _, begun = after.rpartition(".")
    for name in merge(_names_from(root["objects"], first), _names_from(root["personas"], first)):
        here = world_root.resolve(connection, name)
        for selector, method in sorted(here._slots.items()):
            if isinstance(method, UvmMethod) and (name != first or selector > begun):
                parameters: list[Value] = list(method.parameters)
                yield (
                    f"{name}.{selector}",
                    {
                        "name": name,
                        "selector": selector,
                        "parameters": parameters,
                        "sha256": method.sha256,
                        "author": method.author,
                        "verdict": method.verdict,
                        "intent": method.intent,
                    },
                )


def _documents(connection: Connection, after: str) -> Iterator[Item]:
    """Documents, each with the passages of all its parts; a part is no item of its own while the document is there."""
    documents = connection.root()["knowledge_catalog_obj"].documents
    for doc_id, document in _after(documents, after):
        said = document.metadata
        if (whole := whole_id(doc_id, said)) != doc_id and whole in documents:
            continue
        parts = (documents.get(part_id(doc_id, number)) for number in range(2, 1 + _number_of_parts(said)))
        chunks = sum(len(part.chunks) for part in (document, *parts) if part is not None)
        yield doc_id, {"doc_id": doc_id, "chunks": chunks, "sha256": document.sha256}


def _number_of_parts(metadata: Mapping[str, Value]) -> int:
    number = metadata.get("parts")
    return min(number, MAX_PARTS) if isinstance(number, int) else 1


def _experts(connection: Connection, after: str) -> Iterator[Item]:
    for name, proxy in _after(connection.root()["pLLM_obj"].lora_repository, after):
        item: dict[str, Value] = {"name": name}
        for slot in ("sha256", "bytes"):
            item[slot] = _plain(proxy._slots.get(slot))
        yield name, item


def _waiting(connection: Connection, after: str) -> Iterator[Item]:
    every = list(kept.proposals(connection))
    begun = [one.id for one in every]
    for one in every[begun.index(after) + 1 :] if after in begun else every:
        told = _proposal(connection, one)
        item: dict[str, Value] = {name: getattr(told, name) for name in _TOLD}
        yield one.id, {**item, "doubts": len(told.doubts)}


_TOLD: Final = ("id", "name", "selector", "sha256", "replaces", "age_s")


def _names(connection: Connection, after: str) -> Iterator[Item]:
    """All names that mean something, by what they mean."""
    root: Any = connection.root()
    kernel = sorted(name for name in world_root.KERNEL_OBJECTS if name > after)
    every = merge(
        ((name, "object") for name, _ in _after(root["objects"], after)),
        ((name, "persona") for name, _ in _after(root["personas"], after)),
        ((name, "root") for name in kernel),
    )
    for name, kind in every:
        yield name, {"name": name, "oid": oid_of(world_root.resolve(connection, name)), "kind": kind}


_KINDS: Final[dict[str, Callable[[Connection, str], Iterator[Item]]]] = {
    "objects": _objects,
    "methods": _methods,
    "documents": _documents,
    "experts": _experts,
    "proposals": _waiting,
    "names": _names,
}


def _after(tree: Any, name: str) -> Iterator[tuple[str, Any]]:
    yield from tree.items(min=name, excludemin=True) if name else tree.items()


def _names_from(tree: Any, name: str) -> Iterator[str]:
    yield from tree.keys(min=name) if name else tree.keys()


def _plain(value: Any) -> Value:
    try:
        return plain(value, lambda _: None)
    except NotPlain:
        return None
