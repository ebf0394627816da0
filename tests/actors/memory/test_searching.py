"""What a search gives beside the best passages: what it is narrowed by, neighbours, reasons, and no passage twice."""

from __future__ import annotations

import time
from contextlib import closing

import numpy as np
import pytest
from ZODB import DB
from ZODB.FileStorage import FileStorage

from actors.memory import catalog, reindexing, searching
from actors.memory.index import sources
from actors.memory.searching import Asked
from protocol.checks.documents import check
from protocol.errors import BatosError
from protocol.messages import Search
from tests.actors.memory.conftest import MODEL, pieces
from world import awakening
from world.past import moments


def unit(*numbers):
    row = np.array([*numbers, *([0.0] * (8 - len(numbers)))], np.float32)
    return row / np.linalg.norm(row)


def keep(world, doc_id, texts, vectors, **metadata):
    document = check(doc_id, " ".join(texts), metadata)
    return catalog.keep(world.db, document, pieces(texts, np.array(vectors)))


def search(world, query, question=None, *, is_okapi=False, **more):
    view = sources.view_at(world.db, MODEL)
    return searching.find(world.db, view, Asked(Search(query=query, **more), question, 0.5, is_okapi))


def test_what_shares_no_word_is_found_where_it_is_near(world):
    keep(world, "leave", ["Parental leave."], [unit(1, 0.2)])
    keep(world, "bread", ["Bread and salt."], [unit(0, 0, 1)])
    assert [hit.doc_id for hit in search(world, "vacation", unit(1))] == ["leave"]
    assert search(world, "vacation") == []
    assert search(world, "… ?!", unit(1)) == []
    assert [hit.doc_id for hit in search(world, "salt", unit(1, 0, 1))] == ["bread", "leave"]


def test_without_a_word_the_newest_of_what_it_is_narrowed_to_is_found(world):
    assert search(world, "", where={"kind": "note"}) == []
    world.keep("a", "a wing", "two wings", kind="note", date="2020-05-01")
    world.keep("b", "a wing", kind="mail")
    world.keep("c", "bread", kind="note")
    assert [(hit.doc_id, hit.chunk_index, hit.score) for hit in search(world, "", where={"kind": "note"})] == [
        ("c", 0, 0.0),
        ("a", 1, 0.0),
        ("a", 0, 0.0),
    ]
    assert [hit.doc_id for hit in search(world, "?", unit(1), since=1.6e9, top_k=1)] == ["c"]
    catalog.forget(world.db, "c")
    assert [hit.doc_id for hit in search(world, "", where={"kind": "note"}, top_k=1)] == ["a"]
    assert search(world, "") == []


def test_a_passage_that_says_the_same_is_left_out_and_counted(world):
    keep(world, "a", ["The  Wing gives lift."], [unit(1)])
    keep(world, "b", ["the wing gives\nlift."], [unit(0, 1)])
    keep(world, "c", ["The wing does give lift!"], [unit(1, 0.05)])
    keep(world, "d", ["The wing gives 2 lifts."], [unit(1, 0.04)])
    found = {hit.doc_id: hit.alike for hit in search(world, "wing", unit(1))}
    assert found.keys() in ({"a", "d"}, {"b", "c", "d"}, {"a", "b", "d"})
    assert sum(found.values()) == 4 - len(found)
    assert len(search(world, "wing", unit(1), top_k=1)) == 1


def test_of_passages_that_say_the_same_the_older_one_is_shown_whatever_it_is_called(world):
    world.keep("z", "a wing gives lift")
    world.keep("a", "a wing gives lift")
    (hit,) = search(world, "wing")
    assert (hit.doc_id, hit.alike) == ("z", 1)


def test_neighbours_come_before_and_after(world):
    world.keep("a", "one", "two wings", "three", "four")
    (hit,) = search(world, "wings", around=2)
    assert (hit.before, hit.after) == (["one"], ["three", "four"])
    (hit,) = search(world, "wings")
    assert (hit.before, hit.after) == ([], [])


def test_a_passage_of_a_later_part_is_told_by_its_place_in_the_whole(world):
    texts, vectors = ["One wing.", "Two wings."], [unit(1), unit(0, 1)]
    keep(world, "a", texts, vectors, parts=3)
    keep(world, "a//2", texts, vectors, whole="a", part=2, begins=100)
    keep(world, "a//3", ["A beak.", "A tail."], vectors, whole="a", part=3, begins=200)
    (hit,) = search(world, "tail", around=1)
    assert (hit.doc_id, hit.chunk_index, hit.start, hit.before) == ("a", 5, 200, ["A beak."])
    catalog.forget(world.db, "a//2")
    assert [hit.chunk_index for hit in search(world, "tail")] == [3]


@pytest.mark.parametrize(
    "said", [{"whole": "b", "part": 2}, {"whole": "a", "part": "2"}, {"whole": "a", "part": 10**9}]
)
def test_what_only_says_that_it_is_a_part_is_none(world, said):
    keep(world, "a", ["A wing."], [unit(1)])
    keep(world, "a//2", ["A tail."], [unit(1)], **said)
    (hit,) = search(world, "tail")
    assert (hit.doc_id, hit.chunk_index) == ("a//2", 0)


def test_it_says_why(world):
    keep(world, "c", ["wings, wings and a lifting of bread"], [unit(1)], kind="mail")
    keep(world, "a", ["wings and lift"], [unit(1)], kind="note")
    keep(world, "b", ["bread and salt"], [unit(0, 1)], kind="note")
    about = {"where": {"kind": "note"}, "explain": True}
    first, second = search(world, "wings of lifting bread", unit(1, 0.5), **about)
    assert first.explained.terms == ["wing", "lift"]
    assert second.explained.terms == ["bread"]
    assert first.explained.cosine == pytest.approx(unit(1, 0.5)[0], abs=1e-3)
    for hit in (first, second):
        assert hit.explained.by_words + hit.explained.by_meaning == pytest.approx(hit.score, abs=1e-5)
    (by_words,) = search(world, "salt", explain=True)
    assert (by_words.explained.cosine, by_words.explained.by_meaning) == (None, 0.0)
    assert by_words.explained.bm25 > 0


def test_it_is_narrowed_by_metadata_and_time(world):
    world.keep("old", "a wing", date="2020-05-01", kind="note")
    world.keep("new", "a wing", date="2024-05-01", kind="note", text="new wing")
    found = search(world, "wing", since=1.6e9)
    assert [hit.doc_id for hit in found] == ["new"]
    assert [hit.doc_id for hit in search(world, "wing", until=1.6e9, where={"kind": "note"})] == ["old"]
    assert search(world, "wing", where={"kind": "mail"}) == []


def test_zope_indexes_words_give_the_same(world):
    for name, text in {"a": "wings and lift", "b": "wings wings in a storm", "c": "bread"}.items():
        world.keep(name, text)
    ours = [(hit.doc_id, hit.score) for hit in search(world, "wings of lifting")]
    while reindexing.fit_okapi(world.db, True) is not None:
        pass
    theirs = [(hit.doc_id, hit.score) for hit in search(world, "wings of lifting", is_okapi=True)]
    assert [name for name, _ in ours] == [name for name, _ in theirs]
    assert [score for _, score in ours] == pytest.approx([score for _, score in theirs], rel=1e-5)


def test_a_view_of_before_finds_what_was_there(world):
    world.keep("a", "wings", text="1")
    view = sources.view_at(world.db, MODEL)
    world.keep("a", "bread", text="2")
    catalog.forget(world.db, "a")
    hits = searching.find(world.db, view, Asked(Search(query="wings"), None, 0.5))
    assert [hit.text for hit in hits] == ["wings"]
    at = bytes.fromhex(view.tid.hex())
    assert sources.view_at(world.db, MODEL, at).count == 1
    assert sources.view_at(world.db, MODEL, b"\xff" * 8).count == 0
    world.db.pack()
    with pytest.raises(BatosError) as caught:
        sources.view_at(world.db, MODEL, at)
    assert caught.value.code == "EXPIRED"


def test_what_was_packed_away_is_not_answered_from_what_is_known(world):
    world.keep("a", "wings")
    view = sources.view_at(world.db, MODEL)
    known = sources.past_view(world.db, MODEL, view.tid, None)
    assert sources.past_view(world.db, MODEL, view.tid, known) is known
    time.sleep(0.01)
    moments.pack(world.db, time.time())
    with pytest.raises(BatosError) as caught:
        sources.past_view(world.db, MODEL, view.tid, known)
    assert caught.value.code == "EXPIRED"


def test_a_moment_before_the_first_or_whose_records_are_packed_is_gone(world):
    world.keep("b", "beak")
    view = sources.view_at(world.db, MODEL)
    world.keep("a", *[f"wings {n}" for n in range(501)], text="1")  # in pieces, which the catalog's own record names
    world.keep("b", "bread")
    world.db.pack()
    world.reopen()
    for at in (view.tid, b"\0" * 7 + b"\1"):
        with pytest.raises(BatosError) as caught:
            sources.view_at(world.db, MODEL, at)
        assert caught.value.code == "EXPIRED"
    with pytest.raises(BatosError) as caught:
        searching.find(world.db, view, Asked(Search(query="beak"), None, 0.5))
    assert caught.value.code == "EXPIRED"


def test_a_moment_before_the_world_awoke_has_no_index(tmp_path):
    with closing(DB(FileStorage(str(tmp_path / "new.fs")))) as db:
        before = db.lastTransaction()
        awakening.awaken(db)
        with pytest.raises(BatosError) as caught:
            sources.view_at(db, MODEL, before)
    assert caught.value.code == "INDEX_CHANGED"


def test_a_moment_at_which_zope_index_had_nothing_is_searched_by_segments(world):
    world.keep("a", "wings")
    view = sources.view_at(world.db, MODEL)
    while reindexing.fit_okapi(world.db, True) is not None:
        pass
    assert [hit.doc_id for hit in searching.find(world.db, view, Asked(Search(query="wings"), None, 0.5, True))] == [
        "a"
    ]


@pytest.mark.parametrize("wrong", [{"top_k": 0}, {"around": 21}, {"around": -1}, {"at": "soon"}])
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(BatosError) as caught:
        searching.check(Search(query="q", **wrong))
    assert caught.value.code == "BAD_ARGUMENT"
