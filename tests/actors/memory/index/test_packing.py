"""A segment's bytes: whatever goes in comes out, and another text has other bytes."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from actors.memory.index.packing import MOST, hashed, joined, pack, pack_vectors, postings, unpack, unpack_vectors
from actors.memory.texts.words import Terms

WORDS = st.lists(st.sampled_from(["wing", "lift", "storm", "東京", "\ud800"]), max_size=8)
PASSAGES = st.lists(st.builds(Terms, WORDS, st.lists(st.sampled_from(["the", "of"]), max_size=2)), max_size=6)


def same(one, other):
    return all(np.array_equal(mine, theirs) for mine, theirs in zip(one, other, strict=True))


def counted(found):
    """Passage and term of each posting, with its count."""
    terms = np.repeat(found.terms, np.diff(found.starts))
    rows = zip(found.passages.tolist(), terms.tolist(), found.counts.tolist(), strict=True)
    return {(passage, term): count for passage, term, count in rows}


@given(PASSAGES)
def test_what_is_packed_is_what_is_unpacked(passages):
    found = postings(passages)
    assert same(unpack(pack(found)), found)
    expected = {
        (number, hashed(term)): count
        for number, each in enumerate(passages)
        for term, count in Counter([*each.words, *each.beside]).items()
    }
    assert counted(found) == expected
    assert found.lengths.tolist() == [len(each.words) for each in passages]


@given(PASSAGES, PASSAGES)
def test_segments_that_follow_each_other_are_one(first, second):
    assert same(joined([postings(first), postings(second)]), postings([*first, *second]))


def test_many_passages_and_many_counts():
    passages = [Terms(["wing"] * (n % 400), ["the"]) for n in range(70_000)]
    found = unpack(pack(postings(passages)))
    assert same(found, postings(passages))
    assert found.counts.max() == MOST


def test_a_segment_is_small():
    text = [Terms([f"word{n}" for n in range(at, at + 60)], []) for at in range(10)]
    assert len(pack(postings(text))) < 10 * 150


def test_vectors_are_kept_in_half_precision():
    vectors = np.random.default_rng(0).standard_normal((3, 8)).astype(np.float32)
    found = unpack_vectors(pack_vectors(vectors), 3)
    assert found.dtype == np.float16
    assert np.allclose(found, vectors, atol=1e-2)
    assert len(pack_vectors(vectors)) == 3 * 8 * 2
