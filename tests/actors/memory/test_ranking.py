from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.memory.ranking import fuse, highest

SIGNALS = st.lists(
    st.tuples(st.floats(0, 30, width=32), st.floats(-1, 1, width=32), st.integers(0, 4)), min_size=1, max_size=12
)


def signals(rows):
    words, meaning, owner = zip(*rows, strict=True)
    return np.array(words, np.float32), np.array(meaning, np.float32), np.array(owner)


@given(SIGNALS)
def test_a_score_is_between_nothing_and_one(rows):
    scores = fuse(*signals(rows))
    assert scores.dtype == np.float32
    assert np.all((scores >= 0) & (scores <= 1 + 1e-6))


@given(SIGNALS, st.randoms())
def test_the_order_of_the_passages_says_nothing(rows, random):
    order = list(range(len(rows)))
    random.shuffle(order)
    assert fuse(*signals([rows[n] for n in order])).tolist() == pytest.approx(
        fuse(*signals(rows))[order].tolist(), abs=1e-3
    )


@given(SIGNALS)
def test_of_one_document_who_is_better_in_both_is_not_behind(rows):
    words, meaning, owner = signals(rows)
    scores = fuse(words, meaning, owner)
    for one in range(len(rows)):
        behind = (owner == owner[one]) & (words <= words[one]) & (meaning <= meaning[one])
        assert np.all(scores[behind] <= scores[one] + 1e-6)


def test_of_two_like_passages_the_one_whose_document_says_more_is_first():
    scores = fuse(np.array([5, 5, 9], np.float32), np.array([0.2, 0.2, 0.3], np.float32), np.array([0, 1, 1]))
    assert scores[0] < scores[1] < scores[2]


def test_among_passages_that_mean_nearly_the_same_the_words_decide():
    words, meaning = np.array([5, 4, 4], np.float32), np.array([0.80, 0.82, 0.79], np.float32)
    assert fuse(words, meaning, np.arange(3)).argmax() == 0


def test_passages_that_mean_the_same_are_told_apart_by_words_alone():
    scores = fuse(np.array([2, 1, 1], np.float32), np.full(3, 0.1, np.float32), np.arange(3))
    assert scores.tolist() == pytest.approx([0.45, 0.225, 0.225])


def test_a_passage_that_is_the_worst_changes_nothing_among_the_best():
    words, meaning = np.zeros(100, np.float32), np.full(100, 0.1, np.float32)
    meaning[:2] = [0.7, 0.5]
    before = fuse(words, meaning, np.arange(100))
    meaning[99] = -0.5
    assert fuse(words, meaning, np.arange(100))[:2] == pytest.approx(before[:2], abs=0.01)


def test_a_long_document_owes_nothing_for_what_is_about_something_else():
    words = np.zeros(12, np.float32)
    meaning = np.array([0.8, 0.8, *[0.0] * 10], np.float32)
    alone = fuse(words, meaning, np.arange(12))
    long = fuse(words, meaning, np.array([0, 1, *[1] * 10]))
    assert long[:2].tolist() == pytest.approx(alone[:2].tolist())


def test_without_shared_words_the_meaning_decides_and_without_passages_there_is_no_score():
    assert fuse(np.zeros(2, np.float32), np.array([0.1, 0.7], np.float32), np.arange(2)).argmax() == 1
    assert len(fuse(np.zeros(0, np.float32), np.zeros(0, np.float32), np.zeros(0, int))) == 0


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(0, 12))
def test_the_highest_are_the_first_of_a_stable_order(values, most):
    scores = np.array(values, np.float32)
    expected = np.argsort(-scores, kind="stable")[:most]
    assert sorted(highest(scores, most).tolist()) == sorted(expected.tolist())
