"""Halving finds the first bad one of many, by as few trials as can be, and says where it cannot tell."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from actors.orchestrator.reasons.halving import MOST_UNTRIED, Halving


def search(answers):
    """What is found among `answers` (True: good, None: cannot be tried), and how many were tried."""
    halving, tried = Halving(len(answers)), []
    while (at := halving.next()) is not None:
        assert at not in tried
        tried.append(at)
        halving.note(at, answers[at])
    return halving, tried


@given(good=st.integers(0, 12_000), bad=st.integers(1, 12_000))
def test_the_first_bad_one_is_found_by_as_many_trials_as_halving_needs(good, bad):
    halving, tried = search([True] * good + [False] * bad)
    assert halving.bad == good
    assert halving.between == []
    assert len(tried) <= math.ceil(math.log2(good + bad))


def test_ten_thousand_and_both_ends_are_sixteen_trials():
    worst = max(len(search([True] * good + [False] * (10_000 - good))[1]) for good in range(0, 10_000, 97))
    assert 2 + worst <= 16


@given(st.integers(0, 60), st.integers(1, 60), st.data())
def test_what_cannot_be_tried_is_passed_over_and_said(good, bad, data):
    answers = [True] * good + [False] * bad
    untried = data.draw(
        st.sets(st.integers(0, len(answers) - 2), max_size=MOST_UNTRIED) if len(answers) > 1 else st.just(set())
    )
    for at in untried:
        answers[at] = None
    halving, tried = search(answers)
    assert halving.good < good <= halving.bad, "the culprit is among what is told"
    between = set(halving.between)
    if len(untried & set(tried)) < MOST_UNTRIED:
        assert between <= untried, "nobody knows of these alone"
        known = [at for at in range(len(answers)) if at not in untried]
        assert halving.bad == next(at for at in known if not answers[at])
    assert len(tried) <= math.ceil(math.log2(len(answers))) + MOST_UNTRIED


def test_of_one_commit_nothing_is_to_be_tried():
    assert search([False]) == search([False])[:0] or search([False])[1] == []
