"""What stands in the world that may have come of a document: answers and notes, methods with their versions, and threads.

Each says itself what it came of, where it was written by a program that notes that: a document in its metadata (`sources`), a method
as `told`. For what is older the journal is asked (`lineage`), by the mandate or the cycle that is named here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Final, NamedTuple

from ZODB.Connection import Connection

from actors.orchestrator.primitives.recollection import SOURCES
from protocol.checks.documents import BY
from protocol.codec import Value
from protocol.origin import Origin
from world import history
from world import root as world_root
from world.method import UvmMethod
from world.uvm import UvmObject
from world.values import NotPlain, oid_of, plain

OWN: Final = ("answer:", "failure:", "method:", "note:")
"""How the ids begin of what the mind has left in memory by itself."""
_QUESTION: Final = 1000
_BEGINNING: Final = 80
"""Characters of an answer by which a turn of a thread is known to carry it."""


class Remembered(NamedTuple):
    """A document that a mandate has left. `sources` are None where it does not say; there are more where it is not `whole`.

    `by` is the origin that had it remembered, "" for the mind and the user of the home.
    """

    doc_id: str
    mandate: str
    sources: tuple[str, ...] | None
    is_whole: bool = True
    by: str = ""


class WrittenMethod(NamedTuple):
    """A method on an object, or a version of it that `stands` no more. `told` is None where that is not noted."""

    oid: str
    name: str
    selector: str
    sha256: str
    author: str
    told: tuple[str, ...] | None
    origin: str
    stands: bool


class ThreadTurn(NamedTuple):
    """A turn of a thread: the documents that it cites, and those that its answer is remembered as."""

    oid: str
    name: str
    number: int
    documents: tuple[str, ...]


class Offered(NamedTuple):
    """A proposal, with the method that it is about."""

    id: str
    method: WrittenMethod


class Holdings(NamedTuple):
    """All that may have come of documents. Without a walk through the objects there are methods alone that memory knows, and no turns."""

    documents: list[Remembered]
    methods: list[WrittenMethod]
    proposals: list[Offered]
    turns: list[ThreadTurn]


def holdings(connection: Connection, *, walk: bool) -> Holdings:
    """Read it. With `walk` each named object is looked at and each document; without, what memory has of the mind's own."""
    kept: list[Remembered] = []
    known: dict[str, None] = {}
    for doc_id, document in _documents(connection, OWN if not walk else ("",)):
        said = document.metadata
        mandate = said.get("mandate")
        if isinstance(mandate, str):
            kept.append(Remembered(doc_id, mandate, _sources(said), "sources_left" not in said, str(said.get(BY, ""))))
        if doc_id.startswith("method:"):
            known[doc_id.split(":")[1]] = None
    holders = list(_objects(connection, known, walk=walk))
    methods = [each for holder in holders for each in _methods(holder)]
    proposals = [Offered(one.id, _offered(one)) for one in connection.root()["proposals"].values()]
    turns = list(turns_of(connection, map(oid_of, holders))) if walk else []
    return Holdings(kept, methods, proposals, turns)


def may_be_left(by: str, origin: Origin | None) -> bool:
    """Whether a mandate of `origin` may have left a document `by` somebody: metadata is anybody's to write, but for who has written it."""
    return by in {"", "" if origin is None else origin.label}


def turns_of(connection: Connection, oids: Iterable[str]) -> Iterator[ThreadTurn]:
    """The turns of those of the objects that are threads."""
    answers: dict[str, list[Any]] = {}
    for oid in oids:
        holder = world_root.get(connection, oid)
        if connection.root()["thread_traits"] not in holder.parents():
            continue
        if not answers:
            for _, document in _documents(connection, ("answer:",)):
                answers.setdefault(str(document.metadata.get("question", ""))[:_QUESTION], []).append(document)
        yield from _turns(holder, answers)


def _documents(connection: Connection, beginnings: Iterable[str]) -> Iterator[tuple[str, Any]]:
    documents = connection.root()["knowledge_catalog_obj"].documents
    for beginning in beginnings:
        yield from documents.items(min=beginning, max=f"{beginning}\U0010ffff")


def _objects(connection: Connection, known: dict[str, None], *, walk: bool) -> Iterator[UvmObject]:
    root, seen = connection.root(), set()
    if walk:
        named = (root[name] for name in world_root.KERNEL_OBJECTS if name in root)
        for one in chain(root["objects"].values(), root["personas"].values(), named):
            if isinstance(one, UvmObject):
                seen.add(oid_of(one))
                yield one
    for oid in known:
        if oid not in seen and (found := _object(connection, oid)) is not None:
            yield found


def _object(connection: Connection, oid: str) -> UvmObject | None:
    try:
        found = connection.get(bytes.fromhex(oid))
    except (KeyError, ValueError):  # it is gone, or memory was told something else
        return None
    return found if isinstance(found, UvmObject) else None


def _methods(holder: UvmObject) -> Iterator[WrittenMethod]:
    for selector in history.selectors(holder):
        standing = holder._slots.get(selector)
        for version in history.versions(holder, selector):
            method = version.method
            if method is not None and method.source is not None:
                yield _written(holder, selector, method, stands=method is standing)


def _written(holder: UvmObject, selector: str, method: UvmMethod, *, stands: bool) -> WrittenMethod:
    method._p_activate()
    named, sha256 = holder._name or "", str(method.sha256)
    return WrittenMethod(oid_of(holder), named, selector, sha256, method.author, method.told, method.origin, stands)


def _offered(proposal: history.UvmProposal) -> WrittenMethod:
    return _written(proposal.target, proposal.selector, proposal.method, stands=False)


def _turns(holder: UvmObject, answers: dict[str, list[Any]]) -> Iterator[ThreadTurn]:
    try:
        turns = plain(holder._slots.get("turns"), lambda _: None)
    except NotPlain:
        return
    for number, turn in enumerate(turns if isinstance(turns, list) else ()):
        if isinstance(turn, dict):
            yield ThreadTurn(
                oid_of(holder), holder._name or "", number, (*_texts(turn.get("cited")), *_answers(turn, answers))
            )


def _answers(turn: dict[Any, Value], answers: dict[str, list[Any]]) -> Iterator[str]:
    """The documents in which a turn's answer is remembered."""
    beginning = _squeezed(str(turn.get("answer", "")))[:_BEGINNING]
    for document in answers.get(str(turn.get("question", "")), ()):
        if beginning and beginning in _squeezed(" ".join(str(chunk.text) for chunk in document.chunks)):
            yield document.doc_id


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _sources(said: dict[str, Value]) -> tuple[str, ...] | None:
    return tuple(_texts(said[SOURCES])) if SOURCES in said else None


def _texts(value: Value) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
