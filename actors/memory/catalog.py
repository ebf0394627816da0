"""The catalog in the world: documents, their passages, and the index, which change together or not at all.

Everything here runs on the world's thread and computes nothing that takes long: what is written comes ready. A changed
document is a new object with new passages; the old ones go in the same transaction. Memory is the only writer of the
catalog and of its cursor in the outbox, so what is read here before a transaction still holds within it.
"""

from __future__ import annotations

import base64
import difflib
import time
from collections.abc import Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

from ZODB import DB
from ZODB.Connection import Connection
from ZODB.utils import p64

from actors.memory.ranking import best
from actors.memory.words import document_terms, query_terms
from protocol.checks.documents import Document
from protocol.codec import Ref, Value
from protocol.envelope import check_key
from protocol.errors import BatosError
from protocol.examples import same_value
from protocol.messages import Hit
from world import root as world_root
from world.store import commit, snapshot
from world.uvm import UvmObject
from world.values import NotPlain, oid_of, persistent, plain

MAX_HITS: Final = 100
MAX_QUERY: Final = 1 << 16
"""Characters of a question: each of its words costs a look at the index."""

RECENT: Final = 1000
"""Commits that are looked through for a key: some milliseconds, and whoever has lost an answer asks again soon."""

_REINDEXED_AT_ONCE: Final = 500
"""Passages of one transaction while the index is made anew, or those of one document: about a second's work."""

_LOOKED_AT: Final = 2000
"""Names that are compared with one that is unknown."""
_USER: Final = "memory"


class KeptDocument(NamedTuple):
    """A document's passages (OIDs, in order), and the commit that wrote them; None where nothing had to be written."""

    chunks: list[str]
    tid: str | None


class Gone(NamedTuple):
    """How many passages a document had, and the commit that took them out."""

    chunks: int
    tid: str


class Reindexed(NamedTuple):
    """How many of the documents an index that is made anew has."""

    done: int
    total: int


class Entry(NamedTuple):
    """One line of the outbox, as it was written: nothing of it is checked yet. `is_gone`: the document is to be forgotten."""

    seq: int
    doc_id: Value
    text: Value
    metadata: Value
    is_gone: bool = False


def known(db: DB, document: Document) -> KeptDocument | None:
    """What is kept of exactly this document; None where it is new or has changed."""
    with snapshot(db) as connection:
        kept = _catalog(connection).documents.get(document.doc_id)
        return KeptDocument(_oids(kept), None) if kept is not None and kept.sha256 == document.sha256 else None


def keep(db: DB, document: Document, passages: Sequence[str]) -> KeptDocument:
    """Remember `document` as these passages, in place of what was remembered under its id."""
    kept = known(db, document)
    if kept is not None:
        return kept
    with commit(db, user=_USER, description=f"index {document.doc_id}", cycle=document.cycle) as connection:
        chunks = _write(connection, document, passages)
    return KeptDocument(chunks, _last_commit(db))


def forget(db: DB, doc_id: str, key: str = "") -> Gone:
    """Take a document out of the world; UNKNOWN_DOCUMENT with what one might have meant.

    The transaction carries the `key`, so that whoever has lost the answer asks again under it and has the same one, for as
    long as that transaction is among the last `RECENT`.
    """
    check_key(key)
    with snapshot(db) as connection:
        documents = _catalog(connection).documents
        if doc_id not in documents:
            before = _forgotten(db, doc_id, key) if key else None
            if before is not None:
                return before
            raise BatosError("UNKNOWN_DOCUMENT", f"no document is called {doc_id[:200]!r}", _hint(documents, doc_id))
        chunks = len(_oids(documents[doc_id]))
    facts = {"key": key, "document": doc_id, "chunks": str(chunks)} if key else None
    with commit(db, user=_USER, description=f"unindex {doc_id}", facts=facts) as connection:
        _remove(_catalog(connection), doc_id)
    return Gone(chunks, _last_commit(db))


def _forgotten(db: DB, doc_id: str, key: str) -> Gone | None:
    """What was answered when this `key` took the document out."""
    for done in db.undoLog(0, -RECENT):
        if done.get("key") == key and done.get("document") == doc_id:
            return Gone(int(done["chunks"]), base64.decodebytes(done["id"]).hex())
    return None


def find(db: DB, query: str, top_k: int, where: dict[str, Value]) -> list[Hit]:
    """The best passages that share a term with `query`; NOT_READY while the index is made anew."""
    with snapshot(db) as connection:
        catalog = _catalog(connection)
        if _is_reindexed_to(catalog) is not None:
            raise BatosError(
                "NOT_READY", "memory indexes all its documents anew", "`batos status` says when it is done."
            )
        scores = catalog.index.search(query_terms(query))
        # None is "no term at all", which zope.index takes for "any passage".
        found = best(() if scores is None else scores.items(), top_k, lambda docid: _chunk(connection, docid, where))
        return [
            Hit(
                chunk_oid=oid_of(chunk),
                doc_id=chunk.doc_id,
                chunk_index=chunk.chunk_index,
                score=float(score),
                text=chunk.text,
                metadata=_plain(chunk.metadata),
            )
            for score, chunk in found
        ]


def reindex(db: DB) -> Reindexed | None:
    """Index some more of the documents, where a step of the awakening has emptied the index; None when all are indexed.

    Each call is one transaction that notes how far it came, so that the next one goes on there, whoever died in between.
    """
    with snapshot(db) as connection:
        if _is_reindexed_to(_catalog(connection)) is None:
            return None
    with commit(db, user=_USER, description="index anew") as connection:
        catalog = _catalog(connection)
        passages, reached = 0, catalog.reindexed
        for reached, document in catalog.documents.items(min=reached, excludemin=True):  # noqa: B020 - from there on
            for chunk in document.chunks:
                catalog.index.index_doc(_docid(chunk), *document_terms(chunk.text))
            passages += len(document.chunks)
            if passages >= _REINDEXED_AT_ONCE:
                catalog.set_slot("reindexed", reached)
                break
        else:
            del catalog.reindexed
        return Reindexed(len(catalog.documents.keys(max=reached)), len(catalog.documents))


def next_entry(db: DB) -> Entry | None:
    """The first line of the outbox that is not remembered yet."""
    with snapshot(db) as connection:
        root = connection.root()
        seq, line = next(iter(root["outbox"].items(min=root["cursor"]["outbox"] + 1)), (0, None))
        if line is None:
            return None
        doc_id, text, metadata = (_part(line, name) for name in ("doc_id", "text", "metadata"))
        return Entry(seq, doc_id, text, metadata, _part(line, "gone") is True)


def cursor(db: DB) -> int:
    """The number of the last line of the outbox that is remembered."""
    with snapshot(db) as connection:
        return int(connection.root()["cursor"]["outbox"])


def follow(db: DB, seq: int, document: Document | None, passages: Sequence[str]) -> None:
    """Remember line `seq` of the outbox and move the cursor past it, in one transaction.

    Without a document only the cursor moves. A line that the cursor is past already is remembered, and left alone.
    """
    described = f"outbox {seq}: index {document.doc_id}" if document else f"outbox {seq}: nothing to index"
    if cursor(db) >= seq:
        return
    same = document is None or known(db, document) is not None
    with commit(db, user=_USER, description=described, cycle=document.cycle if document else "") as connection:
        if document is not None and not same:
            _write(connection, document, passages)
        connection.root()["cursor"]["outbox"] = seq


def follow_gone(db: DB, seq: int, doc_id: Value) -> None:
    """Forget the document that line `seq` of the outbox says is gone, if there is one, and move the cursor past the line."""
    if cursor(db) >= seq:
        return
    with commit(db, user=_USER, description=f"outbox {seq}: unindex {doc_id}") as connection:
        catalog = _catalog(connection)
        if doc_id in catalog.documents:
            _remove(catalog, str(doc_id))
        connection.root()["cursor"]["outbox"] = seq


def _is_reindexed_to(catalog: Any) -> str | None:
    """The document up to which a new index has come; None when it is whole."""
    reached: str | None = catalog._slots.get("reindexed")
    return reached


def _catalog(connection: Connection) -> Any:
    return connection.root()["knowledge_catalog_obj"]


def _write(connection: Connection, document: Document, passages: Sequence[str]) -> list[str]:
    def resolve(ref: Ref) -> UvmObject:
        return world_root.get(connection, ref.oid)

    catalog = _catalog(connection)
    if document.doc_id in catalog.documents:
        _remove(catalog, document.doc_id)
    metadata = persistent(document.metadata, resolve)  # one record, which the passages share
    chunks = [
        UvmObject(text=text, doc_id=document.doc_id, chunk_index=n, metadata=metadata)
        for n, text in enumerate(passages)
    ]
    catalog.documents[document.doc_id] = UvmObject(
        doc_id=document.doc_id, sha256=document.sha256, chunks=chunks, metadata=metadata, created=time.time()
    )
    connection.transaction_manager.savepoint(optimistic=True)  # gives the passages their OIDs
    for chunk in chunks:
        catalog.index.index_doc(_docid(chunk), *document_terms(chunk.text))
    return [oid_of(chunk) for chunk in chunks]


def _remove(catalog: Any, doc_id: str) -> None:
    document = catalog.documents.pop(doc_id)
    for chunk in document.chunks:
        catalog.index.unindex_doc(_docid(chunk))
        # Nothing leads here any more but an OID that somebody noted; until the world is packed it would still answer.
        chunk._slots.clear()
    document._slots.clear()


def _chunk(connection: Connection, docid: int, where: dict[str, Value]) -> Any:
    chunk: Any = connection.get(p64(docid))
    if where:
        metadata = _plain(chunk.metadata)
        if not all(key in metadata and same_value(metadata[key], value) for key, value in where.items()):
            return None
    return chunk


def _docid(chunk: UvmObject) -> int:
    return int(oid_of(chunk), 16)


def _part(line: Any, name: str) -> Value:
    """What a line of the outbox says; None, which no check lets pass, where that is no value."""
    try:
        return _plain(line.get(name))
    except NotPlain:
        return None


def _oids(document: Any) -> list[str]:
    return [oid_of(chunk) for chunk in document.chunks]


def _last_commit(db: DB) -> str:
    """The last transaction that changed the catalog: each of them writes the count of its passages."""
    with snapshot(db) as connection:
        count = _catalog(connection).index.documentCount
        count._p_activate()
        serial: bytes = count._p_serial
        return serial.hex()


def _plain(value: Any) -> Any:
    return plain(value, lambda _: None)


def _hint(documents: Any, doc_id: str) -> str:
    names = list(islice(documents.keys(), _LOOKED_AT))
    # Most names are paths, and what is mistyped is their end.
    files = {name.rpartition("/")[2]: name for name in names}
    near = difflib.get_close_matches(doc_id, names) or [
        files[file] for file in difflib.get_close_matches(doc_id.rpartition("/")[2], files)
    ]
    return f"Did you mean {', '.join(near)}?" if near else "`batos search` shows the documents that its hits are from."
