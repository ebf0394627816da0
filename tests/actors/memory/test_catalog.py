"""The catalog on a real storage: all of a document or nothing, and once is once."""

from __future__ import annotations

import subprocess
import sys

import pytest
from persistent.mapping import PersistentMapping
from ZODB.Connection import Connection

from actors.memory import catalog
from protocol.checks.documents import check
from protocol.codec import Ref
from protocol.errors import BatosError
from world import awakening
from world.lexicon import PassageIndex
from world.store import commit, snapshot
from world.values import oid_of

WINGS = ("The wing gives lift.", "Air flows over wings.")

FOLLOWER = """
import sys
from ZODB import DB
from ZODB.FileStorage import FileStorage
from actors.memory import catalog
from protocol.checks.documents import check
db = DB(FileStorage(sys.argv[1]))
while (entry := catalog.next_entry(db)) is not None:
    document = check(*entry[1:4])
    catalog.follow(db, entry.seq, document, [document.text])
    print(entry.seq, flush=True)
"""


def test_a_document_is_found_after_reopening(world):
    kept = world.keep("a", *WINGS, n=1, tags=["x", {"y": None}])
    world.reopen()
    hits = catalog.find(world.db, "lift of a wing?", 10, {})
    assert [hit.chunk_oid for hit in hits] == kept.chunks
    assert [(hit.doc_id, hit.chunk_index, hit.text) for hit in hits] == [("a", n, WINGS[n]) for n in (0, 1)]
    assert hits[0].metadata == {"n": 1, "tags": ["x", {"y": None}]}
    assert isinstance(hits[0].score, float)
    assert hits[0].score > hits[1].score > 0


def test_the_commit_says_who_and_why_and_in_which_cycle(world):
    kept = world.keep("a", "wings", cycle="C7")
    (entry,) = world.commits()
    assert entry["description"] == b"index a"
    assert entry["cycle"] == "C7"
    assert world.db.lastTransaction().hex() == kept.tid


def test_the_same_again_changes_nothing(world):
    first = world.keep("a", *WINGS, n=1)
    world.reopen()
    assert world.keep("a", *WINGS, n=1) == (first.chunks, None)
    assert len(world.commits()) == 1


def test_a_changed_document_takes_the_place_of_the_old_one_in_one_transaction(world):
    first = world.keep("a", *WINGS, text="t")
    second = world.keep("a", "Bread and butter.", text="u")
    third = world.keep("a", "Bread and butter.", text="u", n=1)
    assert not {*first.chunks} & {*second.chunks}
    assert len(world.commits()) == 3
    assert world.find("wing lift air") == []
    assert world.find("bread") == [("a", "Bread and butter.")]
    assert catalog.find(world.db, "bread", 10, {"n": 1})[0].chunk_oid == third.chunks[0]


def test_an_old_moment_still_has_the_old_document(world):
    kept = world.keep("a", "wings", text="t")
    world.keep("a", "bread", text="u")
    with snapshot(world.db, at=bytes.fromhex(kept.tid)) as connection:
        old = connection.root()["knowledge_catalog_obj"].documents["a"]
        assert [chunk.text for chunk in old.chunks] == ["wings"]


def test_a_failure_after_the_savepoint_leaves_no_trace(world, monkeypatch):
    world.keep("a", *WINGS, text="t")
    before, size = world.db.lastTransaction(), world.path.stat().st_size
    real, calls = PassageIndex.index_doc, []

    def fails(self, docid, text, beside=()):
        calls.append(docid)
        if len(calls) == 2:
            raise OSError("the disk is full")
        return real(self, docid, text, beside)

    monkeypatch.setattr(PassageIndex, "index_doc", fails)
    for doc_id in ("a", "b"):
        calls.clear()
        with pytest.raises(OSError):
            world.keep(doc_id, "Bread.", "Butter.", text="u")
        assert len(calls) == 2
    monkeypatch.undo()
    for _ in range(2):
        assert (world.db.lastTransaction(), world.path.stat().st_size) == (before, size)
        assert world.documents() == ["a"]
        assert world.find("bread butter") == []
        assert [text for _, text in world.find("wings")] == list(WINGS)
        world.reopen()
        assert world.keep("a", *WINGS, text="t").tid is None


def test_what_is_forgotten_is_gone_to_the_last_word(world):
    kept = world.keep("a", *WINGS)
    world.keep("b", "Bread.")
    gone = catalog.forget(world.db, "a")
    assert gone == (len(kept.chunks), world.db.lastTransaction().hex())
    world.reopen()
    assert world.documents() == ["b"]
    assert world.find("wing lift air flow") == []
    with snapshot(world.db) as connection:
        index = connection.root()["knowledge_catalog_obj"].index
        assert list(index.lexicon.words()) == ["bread"]
        assert index.documentCount() == 1
        assert dict(connection.get(bytes.fromhex(kept.chunks[0]))._slots) == {}


def test_who_has_lost_the_answer_has_it_again_under_its_key(world):
    world.keep("a", *WINGS)
    gone = catalog.forget(world.db, "a", "k1")
    world.keep("b", "Bread.")
    assert catalog.forget(world.db, "a", "k1") == gone
    for doc_id, key in (("a", "k2"), ("a", ""), ("c", "k1")):
        with pytest.raises(BatosError, match="no document"):
            catalog.forget(world.db, doc_id, key)
    world.keep("a", *WINGS)
    assert catalog.forget(world.db, "a", "k3").tid > gone.tid
    with pytest.raises(BatosError, match="key"):
        catalog.forget(world.db, "a", "k" * 201)


def test_an_unknown_document_is_named_with_its_like(world):
    world.keep("report-2026", "wings")
    with pytest.raises(BatosError) as caught:
        catalog.forget(world.db, "report-2025")
    assert (caught.value.code, caught.value.hint) == ("UNKNOWN_DOCUMENT", "Did you mean report-2026?")
    world.keep("/somewhere/far/away/report.txt", "wings")
    with pytest.raises(BatosError) as caught:
        catalog.forget(world.db, "reprot.txt")
    assert caught.value.hint == "Did you mean /somewhere/far/away/report.txt?"
    with pytest.raises(BatosError) as caught:
        catalog.forget(world.db, "x")
    assert "batos search" in caught.value.hint


def test_any_word_is_enough_and_none_finds_nothing(world):
    world.keep("birds", "A wing gives lift to the bird.", "Feathers keep it warm.")
    world.keep("bread", "Flour, water and salt.")
    assert world.find("salted feathers of the phoenix") == [
        ("birds", "Feathers keep it warm."),
        ("bread", "Flour, water and salt."),
    ]
    assert world.find("phoenix") == []
    assert world.find("… ?!") == []
    assert world.find("what is it") == [("birds", "Feathers keep it warm.")]
    assert world.find("") == []
    assert len(world.find("wing feather flour", top_k=2)) == 2


def test_a_search_can_be_narrowed_by_metadata(world):
    world.keep("a", "wings", n=1, cycle="C1")
    world.keep("b", "wings", n=2)
    world.keep("c", "wings", n=True)
    assert world.find("wing", n=1.0) == [("a", "wings")]
    assert world.find("wing", n=True) == [("c", "wings")]
    assert world.find("wing", n=1, cycle="C2") == []
    assert world.find("wing", top_k=1, n=2) == [("b", "wings")]
    assert world.find("wing", absent=None) == []


def test_metadata_may_hold_a_reference(world):
    with snapshot(world.db) as connection:
        ref = Ref(oid_of(connection.root()["traits_obj"]))
    world.keep("a", "wings", about=ref)
    assert catalog.find(world.db, "wings", 1, {"about": ref})[0].metadata == {"about": ref}
    with pytest.raises(BatosError) as caught:
        world.keep("b", "wings", about=Ref("ff" * 8))
    assert caught.value.code == "UNKNOWN_OBJECT"
    assert world.documents() == ["a"]


def test_the_outbox_is_read_in_order_and_the_cursor_moves_with_the_document(world):
    world.say("first wings", "second bread", by="box")
    entry = catalog.next_entry(world.db)
    assert entry == (1, "note:1", "first wings", {"by": "box"}, False)
    document = check(*entry[1:4])
    catalog.follow(world.db, 1, document, [document.text])
    assert len(world.commits()) == 1
    world.reopen()
    assert catalog.cursor(world.db) == 1
    assert catalog.next_entry(world.db).seq == 2
    assert world.find("wings") == [("note:1", "first wings")]
    catalog.follow(world.db, 1, check("note:1", "other", {}), ["other"])
    assert len(world.commits()) == 1
    catalog.follow(world.db, 2, None, [])
    assert (catalog.next_entry(world.db), catalog.cursor(world.db)) == (None, 2)


def test_a_line_that_something_is_gone_takes_the_document_out_once(world):
    world.keep("method:1:area_", "area of wings")
    with commit(world.db, user="orchestrator", description="drop") as connection:
        for seq in (1, 2):
            line = {"doc_id": "method:1:area_", "text": "", "metadata": {}, "gone": True}
            connection.root()["outbox"][seq] = PersistentMapping(line)
    assert catalog.next_entry(world.db) == (1, "method:1:area_", "", {}, True)
    catalog.follow_gone(world.db, 1, "method:1:area_")
    assert (world.documents(), world.find("wings"), catalog.cursor(world.db)) == ([], [], 1)
    catalog.follow_gone(world.db, 2, "method:1:area_")
    catalog.follow_gone(world.db, 1, "method:1:area_")
    assert catalog.cursor(world.db) == 2


def test_a_crash_within_the_commit_of_an_entry_moves_nothing(world, monkeypatch):
    world.say("wings")
    document = check(*catalog.next_entry(world.db)[1:4])
    monkeypatch.setattr(Connection, "tpc_vote", lambda _connection, _transaction: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        catalog.follow(world.db, 1, document, ["wings"])
    monkeypatch.undo()
    world.reopen()
    assert catalog.cursor(world.db) == 0
    assert world.find("wings") == []
    catalog.follow(world.db, 1, document, ["wings"])
    assert world.find("wings") == [("note:1", "wings")]


@pytest.mark.parametrize("last", [1, 5, 12])
def test_killed_at_any_moment_it_goes_on_with_the_next_line(world, last):
    texts = [f"wing {n}" for n in range(1, 31)]
    world.say(*texts)
    world.db.close()
    follower = [sys.executable, "-c", FOLLOWER, str(world.path)]
    with subprocess.Popen(follower, stdout=subprocess.PIPE, text=True) as process:
        while next(process.stdout) != f"{last}\n":
            pass
        process.kill()
    world.open()
    reached = catalog.cursor(world.db)
    assert reached >= last
    assert {text for _, text in world.find("wing", top_k=100)} == {*texts[:reached]}
    world.db.close()
    subprocess.run(follower, check=True, stdout=subprocess.DEVNULL)
    world.open()
    assert sorted(text for _, text in world.find("wing", top_k=100)) == sorted(texts)
    assert len(world.commits()) == len(texts)


def older(world, *doc_ids):
    """A world of the form before terms were made by memory: its documents are there, and the index is not read again."""
    for doc_id in doc_ids:
        world.keep(doc_id, f"The e-mail of {doc_id}.", "A second passage.")
    with commit(world.db, user="test", description="an older form") as connection:
        connection.root()["knowledge_catalog_obj"].set_slot("index", PersistentMapping())
        connection.root()["schema_version"] = 7
    awakening.awaken(world.db)


def test_an_older_index_is_made_anew_in_pieces_and_says_so_meanwhile(world, monkeypatch):
    monkeypatch.setattr(catalog, "_REINDEXED_AT_ONCE", 3)
    older(world, "a", "b", "c", "d", "e")
    told = []
    while (reached := catalog.reindex(world.db)) is not None:
        told.append(reached)
        world.reopen()
        if reached.done < reached.total:
            with pytest.raises(BatosError, match="indexes all its documents anew"):
                world.find("email")
    assert told == [(2, 5), (4, 5), (5, 5)]
    assert catalog.reindex(world.db) is None
    assert sorted(doc_id for doc_id, _ in world.find("email")) == ["a", "b", "c", "d", "e"]
    with snapshot(world.db) as connection:
        assert connection.root()["knowledge_catalog_obj"].index.documentCount() == 10
    catalog.forget(world.db, "a")
    assert len(world.find("email")) == 4


def test_a_failure_while_the_index_is_made_anew_costs_one_piece(world, monkeypatch):
    monkeypatch.setattr(catalog, "_REINDEXED_AT_ONCE", 1)
    older(world, "a", "b", "c")
    catalog.reindex(world.db)
    real = PassageIndex.index_doc

    def fails(self, docid, text, beside=()):
        real(self, docid, text, beside)
        raise OSError("the disk is full")

    monkeypatch.setattr(PassageIndex, "index_doc", fails)
    with pytest.raises(OSError):
        catalog.reindex(world.db)
    monkeypatch.undo()
    assert catalog.reindex(world.db) == (3, 3)
    assert sorted(doc_id for doc_id, _ in world.find("email")) == ["a", "b", "c"]


def test_a_world_without_documents_has_nothing_to_index_anew(world):
    older(world)
    assert catalog.reindex(world.db) is None
    assert world.find("email") == []


def test_a_piece_that_ends_with_the_last_document_is_followed_by_an_empty_one(world, monkeypatch):
    monkeypatch.setattr(catalog, "_REINDEXED_AT_ONCE", 2)
    older(world, "a")
    assert [catalog.reindex(world.db) for _ in range(3)] == [(1, 1), (1, 1), None]
    assert len(world.find("email")) == 1
