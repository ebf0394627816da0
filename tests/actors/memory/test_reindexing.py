"""Documents of an older form come over in pieces, and those without vectors have theirs."""

from __future__ import annotations

import numpy as np
import pytest
from BTrees.OOBTree import OOBTree
from persistent.mapping import PersistentMapping

from actors.memory import catalog, reindexing
from actors.memory.index import sources
from protocol.errors import BatosError
from tests.actors.memory.conftest import MODEL, pieces
from world import awakening
from world.store import commit, snapshot
from world.uvm import UvmObject
from world.values import oid_of


def older(world, *doc_ids, passages=2):
    """A world of the form before: passages and documents of two records each, and one index of all."""
    oids = {}
    with commit(world.db, user="test", description="an older form") as connection:
        catalog_obj = connection.root()["knowledge_catalog_obj"]
        catalog_obj.set_slot("documents", OOBTree())
        catalog_obj.set_slot("index", PersistentMapping())
        for doc_id in doc_ids:
            about = PersistentMapping({"n": 1, "by": connection.root()["traits_obj"]})
            texts = [f"The e-mail of {doc_id}.", *(f"Passage number {n}." for n in range(1, passages))]
            chunks = [
                UvmObject(text=text, doc_id=doc_id, chunk_index=n, metadata=about) for n, text in enumerate(texts)
            ]
            made = UvmObject(doc_id=doc_id, sha256="ab" * 32, chunks=chunks, metadata=about, created=5.0)
            catalog_obj.documents[doc_id] = made
            oids[doc_id] = chunks
        connection.root()["schema_version"] = 8
        connection.transaction_manager.savepoint()
        oids = {doc_id: [oid_of(chunk) for chunk in chunks] for doc_id, chunks in oids.items()}
    awakening.awaken(world.db)
    return oids


def test_older_documents_are_moved_in_pieces_with_the_objects_of_their_passages(world):
    oids = older(world, "a", "b", "c", "d", "e")
    told = []
    while (reached := reindexing.reindex(world.db, at_once=3)) is not None:
        told.append(reached)
        world.reopen()
        if reached.done < reached.total:
            with pytest.raises(BatosError, match="indexes all its documents anew"):
                world.find("email")
    assert told == [(2, 5), (4, 5), (5, 5)]
    assert reindexing.reindex(world.db) is None
    hits = world.hits("email")
    assert {hit.doc_id: hit.chunk_oid for hit in hits} == {doc_id: found[0] for doc_id, found in oids.items()}
    assert hits[0].metadata["n"] == 1
    assert len(world.hits("email", n=1)) == 5
    catalog.forget(world.db, "a")
    assert len(world.find("email")) == 4
    with snapshot(world.db) as connection:
        assert dict(connection.get(bytes.fromhex(oids["a"][0]))._slots) == {}


def test_a_failure_costs_one_piece(world, monkeypatch):
    older(world, "a", "b", "c")
    reindexing.reindex(world.db, at_once=1)
    with monkeypatch.context() as patched:
        patched.setattr(reindexing, "segment_of", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            reindexing.reindex(world.db, at_once=1)
    assert reindexing.reindex(world.db) == (3, 3)
    assert sorted(doc_id for doc_id, _ in world.find("email")) == ["a", "b", "c"]


def test_a_world_without_documents_has_nothing_to_move(world):
    older(world)
    assert reindexing.reindex(world.db) is None
    assert world.find("email") == []


def test_a_moment_before_is_not_searched(world):
    before = world.db.lastTransaction()
    older(world, "a")
    moved = world.db.lastTransaction()
    reindexing.reindex(world.db)
    for at in (moved, before[:7] + b"\0"):
        if at == moved:
            with pytest.raises(BatosError) as caught:
                sources.view_at(world.db, MODEL, at)
            assert caught.value.code == "INDEX_CHANGED"
    assert sources.view_at(world.db, MODEL, world.db.lastTransaction()).count == 2


def test_documents_without_vectors_of_this_model_are_given_them(world):
    world.keep("a", "one", "two")
    other = pieces(["three"], np.ones((1, 4), np.float32) / 2)
    catalog.keep(world.db, catalog_document("b"), other)
    view = sources.view_at(world.db, MODEL)
    assert len(view.lacking) == 1
    (unread,) = reindexing.unread(world.db, sorted(view.lacking))
    assert unread.texts == ["one", "two"]
    vectors = np.eye(2, 4, dtype=np.float32)
    (change,) = reindexing.give(world.db, [(unread, vectors)], MODEL)
    after = view.changed(change)
    assert (after.lacking, after.count, after.has_vectors) == (frozenset(), 3, True)
    again = sources.view_at(world.db, MODEL)
    assert again.lacking == frozenset()
    assert len(sources.view_at(world.db, b"another!").lacking) == 2
    catalog.forget(world.db, "a")
    assert reindexing.give(world.db, [(unread, vectors)], MODEL) == []


def catalog_document(doc_id):
    from protocol.checks.documents import check

    return check(doc_id, "three", {})


@pytest.mark.parametrize("at_once", [1, 100])
def test_zope_indexes_index_is_made_and_dropped_as_the_settings_want_it(world, monkeypatch, at_once):
    monkeypatch.setattr(reindexing, "AT_ONCE", at_once)
    world.keep("a", "bread", "butter")
    world.keep("b", "bread and salt")
    while reindexing.fit_okapi(world.db, True) is not None:
        world.reopen()
    world.keep("c", "bread alone")
    catalog.forget(world.db, "b")
    with snapshot(world.db) as connection:
        index = connection.root()["knowledge_catalog_obj"].index
        assert (index.documentCount(), sorted(index.lexicon.words())) == (3, ["alon", "bread", "butter"])
    assert reindexing.fit_okapi(world.db, False) is not None
    assert reindexing.fit_okapi(world.db, False) is None
