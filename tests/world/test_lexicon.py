"""The index of passages by their terms: what is found, and what is left when it is forgotten."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ZODB import DB
from ZODB.FileStorage import FileStorage

from world.lexicon import empty_index
from world.store import commit, snapshot

LARGE = 1 << 61
"""An OID may be as large as this."""

TEXTS = st.lists(st.sampled_from(["wing", "lift", "storm", "1.2.3", "東京"]), max_size=6)


def scores(index, query):
    found = index.search(query)
    return {} if found is None else dict(found.items())


def state(index):
    """All that the index holds, by word and passage."""
    lexicon = index.lexicon
    return {lexicon.get_word(wid): dict(index._wordinfo[wid].items()) for wid in index._wordinfo}


def test_one_shared_term_is_enough_and_more_of_them_rank_higher():
    index = empty_index()
    index.index_doc(LARGE + 1, ["lift", "wing", "slow", "air"])
    index.index_doc(LARGE + 2, ["wind", "wing", "storm", "petrel"])
    index.index_doc(LARGE + 3, ["recipe", "bread"])
    found = scores(index, ["wing", "make", "lift"])
    assert found.keys() == {LARGE + 1, LARGE + 2}
    assert found[LARGE + 1] > found[LARGE + 2] > 0
    assert scores(index, ["zebra"]) == {}
    assert index.search([]) is None


def test_what_stands_beside_the_terms_is_found_and_makes_no_passage_longer():
    index, plain = empty_index(), empty_index()
    for docid, term in ((1, "wing"), (2, "lift")):
        plain.index_doc(docid, [term, "air"])
        index.index_doc(docid, [term, "air"], ["the"] * docid)
    assert scores(index, ["wing"]) == scores(plain, ["wing"])
    assert scores(index, ["the"]).keys() == {1, 2}
    index.index_doc(1, ["wing", "air"], ["of", "the"])
    assert scores(index, ["wing"]) == scores(plain, ["wing"])
    for docid in (1, 2):
        index.unindex_doc(docid)
    assert (index._totaldoclen(), state(index)) == (0, {})


def test_what_is_forgotten_leaves_no_term_behind():
    index = empty_index()
    index.index_doc(1, ["secret", "wing"])
    index.index_doc(2, ["common", "wing"])
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
        index.index_doc(8, ["bread"])
        raise ZeroDivisionError


def test_it_is_stored_and_an_abort_leaves_it_as_it_was(tmp_path):
    path = str(tmp_path / "world.fs")
    db = DB(FileStorage(path))
    with commit(db, user="test", description="an index") as connection:
        connection.root()["index"] = empty_index()
        connection.root()["index"].index_doc(7, ["wing"])
    with pytest.raises(ZeroDivisionError):
        fail_half_way(db)
    db.close()
    db = DB(FileStorage(path))
    with snapshot(db) as connection:
        index = connection.root()["index"]
        assert state(index) == {"wing": {7: 1}}
        assert list(index.lexicon.words()) == ["wing"]
    db.close()
