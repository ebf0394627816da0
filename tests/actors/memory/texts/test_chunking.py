"""Where passages end: laws of both strategies, and the exact one against all segmentations there are."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.memory.texts.chunking import STRATEGIES, adjacent, changepoint

CAP = 10


@st.composite
def documents(draw, most=8):
    """Unit vectors in a plane, and the tokens of each sentence, none over the cap."""
    angles = draw(st.lists(st.floats(0, 2 * np.pi), max_size=most))
    tokens = draw(st.lists(st.integers(1, CAP), min_size=len(angles), max_size=len(angles)))
    return unit(angles), tokens


def unit(angles):
    return np.array([[np.cos(a), np.sin(a)] for a in angles], dtype=np.float32).reshape(len(angles), 2)


def cost(vectors, ranges, beta=1.0):
    total = 0.0
    for first, last in ranges:
        segment = vectors[first:last].astype(np.float64)
        total += len(segment) - np.sum(segment.sum(axis=0) ** 2) / len(segment) + beta
    return total


def segmentations(count):
    for size in range(count):
        for cuts in combinations(range(1, count), size):
            yield list(pairwise([0, *cuts, count]))


@pytest.mark.parametrize("name", STRATEGIES)
@given(documents(most=40))
def test_the_ranges_are_all_sentences_in_order_and_none_is_over_the_cap(name, document):
    vectors, tokens = document
    ranges = STRATEGIES[name](vectors, tokens, CAP)
    assert [n for first, last in ranges for n in range(first, last)] == list(range(len(tokens)))
    assert all(first < last for first, last in ranges)
    assert all(sum(tokens[first:last]) <= CAP for first, last in ranges)


@given(documents(), st.floats(0.05, 3))
def test_no_segmentation_within_the_cap_costs_less(document, beta):
    vectors, tokens = document
    if not tokens:
        return
    within = [
        ranges for ranges in segmentations(len(tokens)) if all(sum(tokens[first:last]) <= CAP for first, last in ranges)
    ]
    least = min(cost(vectors, ranges, beta) for ranges in within)
    assert cost(vectors, changepoint(vectors, tokens, CAP, beta), beta) == pytest.approx(least, abs=1e-5)


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES)
def test_a_passage_ends_where_the_topic_does(strategy):
    vectors = unit([0.0, 0.1, 0.05, 1.6, 1.5, 1.55, 1.6])
    assert strategy(vectors, [1] * 7, CAP) == [(0, 3), (3, 7)]


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES)
def test_one_topic_that_is_too_long_is_parted_by_the_cap(strategy):
    ranges = strategy(unit([0.3] * 7), [4] * 7, CAP)
    assert len(ranges) == 4
    assert strategy(unit([]), [], CAP) == []


def test_one_sentence_aside_does_not_part_a_topic_for_the_exact_strategy():
    vectors = unit([0.0, 0.0, 0.0, 1.5, 0.0, 0.0, 0.0])
    assert changepoint(vectors, [1] * 7, CAP) == [(0, 7)]
    assert adjacent(vectors, [1] * 7, CAP) == [(0, 3), (3, 4), (4, 7)]
