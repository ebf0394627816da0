"""A view with a past is the view of what is left, and ranks the same."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from actors.memory.index import view as views
from actors.memory.index.block import Source
from actors.memory.index.narrowing import facts
from actors.memory.index.packing import hashed, postings
from actors.memory.index.view import Change, View, eligible, rank, view_of
from actors.memory.ranking import K1, MEANING, OF_DOCUMENT, RARITY, SPAN
from actors.memory.texts.words import Terms

WORDS = ["wing", "lift", "storm", "air"]
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4), min_size=1, max_size=3)
STEPS = st.lists(st.tuples(st.integers(1, 4), st.one_of(st.none(), TEXTS)), max_size=14)
WIDTH = 8


def source(oid, texts, *, when=0.0, metadata=None, vectors=None):
    """A document; the vectors of its passages follow from their words."""
    rows = np.array([[text.count(word) for word in WORDS] + [0] * 4 for text in texts], np.float32) + 0.1
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True) if vectors is None else vectors
    oids = np.arange(len(texts), dtype=np.int64) + 1000 * oid
    found = postings([Terms(text, []) for text in texts])
    return Source(oid, when, facts(metadata or {}), oids, found, rows.astype(np.float16))


def grown(steps):
    """The view after these steps, and what is left of them."""
    view, left = View(b"0"), {}
    for oid, (name, texts) in enumerate(steps, 1):
        gone = left.pop(name, None)
        came = None if texts is None else source(oid, texts)
        view = view.changed(Change(b"1", came, None if gone is None else gone.oid))
        if came is not None:
            left[name] = came
    return view, list(left.values())


def asked(*words):
    return Counter(map(hashed, words))


def vector(*words):
    found = np.array([words.count(word) for word in WORDS] + [0] * 4, np.float32) + 0.1
    return found / np.linalg.norm(found)


def ranked(view, terms, question, **more):
    found = rank(view, asked(*terms), question, 0.5, **more)
    return {view.passage(number): score for number, score in zip(found.order, found.scores.tolist(), strict=True)}


@given(STEPS, st.lists(st.sampled_from(WORDS), max_size=3), st.booleans())
def test_a_view_with_a_past_is_the_view_of_what_is_left(steps, words, has_meaning):
    view, left = grown(steps)
    fresh = view_of(b"1", left)
    assert view.count == fresh.count == sum(len(each.passages) for each in left)
    question = vector(*words) if has_meaning else None
    assert ranked(view, words, question) == pytest.approx(ranked(fresh, words, question), abs=1e-5)


@given(STEPS)
@example([(1, [["wing"], ["wing"]]), (2, [["wing"]]), (3, [["wing"]]), (1, [["wing"], ["wing"]]), (2, [["wing"]])])
def test_there_are_few_blocks_and_none_is_mostly_forgotten(steps):
    view, _ = grown(steps)
    sizes = [len(each.passages) for each in view.blocks]
    assert all(one >= 2 * other for one, other in pairwise(sizes))
    assert all(each.living * 2 >= len(each.passages) for each in view.blocks)


def test_who_searches_keeps_the_moment_that_was_there():
    view = view_of(b"0", [source(1, [["wing"]]), source(2, [["lift"]])])
    after = view.changed(Change(b"1", source(3, [["wing"]]), gone=1))
    assert ranked(view, ["wing"], None).keys() == {1000}
    assert ranked(after, ["wing"], None).keys() == {3000}


def test_by_signs_first_the_same_are_best(monkeypatch):
    rng = np.random.default_rng(1)
    rows = rng.standard_normal((3000, 64)).astype(np.float32)
    rows[:20] += 3 * rng.standard_normal(64)  # what is about the same
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    view = view_of(b"0", [source(n + 1, [["air"]], vectors=rows[n : n + 1]) for n in range(len(rows))])
    question = rows[7] + 0.05 * rng.standard_normal(64).astype(np.float32)
    question /= np.linalg.norm(question)
    exact = rank(view, asked("wing"), question, 0.5)
    monkeypatch.setattr(views, "EXACT", 600)
    found = rank(view, asked("wing"), question, 0.5)
    assert set(exact.order[:20]) == set(range(20))
    assert found.order[:10].tolist() == exact.order[:10].tolist()
    best = found.order[:50]
    assert found.meaning[best] == pytest.approx(exact.meaning[best], abs=1e-6)


def test_narrowed_to_a_few_of_many_it_ranks_like_a_view_of_those_few(monkeypatch):
    monkeypatch.setattr(views, "EXACT", 600)
    rng = np.random.default_rng(2)
    rows = rng.standard_normal((2000, 64)).astype(np.float32)
    question = rng.standard_normal(64).astype(np.float32)
    rows[:1000] += 2 * question  # nearer than all that are asked for
    rows[1000:1300] += 0.2 * question
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    question /= np.linalg.norm(question)
    many = [source(n + 1, [["air"]], vectors=rows[n : n + 1]) for n in range(len(rows))]
    found = ranked(view_of(b"0", many), ["wing"], question, eligible=np.arange(len(rows)) >= 1000)
    assert found == ranked(view_of(b"0", many[1000:]), ["wing"], question)
    chosen = np.isin(np.arange(len(rows)), np.arange(1000, 1300))
    found = ranked(view_of(b"0", many), ["wing"], question, eligible=chosen)
    assert found == pytest.approx(ranked(view_of(b"0", many[1000:1300]), ["wing"], question), abs=1e-6)


def plainly(documents, words, question, b=0.5):
    """The score of each passage as the formulas have it, passage by passage."""
    rows = [(each, n) for each in documents for n in range(len(each.passages))]
    held = [Counter() for _ in rows]
    for row, (each, n) in enumerate(rows):
        found = each.postings
        terms = np.repeat(found.terms, np.diff(found.starts))
        here = found.passages == n
        held[row].update(dict(zip(terms[here].tolist(), found.counts[here].tolist(), strict=True)))
    lengths = [int(each.postings.lengths[n]) for each, n in rows]
    mean = sum(lengths) / len(lengths)
    said = []
    for counts, length in zip(held, lengths, strict=True):
        score = 0.0
        for term, times in asked(*words).items():
            holding = sum(term in other for other in held)
            if term in counts:
                norm = K1 * (1 - b + b * length / mean)
                score += (
                    times
                    * math.log(1 + len(rows) / holding) ** RARITY
                    * (K1 + 1)
                    * counts[term]
                    / (counts[term] + norm)
                )
        said.append(score)
    near = [float(each.vectors[n].astype(np.float64) @ question) for each, n in rows]
    floor = sum(near) / len(near)
    span = max(max(near) - floor, SPAN)
    signals = [[score / (max(said) or 1) for score in said], [max(each - floor, 0) / span for each in near]]
    shares = (1 - float(MEANING), float(MEANING))
    scores = {}
    for row, (each, n) in enumerate(rows):
        if not said[row] and near[row] < 0.25:
            continue
        total = 0.0
        for signal, share in zip(signals, shares, strict=True):
            own = [signal[other] for other, (document, _) in enumerate(rows) if document is each]
            document = sum(score * score for score in own) / sum(own) if sum(own) else 0.0
            total += share * ((1 - float(OF_DOCUMENT)) * signal[row] + float(OF_DOCUMENT) * document)
        scores[int(each.passages[n])] = total
    return scores


@given(STEPS, st.lists(st.sampled_from(WORDS), max_size=3))
def test_a_passage_scores_what_the_formulas_say(steps, words):
    view, left = grown(steps)
    question = vector(*words)
    expected = plainly(left, words, question) if left else {}
    assert ranked(view, words, question) == pytest.approx(expected, abs=1e-3)


def test_what_is_neither_said_nor_near_is_not_found():
    view = view_of(b"0", [source(1, [["wing", "wing", "wing"]]), source(2, [["storm", "storm"]])])
    assert ranked(view, ["zebra"], vector("wing", "wing")).keys() == {1000}
    assert ranked(view, ["storm"], vector("wing", "wing")).keys() == {1000, 2000}
    assert ranked(View(b"0"), ["wing"], vector("wing")) == {}


def test_by_words_alone_as_long_as_a_document_has_no_vector():
    without = source(2, [["wing"]], vectors=np.zeros((1, 0)))
    view = view_of(b"0", [source(1, [["lift", "lift"]]), without])
    assert (view.has_vectors, view.lacking) == (False, {2})
    assert not rank(view, asked("wing"), vector("lift"), 0.5).by_meaning
    assert ranked(view, ["wing"], vector("lift")).keys() == {2000}
    after = view.changed(Change(b"1", source(2, [["wing"]]), gone=2))
    assert after.has_vectors


def test_a_search_is_narrowed_by_facts_and_time():
    view = view_of(
        b"0",
        [
            source(1, [["wing"], ["wing"]], when=10.0, metadata={"kind": "note", "n": 1}),
            source(2, [["wing"]], when=20.0, metadata={"kind": "note", "n": True}),
        ],
    )

    def found(metadata=None, since=None, until=None):
        chosen = eligible(view, facts(metadata or {}).tolist(), since, until)
        return set(ranked(view, ["wing"], None, eligible=chosen))

    assert eligible(view, [], None, None) is None
    assert found({"kind": "note"}) == {1000, 1001, 2000}
    assert found({"n": 1.0}) == {1000, 1001}
    assert found({"n": True, "kind": "note"}) == {2000}
    assert found({"n": 2}) == set()
    assert found(since=10.0, until=20.0) == {1000, 1001}
    assert found(since=15.0) == {2000}
