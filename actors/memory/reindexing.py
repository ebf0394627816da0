"""How documents of an older form, or without vectors of this model, come to have their segments.

Their words first: some seconds for ten thousand passages, in which nothing is searched, since an answer from a part of what is
known would be wrong. Their vectors then, batch by batch, while memory answers everything by words: they take minutes, and a person
would rather find words now than meaning later. Each transaction moves some documents for good, so whoever dies in between goes
on there. Passages keep their objects, whose OIDs somebody may have noted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from ZODB import DB
from ZODB.utils import p64

from actors.memory.catalog import REACHED, USER, catalog_of
from actors.memory.embedding import Vectors
from actors.memory.index.backends import OkapiBackend
from actors.memory.index.packing import narrowed, pack_vectors
from actors.memory.index.sources import int_of, source_of
from actors.memory.index.view import Change
from actors.memory.preparing import AT_ONCE, segment_of
from actors.memory.texts.words import document_terms
from world.lexicon import empty_index
from world.memory.documents import Document, Segment
from world.store import Written, commit, snapshot

_OLDER: Final = "older"


class Reindexed(NamedTuple):
    """How many of the documents have their segments."""

    done: int
    total: int


class Unread(NamedTuple):
    """A document without vectors of this model: its OID, and what is to be embedded of its passages."""

    oid: int
    texts: list[str]


def reindex(db: DB, at_once: int = AT_ONCE) -> Reindexed | None:
    """Move some more of the documents to today's form; None when all are of it."""
    with snapshot(db) as connection:
        if _OLDER not in catalog_of(connection)._slots:
            return None
    with commit(db, user=USER, description="index anew") as connection:
        catalog = catalog_of(connection)
        passages = 0
        while passages < at_once and len(catalog.older):
            doc_id = catalog.older.minKey()
            before = catalog.older.pop(doc_id)
            catalog.documents[doc_id] = _moved(before)
            passages += len(before.chunks)
            before._slots.clear()
        done = Reindexed(len(catalog.documents), len(catalog.documents) + len(catalog.older))
        if not len(catalog.older):
            del catalog.older
        return done


def _moved(before: Any) -> Document:
    held = {name: _held(value) for name, value in before.metadata.items()}
    made = Document(before.doc_id, before.sha256, held, before.created)
    chunks = tuple(before.chunks)
    made.hold(segment_of([document_terms(chunk.text) for chunk in chunks], None, b""), chunks)
    return made


def _held(value: Any) -> Any:
    """A persistent value of metadata as a document's record has it: plain containers, and objects."""
    if hasattr(value, "items") and not hasattr(value, "_slots"):
        return {name: _held(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [_held(each) for each in value]
    return value


def unread(db: DB, oids: Sequence[int], most: int = AT_ONCE) -> list[Unread]:
    """The first of these documents, with some hundred passages together."""
    found: list[Unread] = []
    passages = 0
    with snapshot(db) as connection:
        for oid in oids:
            if passages >= most:
                break
            document: Any = connection.get(p64(oid))
            texts = [_read(chunk) for chunk in document.chunks]
            passages += len(texts)
            found.append(Unread(oid, texts))
    return found


def give(db: DB, given: Sequence[tuple[Unread, Vectors]], model: bytes) -> list[Change]:
    """Give documents their vectors; those that are forgotten meanwhile have no use for them."""
    stands: list[tuple[Document, Vectors]] = []
    with commit(db, user=USER, description=f"vectors of {len(given)} documents") as connection:
        for each, vectors in given:
            document: Any = connection.get(p64(each.oid))
            if catalog_of(connection).documents.get(document.doc_id) is document:
                _give(document, vectors, model)
                stands.append((document, vectors))
        if not stands:
            return []
        written = Written(connection, stands[0][0])
        sources = [source_of(document, model) for document, _ in stands]
    return [Change(written.tid, source, source.oid) for source in sources]


def _give(document: Document, vectors: Vectors, model: bytes) -> None:
    at = 0
    holders: list[tuple[Any, tuple[Any, ...]]] = [(piece, piece.chunks) for piece in document.pieces]
    for holder, chunks in (*holders, (document, document.own)):
        rows = vectors[at : at + len(chunks)]
        at += len(chunks)
        holder.segment = Segment(holder.segment.words, pack_vectors(narrowed(rows)), model)


def _read(chunk: Any) -> str:
    slots = chunk._slots
    context = slots.get("context", "")
    return f"{context}\n{slots['text']}" if context else str(slots["text"])


def fit_okapi(db: DB, wanted: bool) -> Reindexed | None:
    """Make or drop some more of the index of zope.index, as the settings want it; None when it is as they want it."""
    with snapshot(db) as connection:
        slots = catalog_of(connection)._slots
        if ("index" in slots) == wanted and REACHED not in slots:
            return None
    with commit(db, user=USER, description="the index of zope.index") as connection:
        catalog = catalog_of(connection)
        if not wanted:
            for slot in ("index", REACHED):
                catalog._slots.pop(slot, None)
            return Reindexed(len(catalog.documents), len(catalog.documents))
        if "index" not in catalog._slots:
            catalog.set_slot("index", empty_index())
            catalog.set_slot(REACHED, "")
        passages, reached = 0, catalog._slots[REACHED]
        for reached, document in catalog.documents.items(min=reached, excludemin=True):  # noqa: B020 - from there on
            for chunk in document.chunks:
                OkapiBackend(catalog.index).index_doc(int_of(chunk), document_terms(_read(chunk)))
            passages += len(document.chunks)
            if passages >= AT_ONCE:
                catalog.set_slot(REACHED, reached)
                break
        else:
            del catalog._slots[REACHED]
        return Reindexed(len(catalog.documents.keys(max=reached)), len(catalog.documents))
