"""Whose documents are: an origin without `install` adds documents, and changes those alone that it had remembered itself.

What stands under an id is the user's, or the mind's, unless its metadata says which origin it is from: memory writes that there,
and no origin does. A part of a document is changed by nobody who may not change the whole.
"""

from __future__ import annotations

from collections.abc import Iterator

from ZODB import DB

from actors.memory.catalog import catalog_of
from protocol.checks.documents import BETWEEN, BY, Document, whole_id
from protocol.errors import BatosError
from protocol.origin import Origin, may, not_allowed
from world.store import snapshot

_SHOWN = 200


def check_own(db: DB, origin: Origin | None, document: Document, was: str = "") -> None:
    """NOT_ALLOWED where `document` would take the place of one that is not its origin's, move it from `was`, or be a part of it."""
    if origin is None or may(origin, "install"):
        return
    with snapshot(db) as connection:
        documents = catalog_of(connection).documents
        for id_ in (document.doc_id, was):
            kept = documents.get(id_)
            if kept is not None and kept.metadata.get(BY) != origin.label:
                raise _refused(origin, id_, "which is not its own")
        for id_ in _wholes(document):
            kept = documents.get(id_)
            if kept is None or kept.metadata.get(BY) != origin.label:
                raise _refused(origin, id_, "of which this would be a part")


def _wholes(document: Document) -> Iterator[str]:
    """The documents of which this one would be taken for a part: by what it says, or by its id."""
    whole = whole_id(document.doc_id, document.metadata)
    if whole != document.doc_id:
        yield whole
    before, between, number = document.doc_id.rpartition(BETWEEN)
    if between and number.isdecimal():
        yield before


def _refused(origin: Origin, doc_id: str, why: str) -> BatosError:
    return not_allowed(
        origin,
        "install",
        f"changing the document {doc_id[:_SHOWN]!r}, {why},",
        "Remember it under an id that nothing has yet; or have the user of the home do it: `batos remember --id ID`.",
    )
