"""Variants keep the types and the shapes that were seen."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.orchestrator.primitives.behaviour.keys import key_of
from actors.orchestrator.primitives.behaviour.values import MOST, Seen, variants
from protocol import codec
from protocol.codec import Ref

ANNA = Ref("2a".zfill(16))
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=4) | st.integers(-(2**63), 2**63 - 1), inner, max_size=4)
    ),
    max_leaves=12,
)


def made(*values):
    return variants(list(values), Seen(values), Random(1))


@given(st.lists(VALUES, min_size=1, max_size=4), st.integers(0, 9))
def test_whatever_was_seen_its_variants_are_values_of_its_kinds_and_the_same_again(seen, seed):
    found = variants(seen, Seen(seen), Random(seed))
    assert found == variants(seen, Seen(seen), Random(seed))
    assert len(found) <= MOST
    assert len(set(map(key_of, found))) == len(found)
    kinds = {type(value) for value in seen} | ({float} if any(type(value) is int for value in seen) else set())
    for value in found:
        codec.encode(value)
        assert type(value) in kinds


@pytest.mark.parametrize(
    ("seen", "edges"),
    [
        ([3, 5], [0, 1, -1]),
        ([2.5], [0.0, 1.0, -2.5]),
        (["the cat"], ["", "the cat the cat", "tac eht", "THE CAT"]),
        ([[3, 1, 2]], [[], [3, 1, 2, 3], [2, 1, 3], [-3, -2, -4], [3, 1]]),
        ([["b", "a"]], [[], ["a", "b"], ["b"]]),
        ([True], [True, False]),
        ([{"a": 1}], [{}]),
    ],
)
def test_edges_are_among_the_variants(seen, edges):
    found = made(*seen)
    assert [edge for edge in edges if edge not in found] == []


def test_records_keep_their_keys_and_the_kinds_of_their_fields():
    lines = [{"product": "pen", "quantity": 2, "price": 1.5}, {"product": "ink", "quantity": 1, "price": 7.25}]
    found = made(lines)
    records = [record for some in found for record in some]
    assert {tuple(record) for record in records} == {("product", "quantity", "price")}
    assert {tuple(map(type, record.values())) for record in records} == {(str, int, float)}
    assert {len(some) for some in found} >= {0, 1, 2, 3}
    assert {0} < {record["quantity"] for record in records}


def test_what_cannot_be_varied_stays():
    assert made(ANNA) == [ANNA]
    assert made(None) == [None]
    assert made(b"x") == [b"x"]
    assert made(10**5000) == [10**5000]
    assert {ref.oid for some in made([ANNA, ANNA]) for ref in some} == {ANNA.oid}


def test_texts_are_made_of_what_was_seen():
    found = variants(["<", "<>"], Seen(["<", "<>"]), Random(3))
    assert set("".join(found)) == {"<", ">"}
    seen = [["shipped", "open"], "open"]
    assert "shipped" in variants(["open"], Seen(seen), Random(3))


def test_a_long_value_has_short_variants():
    found = made(list(range(10_000)))
    assert max(map(len, found)) <= 24
