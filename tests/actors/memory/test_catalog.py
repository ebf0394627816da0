"""The catalog on a real storage: all of a document or nothing, and once is once."""

from __future__ import annotations

import subprocess
import sys

import pytest
from persistent.mapping import PersistentMapping
from ZODB.Connection import Connection

from actors.memory import catalog, outbox
from protocol.checks.documents import check
from protocol.codec import Ref
from protocol.errors import BatosError
from world.store import commit, snapshot
from world.values import oid_of

WINGS = ("The wing gives lift.", "Air flows over wings.")

FOLLOWER = """
import sys
from ZODB import DB
from ZODB.FileStorage import FileStorage
from actors.memory import catalog, outbox
from actors.memory.texts.passages import Passage
from actors.memory.preparing import prepared
from protocol.checks.documents import check
db = DB(FileStorage(sys.argv[1]))
while (entry := outbox.next_entry(db)) is not None:
    document = check(*entry[1:4])
    catalog.keep(db, document, prepared([Passage(document.text, 0)]), entry.seq)
    print(entry.seq, flush=True)
"""


def test_a_document_is_found_after_reopening(world):
    kept = world.keep("a", *WINGS, n=1, tags=["x", {"y": None}])
    world.reopen()
    hits = world.hits("lift of a wing?")
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
    assert world.hits("bread", n=1)[0].chunk_oid == third.chunks[0]


def test_an_old_moment_still_has_the_old_document(world):
    kept = world.keep("a", "wings", text="t")
    world.keep("a", "bread", text="u")
    with snapshot(world.db, at=bytes.fromhex(kept.tid)) as connection:
        old = connection.root()["knowledge_catalog_obj"].documents["a"]
        assert [chunk.text for chunk in old.chunks] == ["wings"]


def test_a_failure_after_the_savepoint_leaves_no_trace(world, monkeypatch):
    world.keep("a", *WINGS, text="t")
    before, size = world.db.lastTransaction(), world.path.stat().st_size
    called = []

    def fails(document, _model):
        called.append([oid_of(chunk) for chunk in document.chunks])
        raise OSError("the disk is full")

    monkeypatch.setattr(catalog, "source_of", fails)
    for doc_id in ("a", "b"):
        with pytest.raises(OSError):
            world.keep(doc_id, "Bread.", "Butter.", text="u")
    monkeypatch.undo()
    assert [len(oids) for oids in called] == [2, 2]
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
    gone, _ = catalog.forget(world.db, "a")
    assert gone == (len(kept.chunks), world.db.lastTransaction().hex())
    world.reopen()
    assert world.documents() == ["b"]
    assert world.find("wing lift air flow") == []
    with snapshot(world.db) as connection:
        assert dict(connection.get(bytes.fromhex(kept.chunks[0]))._slots) == {}


def test_who_has_lost_the_answer_has_it_again_under_its_key(world):
    world.keep("a", *WINGS)
    gone, _ = catalog.forget(world.db, "a", "k1")
    world.keep("b", "Bread.")
    assert catalog.forget(world.db, "a", "k1") == (gone, None)
    for doc_id, key in (("a", "k2"), ("a", ""), ("c", "k1")):
        with pytest.raises(BatosError, match="no document"):
            catalog.forget(world.db, doc_id, key)
    world.keep("a", *WINGS)
    assert catalog.forget(world.db, "a", "k3")[0].tid > gone.tid
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
    assert world.hits("wings", 1, about=ref)[0].metadata == {"about": ref}
    with pytest.raises(BatosError) as caught:
        world.keep("b", "wings", about=Ref("ff" * 8))
    assert caught.value.code == "UNKNOWN_OBJECT"
    assert world.documents() == ["a"]


def test_the_outbox_is_read_in_order_and_the_cursor_moves_with_the_document(world):
    world.say("first wings", "second bread", by="box")
    entry = outbox.next_entry(world.db)
    assert entry == (1, "note:1", "first wings", {"by": "box"}, False)
    document = check(*entry[1:4])
    world.write(document, [document.text], past=1)
    assert len(world.commits()) == 1
    world.reopen()
    assert outbox.cursor(world.db) == 1
    assert outbox.next_entry(world.db).seq == 2
    assert world.find("wings") == [("note:1", "first wings")]
    outbox.pass_over(world.db, 2)
    assert (outbox.next_entry(world.db), outbox.cursor(world.db)) == (None, 2)


def test_a_line_that_something_is_gone_takes_the_document_out_once(world):
    world.keep("method:1:area_", "area of wings")
    with commit(world.db, user="orchestrator", description="drop") as connection:
        for seq in (1, 2):
            line = {"doc_id": "method:1:area_", "text": "", "metadata": {}, "gone": True}
            connection.root()["outbox"][seq] = PersistentMapping(line)
    assert outbox.next_entry(world.db) == (1, "method:1:area_", "", {}, True)
    assert catalog.forget_past(world.db, "method:1:area_", 1).gone is not None
    assert (world.documents(), world.find("wings"), outbox.cursor(world.db)) == ([], [], 1)
    assert catalog.forget_past(world.db, "method:1:area_", 2) is None
    assert outbox.cursor(world.db) == 2


def test_a_crash_within_the_commit_of_an_entry_moves_nothing(world, monkeypatch):
    world.say("wings")
    document = check(*outbox.next_entry(world.db)[1:4])
    monkeypatch.setattr(Connection, "tpc_vote", lambda _connection, _transaction: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        world.write(document, ["wings"], past=1)
    monkeypatch.undo()
    world.reopen()
    assert outbox.cursor(world.db) == 0
    assert world.find("wings") == []
    world.write(document, ["wings"], past=1)
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
    reached = outbox.cursor(world.db)
    assert reached >= last
    assert {text for _, text in world.find("wing", top_k=100)} == {*texts[:reached]}
    world.db.close()
    subprocess.run(follower, check=True, stdout=subprocess.DEVNULL)
    world.open()
    assert sorted(text for _, text in world.find("wing", top_k=100)) == sorted(texts)
    assert len(world.commits()) == len(texts)
