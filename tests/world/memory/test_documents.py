"""Documents and passages as they are stored: few records, and still objects with slots."""

from __future__ import annotations

import copy

import pytest
from persistent.mapping import PersistentMapping
from ZODB import DB
from ZODB.FileStorage import FileStorage

from protocol.codec import Ref
from world import awakening
from world import root as world_root
from world.memory.documents import WITHIN, Document, Documents, Passage, Piece, Segment, document_of, inside
from world.store import commit, snapshot
from world.uvm import UvmObject, lookup
from world.values import oid_of


@pytest.fixture
def world(tmp_path):
    db = DB(FileStorage(str(tmp_path / "world.fs")))
    awakening.awaken(db)
    yield db
    db.close()


def kept(db, **metadata):
    """A document of a piece and two passages; their OIDs."""
    with commit(db, user="test", description="a document") as connection:
        catalog = connection.root()["knowledge_catalog_obj"]
        made = Document("a", "ab" * 32, metadata, 5.0)
        made.pieces = (Piece(Segment(b"w0", b"v0", b"m"), [Passage("first", 0, made, context="Title")]),)
        made.segment, made.own = Segment(b"w1"), (Passage("second", 1, made, 7),)
        catalog.documents["a"] = made
        connection.transaction_manager.savepoint()
        return [oid_of(chunk) for chunk in made.chunks]


def test_a_document_comes_back_as_it_was(world):
    oids = kept(world, n=1, tags=["x"])
    with snapshot(world) as connection:
        document = connection.root()["knowledge_catalog_obj"].documents["a"]
        assert (document.doc_id, document.sha256, document.created) == ("a", "ab" * 32, 5.0)
        assert document.metadata == {"n": 1, "tags": ["x"]}
        assert [segment for segment, _ in document.parts()] == [Segment(b"w0", b"v0", b"m"), Segment(b"w1")]
        assert [oid_of(chunk) for chunk in document.chunks] == oids


def test_many_passages_are_a_piece_that_is_read_by_itself():
    made = Document("a", "", {}, 0.0)
    made.hold(Segment(b"few"), [Passage("x", n, made) for n in range(WITHIN)])
    assert (made.segment.words, len(made.own), made.pieces) == (b"few", WITHIN, ())
    made = Document("a", "", {}, 0.0)
    made.hold(Segment(b"many"), [Passage("x", n, made) for n in range(WITHIN + 1)])
    assert (made.segment.words, made.own, len(made.chunks)) == (b"", (), WITHIN + 1)
    assert [(segment.words, len(chunks)) for segment, chunks in made.parts()] == [(b"many", WITHIN + 1), (b"", 0)]


def test_a_passage_is_an_object_with_slots_in_one_record(world):
    oids = kept(world, n=1)
    with snapshot(world) as connection:
        passage = world_root.get(connection, oids[0])
        told = {"text": "first", "doc_id": "a", "chunk_index": 0, "metadata": {"n": 1}, "start": 0, "context": "Title"}
        assert dict(passage._slots) == told
        assert (passage.text, passage._name) == ("first", None)
        assert lookup(passage, "chunk_index").value == 0
        assert passage._slots._p_serial == passage._p_serial != b"\0" * 8
        assert oid_of(passage._slots) == oid_of(passage)
        assert document_of(passage) is connection.root()["knowledge_catalog_obj"].documents["a"]
        assert document_of(connection.root()["traits_obj"]) is None
        with pytest.raises(AttributeError):
            _ = passage.nothing


def test_a_clone_of_a_passage_is_an_object_like_any_other(world):
    oids = kept(world, n=1)
    with snapshot(world) as connection:
        clone = copy.deepcopy(world_root.get(connection, oids[1]))
        assert type(clone) is UvmObject
        assert (clone.text, clone.start) == ("second", 7)


def test_what_is_written_on_a_passage_is_kept(world):
    oids = kept(world, n=1)
    with commit(world, user="test", description="write") as connection:
        passage = world_root.get(connection, oids[0])
        passage.seen = 3
        passage.text = "changed"
        passage.set_slot("list", [1])
    with commit(world, user="test", description="take away") as connection:
        passage = world_root.get(connection, oids[0])
        assert (passage.seen, passage.text, list(passage.list), passage.doc_id) == (3, "changed", [1], "a")
        del passage.seen
        with pytest.raises(AttributeError):
            del passage.seen
        del passage._slots["metadata"]
        with pytest.raises(KeyError):
            del passage._slots["nothing"]
    with snapshot(world) as connection:
        passage = world_root.get(connection, oids[0])
        assert sorted(passage._slots) == ["chunk_index", "context", "doc_id", "list", "start", "text"]
        assert passage.text == "changed"


def test_what_is_forgotten_leaves_nothing_in_its_records(world):
    oids = kept(world, secret="x")
    with commit(world, user="test", description="forget") as connection:
        connection.root()["knowledge_catalog_obj"].documents.pop("a").clear()
    with snapshot(world) as connection:
        for oid in oids:
            passage = world_root.get(connection, oid)
            assert (dict(passage._slots), len(passage._slots), document_of(passage)) == ({}, 0, None)


def test_references_in_metadata_are_objects_inside_and_references_outside(world):
    with snapshot(world) as connection:
        ref = Ref(oid_of(connection.root()["traits_obj"]))
    with commit(world, user="test", description="a reference") as connection:
        held = inside({"about": [ref, {"also": ref}]}, lambda ref: world_root.get(connection, ref.oid))
        assert held["about"][0] is connection.root()["traits_obj"]
        connection.root()["kept"] = PersistentMapping(document=Document("a", "", held, 0.0))
    with snapshot(world) as connection:
        assert connection.root()["kept"]["document"].metadata == {"about": [ref, {"also": ref}]}


def test_the_tree_of_names_has_small_leaves(world):
    with commit(world, user="test", description="many") as connection:
        tree = connection.root()["knowledge_catalog_obj"].documents
        assert type(tree) is Documents
        for number in range(200):
            tree[f"{number:03}"] = number
        assert len(tree._firstbucket) <= Documents.max_leaf_size
        assert list(tree.keys(min="150", max="152")) == ["150", "151", "152"]
