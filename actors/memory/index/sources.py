"""What stands in the world, as the view takes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from persistent import Persistent
from ZODB import DB
from ZODB.Connection import Connection
from ZODB.POSException import POSKeyError

from actors.memory.index.block import Source
from actors.memory.index.narrowing import facts, time_of
from actors.memory.index.packing import joined, unpack, unpack_vectors
from actors.memory.index.view import View, view_of
from protocol.errors import BatosError
from world.memory.documents import Document
from world.past import moments
from world.store import moment_of, snapshot

FIRST: Final = 9
"""The first form of the world that has segments."""
_MANY: Final = 1000
"""Documents that are asked of the server at once, after which what was read is let go again."""


def source_of(document: Document, model: bytes) -> Source:
    """A stored document, with its vectors where `model` has made all of them."""
    parts, metadata = list(document.parts()), document.metadata
    has_vectors = all(segment.model == model and segment.vectors for segment, chunks in parts if chunks)
    postings = [unpack(segment.words) for segment, chunks in parts if chunks]
    oids = [int_of(chunk) for _, chunks in parts for chunk in chunks]
    return Source(
        int_of(document),
        time_of(metadata, document.created),
        facts(metadata),
        np.array(oids, np.int64),
        postings[0] if len(postings) == 1 else joined(postings),
        _vectors(document) if has_vectors else np.zeros((len(oids), 0), np.float16),
    )


def int_of(stored: Persistent) -> int:
    """The OID of a stored object as a number."""
    oid: bytes | None = stored._p_oid
    assert oid is not None, "it has none before a savepoint"
    return int.from_bytes(oid)


def all_sources(connection: Connection, model: bytes) -> Iterator[Source]:
    """All documents of the moment that the connection sees."""
    reading: Any = connection
    named = reading.root()["knowledge_catalog_obj"].documents
    _fetch_leaves(reading, named)
    documents = iter(list(named.values()))
    while batch := list(islice(documents, _MANY)):
        reading.prefetch(batch)
        for document in batch:
            yield source_of(document, model)
        reading.cacheMinimize()


def _fetch_leaves(connection: Any, tree: Any) -> None:
    """Ask the server for a tree level by level: leaf by leaf, a start would take a fifth longer."""
    level = [tree]
    while level:
        connection.prefetch(level)
        # A tree of one leaf has it within itself, and of others each second part is a key.
        states = [node.__getstate__() for node in level if hasattr(node, "max_internal_size")]
        level = [child for state in states if state is not None and len(state) > 1 for child in state[0][::2]]


def _vectors(document: Document) -> NDArray[np.float16]:
    rows = [unpack_vectors(segment.vectors, len(chunks)) for segment, chunks in document.parts() if chunks]
    return rows[0] if len(rows) == 1 else np.concatenate(rows)


def view_at(db: DB, model: bytes, at: bytes | None = None) -> View:
    """The view of now, or as it was right after transaction `at`; of a moment that has yet to come, that of now.

    NOT_READY where the documents are indexed anew; INDEX_CHANGED for a moment at which they had another index; EXPIRED for one
    before the last pack.
    """
    with snapshot(db) as connection:
        now = bytes.fromhex(moment_of(connection))
        if at is None or at >= now:
            if not _has_segments(connection):
                raise BatosError(
                    "NOT_READY", "memory indexes all its documents anew", "`batos status` says when it is done."
                )
            return view_of(now, list(all_sources(connection, model)))
    with not_packed(), snapshot(db, at=at) as connection:
        if not _has_segments(connection):
            raise BatosError(
                "INDEX_CHANGED",
                "at that moment the documents had an index of another form, which this program cannot search",
                "Give a later moment; `batos look NAME --at WHEN` still shows the objects as they were.",
            )
        return view_of(at, list(all_sources(connection, model)))


def past_view(db: DB, model: bytes, at: bytes, known: tuple[bytes, View] | None) -> tuple[bytes, View]:
    """The model and its view as it was right after transaction `at`, which may be the `known` one. As `view_at`, and EXPIRED."""
    moments.check_kept(db, at.hex())
    # One that was asked for a moment yet to come has another one, and is not taken for it later.
    if known is not None and known[0] == model and known[1].tid == at:
        return known
    return model, view_at(db, model, at)


@contextmanager
def not_packed() -> Iterator[None]:
    """EXPIRED where what is read of the past is no longer there."""
    try:
        yield
    except POSKeyError as error:
        raise BatosError(
            "EXPIRED", "the world has been packed since that moment", "Give a moment after the last `batos pack`."
        ) from error


def _has_segments(connection: Connection) -> bool:
    root: Any = connection.root()
    return root.get("schema_version", 0) >= FIRST and "older" not in root["knowledge_catalog_obj"]._slots
