"""What is remembered, page by page, without its text: read from a snapshot, and nothing is written."""

from __future__ import annotations

from typing import Any, Final

from ZODB import DB

from protocol import codec
from protocol.errors import BatosError
from protocol.messages import Documents, DocumentsReply, DocumentView
from world.store import snapshot
from world.values import plain

MAX_PAGE: Final = 1000
PAGE_BYTES: Final = 4 << 20
"""A page ends where the next document would make it larger, so that it always fits into a frame."""


def listed(db: DB, request: Documents) -> DocumentsReply:
    """A page of the documents whose id begins as it is asked for; BAD_ARGUMENT for a page of no size."""
    if not 1 <= request.limit <= MAX_PAGE:
        raise BatosError("BAD_ARGUMENT", f"a page of {request.limit} documents", f"Give 1 to {MAX_PAGE}.")
    with snapshot(db) as connection:
        documents = connection.root()["knowledge_catalog_obj"].documents
        # Whoever asks may have another beginning than the page before: it goes on from the later of the two.
        first = max(request.beginning, request.after or "")
        page: list[DocumentView] = []
        weight = 0
        for doc_id, document in documents.items(min=first, excludemin=first == request.after):
            if not doc_id.startswith(request.beginning):
                break
            view = _view(doc_id, document)
            weight += len(codec.pack(view))
            if len(page) == request.limit or (page and weight > PAGE_BYTES):
                return DocumentsReply(documents=page, next=page[-1].doc_id)
            page.append(view)
        return DocumentsReply(documents=page)


def _view(doc_id: str, document: Any) -> DocumentView:
    said = document.metadata
    return DocumentView(
        doc_id=doc_id,
        chunks=len(document.chunks),
        created=float(document.created),
        sha256=document.sha256,
        metadata=said if isinstance(said, dict) else plain(said, lambda _: None),
    )
