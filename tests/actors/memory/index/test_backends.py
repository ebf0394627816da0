"""One suite for both indexes of words: the same passages, found with the same scores."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zope.index.interfaces import IIndexSearch, IInjection, IStatistics
from zope.interface.verify import verifyObject

from actors.memory.index.backends import OkapiBackend, SegmentIndex
from actors.memory.texts.words import Terms, document_terms

BACKENDS = (SegmentIndex, OkapiBackend)
LARGE = 1 << 61
"""An OID may be as large as this."""

WORDS = st.lists(st.sampled_from(["wing", "lift", "storm", "1.2.3", "東京", "the"]), min_size=1, max_size=6)
PASSAGES = st.builds(Terms, WORDS, st.lists(st.sampled_from(["of", "the", "airfoil"]), max_size=2, unique=True))
STEPS = st.lists(st.tuples(st.integers(1, 5), st.one_of(st.none(), PASSAGES)), max_size=16)


@pytest.fixture(params=BACKENDS)
def index(request):
    return request.param()


def test_it_has_zope_indexes_interfaces(index):
    for interface in (IInjection, IIndexSearch, IStatistics):
        assert verifyObject(interface, index)


def test_one_shared_term_is_enough_and_more_of_them_rank_higher(index):
    index.index_doc(LARGE + 1, document_terms("The slow air gives lift to the wing."))
    index.index_doc(LARGE + 2, document_terms("A wing in the wind of a storm, and a petrel."))
    index.index_doc(LARGE + 3, document_terms("A recipe for bread."))
    found = index.apply(["wing", "lift"])
    assert found.keys() == {LARGE + 1, LARGE + 2}
    assert found[LARGE + 1] > found[LARGE + 2] > 0
    assert index.apply(["zebra"]) == {}
    assert index.apply([]) == {}


def test_what_stands_beside_makes_no_passage_longer(index):
    for docid in (1, 2):
        index.index_doc(docid, Terms(["wing", "air"], ["the"] * 0 if docid == 1 else ["the", "of", "a"]))
    found = index.apply(["wing"])
    assert found[1] == pytest.approx(found[2])
    assert index.apply(["of"]).keys() == {2}


def test_a_term_that_is_asked_for_twice_counts_twice(index):
    index.index_doc(1, Terms(["wing", "air"], []))
    assert index.apply(["wing", "wing"])[1] == pytest.approx(2 * index.apply(["wing"])[1])


def test_what_is_forgotten_counts_no_more(index):
    for docid in (1, 2, 3):
        index.index_doc(docid, Terms(["wing", f"word{docid}"], []))
    index.unindex_doc(2)
    index.unindex_doc(2)
    index.index_doc(3, Terms(["air"], []))
    assert (index.documentCount(), index.wordCount()) == (2, 3)
    assert index.apply(["wing", "word2", "word3"]).keys() == {1}
    index.clear()
    assert (index.documentCount(), index.wordCount(), index.apply(["wing"])) == (0, 0, {})


@given(STEPS, WORDS, st.sampled_from([0.0, 0.5, 0.75, 1.0]))
def test_both_give_the_same_scores_whatever_was_indexed_and_forgotten(steps, query, b):
    indexes = [backend(b=b) for backend in BACKENDS]
    for docid, terms in steps:
        for index in indexes:
            index.unindex_doc(docid) if terms is None else index.index_doc(docid, terms)
    ours, theirs = indexes
    assert (ours.documentCount(), ours.wordCount()) == (theirs.documentCount(), theirs.wordCount())
    assert ours.apply(query) == pytest.approx(theirs.apply(query), rel=1e-5)
