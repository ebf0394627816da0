"""Words and the index of passages: what is found, and what is left when it is forgotten."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ZODB import DB
from ZODB.FileStorage import FileStorage

from world.lexicon import LONGEST, STOP_WORDS, empty_index
from world.store import commit, snapshot

LARGE = 1 << 61
"""An OID may be as large as this."""

WORDS = st.sampled_from(["wing", "wings", "lift", "storm", "the", "of", "Ärmel", "area_"])
TEXTS = st.lists(WORDS, max_size=6).map(" ".join)


def words(text):
    index = empty_index()
    return [index.lexicon.get_word(wid) for wid in index.lexicon.sourceToWordIds(text)]


def scores(index, query):
    found = index.search(query)
    return {} if found is None else dict(found.items())


def state(index):
    """All that the index holds, by word and passage."""
    lexicon = index.lexicon
    return {lexicon.get_word(wid): dict(index._wordinfo[wid].items()) for wid in index._wordinfo}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Running runners ran", ["run", "runner", "ran"]),
        ("increment_by_(2)", ["increment", "2"]),
        ("The Wing's lift isn't his", ["wing", "lift"]),
        ("ﬁne CAFÉ cafe\u0301", ["fine", "café", "café"]),
        ("… — ?!", []),
        ("q" * 5000, ["q" * LONGEST]),
    ],
)
def test_text_becomes_words(text, expected):
    assert words(text) == expected


def test_the_words_of_grammar_are_no_words():
    assert words(" ".join(STOP_WORDS)) == []


def test_one_shared_word_is_enough_and_more_of_them_rank_higher():
    index = empty_index()
    index.index_doc(LARGE + 1, "The lift of a wing in slow air")
    index.index_doc(LARGE + 2, "Winds over the wings of a storm petrel")
    index.index_doc(LARGE + 3, "A recipe for bread")
    found = scores(index, "How does a wing make lift?")
    assert found.keys() == {LARGE + 1, LARGE + 2}
    assert found[LARGE + 1] > found[LARGE + 2] > 0
    assert scores(index, "zebra") == {}
    assert index.search("what is it") is None


def test_what_is_forgotten_leaves_no_word_behind():
    index = empty_index()
    index.index_doc(1, "a secret wing")
    index.index_doc(2, "a common wing")
    index.unindex_doc(1)
    assert sorted(index.lexicon.words()) == ["common", "wing"]
    index.unindex_doc(1)
    index.unindex_doc(2)
    assert (list(index.lexicon.words()), index.documentCount(), state(index)) == ([], 0, {})


@given(st.lists(st.tuples(st.integers(1, 4), st.one_of(st.none(), TEXTS)), max_size=12), TEXTS)
def test_an_index_with_a_past_is_the_index_of_what_is_left(steps, query):
    index, left = empty_index(), {}
    for docid, text in steps:
        index.unindex_doc(docid)
        left.pop(docid, None)
        if text is not None:
            index.index_doc(docid, text)
            left[docid] = text
    fresh = empty_index()
    for docid, text in left.items():
        fresh.index_doc(docid, text)
    assert state(index) == state(fresh)
    assert sorted(index.lexicon.words()) == sorted(fresh.lexicon.words())
    assert scores(index, query) == pytest.approx(scores(fresh, query))


def fail_half_way(db):
    with commit(db, user="test", description="fails") as connection:
        index = connection.root()["index"]
        index.unindex_doc(7)
        connection.transaction_manager.savepoint(optimistic=True)
        index.index_doc(8, "bread")
        raise ZeroDivisionError


def test_it_is_stored_and_an_abort_leaves_it_as_it_was(tmp_path):
    path = str(tmp_path / "world.fs")
    db = DB(FileStorage(path))
    with commit(db, user="test", description="an index") as connection:
        connection.root()["index"] = empty_index()
        connection.root()["index"].index_doc(7, "wings")
    with pytest.raises(ZeroDivisionError):
        fail_half_way(db)
    db.close()
    db = DB(FileStorage(path))
    with snapshot(db) as connection:
        index = connection.root()["index"]
        assert state(index) == {"wing": {7: 1}}
        assert list(index.lexicon.words()) == ["wing"]
    db.close()
