"""What is remembered, page by page, without its text, and the text of one document: read from a snapshot, and nothing is written."""

from __future__ import annotations

from typing import Any, Final

from ZODB import DB

from protocol import codec
from protocol.errors import BatosError
from protocol.messages import Documents, DocumentsReply, DocumentView, Passages, PassagesReply, PassageText
from world.store import snapshot
from world.values import oid_of, plain

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


def passages(db: DB, request: Passages) -> PassagesReply:
    """A page of a document's passages; UNKNOWN_DOCUMENT where there is none of this id, BAD_ARGUMENT for a place before its beginning."""
    if request.after < 0:
        raise BatosError("BAD_ARGUMENT", f"a page after {request.after} passages", "Give 0, or the `next` of a page.")
    with snapshot(db) as connection:
        document = connection.root()["knowledge_catalog_obj"].documents.get(request.doc_id)
        if document is None:
            raise BatosError(
                "UNKNOWN_DOCUMENT",
                f"no document is called {request.doc_id[:200]!r}",
                "`batos documents` lists what is remembered.",
            )
        page: list[PassageText] = []
        weight, chunks = 0, document.chunks
        for chunk in chunks[request.after :]:
            found = PassageText(
                chunk_oid=oid_of(chunk),
                text=_text(chunk, "text"),
                start=int(chunk.start) if isinstance(chunk.start, int) else 0,
                context=_text(chunk, "context"),
            )
            weight += len(codec.pack(found))
            if page and weight > PAGE_BYTES:
                break
            page.append(found)
        reached = request.after + len(page)
        said = _view(request.doc_id, document).metadata
        return PassagesReply(
            doc_id=request.doc_id, metadata=said, passages=page, next=reached if reached < len(chunks) else None
        )


def _text(chunk: Any, slot: str) -> str:
    """A slot of a passage, on which anybody may write anything."""
    value = getattr(chunk, slot, "")
    return value if isinstance(value, str) else ""


def _view(doc_id: str, document: Any) -> DocumentView:
    said = document.metadata
    return DocumentView(
        doc_id=doc_id,
        chunks=len(document.chunks),
        created=float(document.created),
        sha256=document.sha256,
        metadata=said if isinstance(said, dict) else plain(said, lambda _: None),
    )
