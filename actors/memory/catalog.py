"""The catalog in the world: documents, their passages and segments, which change together or not at all.

Everything here runs on the world's thread and computes nothing that takes long: what is written comes ready
(`actors.memory.preparing`). A changed document is a new object with new passages; the old ones go in the same
transaction. Memory is the only writer of the catalog and of its cursor in the outbox, so what is read here before a transaction
still holds within it. Each transaction answers what it has changed, by which the view of who searches is brought forward.
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

from actors.memory import preparing
from actors.memory.index.backends import OkapiBackend
from actors.memory.index.sources import int_of, source_of
from actors.memory.index.view import Change
from actors.memory.preparing import Prepared
from actors.memory.ranking import B
from protocol.checks.documents import Document
from protocol.codec import Ref
from protocol.envelope import check_key
from protocol.errors import BatosError
from world import root as world_root
from world.memory.documents import Document as Stored
from world.memory.documents import Passage, Piece, Segment, clear, inside
from world.store import Written, commit, snapshot
from world.uvm import UvmObject
from world.values import oid_of

RECENT: Final = 1000
"""Commits that are looked through for a key: some milliseconds, and whoever has lost an answer asks again soon."""

_LOOKED_AT: Final = 2000
"""Names that are compared with one that is unknown."""
_FETCHED: Final = 50
"""Records that are asked of the server at once; a search's wait behind them."""
USER: Final = "memory"
REACHED: Final = "indexed_to"
"""The catalog's slot for the document up to which zope.index's index has come, while it is made."""
_COMING: Final = "coming"
"""The catalog's slot for a large document whose pieces are being written; no reader looks there."""
_GOING: Final = "going"
"""And for large documents that are forgotten, and whose passages have yet to be cleared."""


class KeptDocument(NamedTuple):
    """A document's passages (OIDs, in order), and the commit that wrote them; None where nothing had to be written."""

    chunks: list[str]
    tid: str | None


class Gone(NamedTuple):
    """How many passages a document had, and the commit that took them out."""

    chunks: int
    tid: str


def known(db: DB, document: Document) -> KeptDocument | None:
    """What is kept of exactly this document; None where it is new or has changed."""
    with snapshot(db) as connection:
        kept = catalog_of(connection).documents.get(document.doc_id)
        return KeptDocument(_oids(kept), None) if kept is not None and kept.sha256 == document.sha256 else None


def keep(
    db: DB, document: Document, pieces: Sequence[Prepared], past: int | None = None
) -> tuple[KeptDocument, Change]:
    """Remember `document` as these pieces, in place of what was remembered under its id; `past` moves the cursor there too.

    All but the last piece are written by `bring`, in order.
    """
    described = f"index {document.doc_id}" if past is None else f"outbox {past}: index {document.doc_id}"
    with commit(
        db, user=USER, description=described, cycle=document.cycle, facts={"document": document.doc_id}
    ) as connection:
        catalog = catalog_of(connection)
        before = _remove(catalog, document.doc_id) if document.doc_id in catalog.documents else None
        if len(pieces) == 1:
            stored = begun(connection, document)
        else:
            stored = catalog._slots[_COMING]
            del catalog._slots[_COMING]
        catalog.documents[document.doc_id] = stored
        stored.hold(pieces[-1].segment, _passages(stored, pieces[-1]))
        if past is not None:
            connection.root()["cursor"]["outbox"] = past
        connection.transaction_manager.savepoint(optimistic=True)  # gives the passages their OIDs
        written = Written(connection, stored)
        came = source_of(stored, pieces[-1].segment.model)
        chunks = _oids(stored)
        index = okapi_of(catalog)
        if index is not None:
            terms = (each for piece in pieces for each in piece.terms)
            for oid, each in zip(came.passages.tolist(), terms, strict=True):
                index.index_doc(oid, each)
    return KeptDocument(chunks, written.tid.hex()), Change(written.tid, came, before)


def bring(db: DB, document: Document, piece: Prepared) -> None:
    """Write one piece of a large document that is on its way, where nobody sees it until `keep` has the last one."""
    with commit(db, user=USER, description=f"bring {document.doc_id}", cycle=document.cycle) as connection:
        catalog = catalog_of(connection)
        if piece.first == 0:
            _drop_coming(catalog)
            catalog.set_slot(_COMING, begun(connection, document))
        coming = catalog._slots[_COMING]
        coming.pieces = (*coming.pieces, Piece(piece.segment, _passages(coming, piece)))


def sweep(db: DB) -> bool:
    """Take out what a large document has left that never came whole, or never went; whether there was such a one."""
    with snapshot(db) as connection:
        has_come = _COMING in catalog_of(connection)._slots
    if has_come:
        with commit(db, user=USER, description="what never came whole") as connection:
            _drop_coming(catalog_of(connection))
    cleared = 0
    while clear_some(db):
        cleared += 1
    return has_come or cleared > 0


def clear_some(db: DB) -> bool:
    """Clear some more passages of what is forgotten; whether there were any.

    Nobody finds them any more. All of a large document in one transaction would keep everybody waiting who reads meanwhile.
    """
    with snapshot(db) as connection:
        if _GOING not in catalog_of(connection)._slots:
            return False
    with commit(db, user=USER, description="clear what is forgotten") as connection:
        catalog = catalog_of(connection)
        document, *others = catalog._slots[_GOING]
        if document.pieces:
            piece = document.pieces[-1]
            left = piece.chunks[: -preparing.AT_ONCE]
            _fetch(connection, piece.chunks[len(left) :])
            for chunk in piece.chunks[len(left) :]:
                clear(chunk)
            piece.segment, piece.chunks = Segment(b""), left
            document.pieces = document.pieces if left else document.pieces[:-1]
        else:
            catalog.set_slot(_GOING, tuple(others))
            if not others:
                del catalog._slots[_GOING]
    return True


def forget(db: DB, doc_id: str, key: str = "") -> tuple[Gone, Change | None]:
    """Take a document out of the world; UNKNOWN_DOCUMENT with what one might have meant.

    The transaction carries the `key`, so that whoever has lost the answer asks again under it and has the same one, for as
    long as that transaction is among the last `RECENT`.
    """
    check_key(key)
    with snapshot(db) as connection:
        documents = catalog_of(connection).documents
        if doc_id not in documents:
            before = _forgotten(db, doc_id, key) if key else None
            if before is not None:
                return before, None
            raise BatosError("UNKNOWN_DOCUMENT", f"no document is called {doc_id[:200]!r}", _hint(documents, doc_id))
        chunks = len(documents[doc_id].chunks)
    facts = {"key": key, "document": doc_id, "chunks": str(chunks)}
    with commit(db, user=USER, description=f"unindex {doc_id}", facts=facts) as connection:
        catalog = catalog_of(connection)
        written = Written(connection, catalog.documents[doc_id])
        gone = _remove(catalog, doc_id)
    return Gone(chunks, written.tid.hex()), Change(written.tid, gone=gone)


def _forgotten(db: DB, doc_id: str, key: str) -> Gone | None:
    """What was answered when this `key` took the document out."""
    for done in db.undoLog(0, -RECENT):
        if done.get("key") == key and done.get("document") == doc_id:
            return Gone(int(done["chunks"]), base64.decodebytes(done["id"]).hex())
    return None


def forget_past(db: DB, doc_id: str, seq: int) -> Change | None:
    """Forget the document that line `seq` of the outbox says is gone, if there is one, and move the cursor past the line."""
    with commit(db, user=USER, description=f"outbox {seq}: unindex {doc_id}", facts={"document": doc_id}) as connection:
        root = connection.root()
        catalog = catalog_of(connection)
        written = Written(connection, root["cursor"])
        gone = _remove(catalog, doc_id) if doc_id in catalog.documents else None
        root["cursor"]["outbox"] = seq
    return None if gone is None else Change(written.tid, gone=gone)


def catalog_of(connection: Connection) -> Any:
    """The catalog's object."""
    return connection.root()["knowledge_catalog_obj"]


def okapi_of(catalog: Any, b: float = B) -> OkapiBackend | None:
    """zope.index's index of words, where the settings want it and it has all documents."""
    slots = catalog._slots
    return OkapiBackend(slots["index"], b) if "index" in slots and REACHED not in slots else None


def begun(connection: Connection, document: Document) -> Stored:
    """A document as it is stored, without its passages."""

    def resolve(ref: Ref) -> UvmObject:
        return world_root.get(connection, ref.oid)

    held = inside(document.metadata, resolve)
    # Most documents have their id once more as their source: one text of two names is stored once.
    held = {name: document.doc_id if value == document.doc_id else value for name, value in held.items()}
    return Stored(document.doc_id, document.sha256, held, time.time())


def _passages(stored: Stored, piece: Prepared) -> tuple[Passage, ...]:
    return tuple(
        Passage(each.text, number, stored, each.start, each.context)
        for number, each in enumerate(piece.passages, piece.first)
    )


def _remove(catalog: Any, doc_id: str) -> int:
    """Take a document out; its OID."""
    document = catalog.documents.pop(doc_id)
    index = okapi_of(catalog)
    if index is not None:
        for chunk in document.chunks:
            index.unindex_doc(int_of(chunk))
    _let_go(catalog, document)
    return int_of(document)


def _drop_coming(catalog: Any) -> None:
    coming = catalog._slots.get(_COMING)
    if coming is not None:
        _let_go(catalog, coming)
        del catalog._slots[_COMING]


def _let_go(catalog: Any, document: Any) -> None:
    """Clear a document that nobody finds any more; a large one is left to `clear_some`."""
    chunks = document.chunks
    if len(chunks) > preparing.AT_ONCE:
        pieces, document.pieces = document.pieces, ()
        document.clear()
        document.pieces = pieces
        catalog.set_slot(_GOING, (*catalog._slots.get(_GOING, ()), document))
    else:
        _fetch(catalog._p_jar, chunks)
        document.clear()


def _fetch(connection: Any, chunks: Sequence[Any]) -> None:
    for at in range(0, len(chunks), _FETCHED):
        part = chunks[at : at + _FETCHED]
        connection.prefetch(part)  # each by itself costs a journey
        for chunk in part:
            chunk._p_activate()


def _oids(document: Any) -> list[str]:
    return [oid_of(chunk) for chunk in document.chunks]


def _hint(documents: Any, doc_id: str) -> str:
    names = list(islice(documents.keys(), _LOOKED_AT))
    # Most names are paths, and what is mistyped is their end.
    files = {name.rpartition("/")[2]: name for name in names}
    near = difflib.get_close_matches(doc_id, names) or [
        files[file] for file in difflib.get_close_matches(doc_id.rpartition("/")[2], files)
    ]
    return f"Did you mean {', '.join(near)}?" if near else "`batos search` shows the documents that its hits are from."
