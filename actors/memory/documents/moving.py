"""A document under another id: the same text is not embedded again because its file was renamed.

What is stored of a document says its id once, in its own record, and its passages read it there. So a move writes that record and
the tree of names. Whether the text is the same is told by the hash of it that was kept.
"""

from __future__ import annotations

from typing import Any, Final

from ZODB import DB

from actors.memory.catalog import USER, KeptDocument, begun, catalog_of
from actors.memory.index.sources import int_of, source_of
from actors.memory.index.view import Change
from protocol.checks.documents import Document, check
from world.memory.documents import Document as Stored
from world.store import Written, commit, snapshot
from world.values import oid_of

_READ_BY: Final = ("title", "format")
"""The metadata that passages are made by."""


def move(db: DB, document: Document, was: str, model: bytes) -> tuple[KeptDocument, Change] | None:
    """Let what is remembered as `was` be `document`; None where it is another text, was read otherwise, or an id is taken.

    The change that is answered has its vectors where `model` has made them.
    """
    with snapshot(db) as connection:
        documents = catalog_of(connection).documents
        if document.doc_id in documents or not _is_same(documents.get(was), document, was):
            return None
    with commit(
        db,
        user=USER,
        description=f"move {was} to {document.doc_id}",
        cycle=document.cycle,
        facts={"document": document.doc_id},
    ) as connection:
        documents = catalog_of(connection).documents
        stored = documents.pop(was)
        documents[document.doc_id] = stored
        stored.doc_id, stored.sha256, stored.held = document.doc_id, document.sha256, begun(connection, document).held
        written = Written(connection, stored)
        came = source_of(stored, model)
        chunks = [oid_of(chunk) for chunk in stored.chunks]
        gone = int_of(stored)
    return KeptDocument(chunks, written.tid.hex()), Change(written.tid, came, gone)


def _is_same(stored: Any, document: Document, was: str) -> bool:
    if not isinstance(stored, Stored):
        return False
    before = stored.metadata
    is_read_so = all(before.get(name) == document.metadata.get(name) for name in _READ_BY)
    return is_read_so and check(was, document.text, before).sha256 == stored.sha256
