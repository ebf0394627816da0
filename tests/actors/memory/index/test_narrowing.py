"""Entries of metadata as numbers, and when a document is from."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.memory.index.narrowing import fact, time_of
from protocol.examples import same_value

VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.5, 1.0, -0.0]), st.text(max_size=2)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=1), inner, max_size=2)),
    max_leaves=4,
)


@given(VALUES, VALUES)
def test_values_are_the_same_where_their_numbers_are(one, other):
    assert (fact("k", one) == fact("k", other)) == same_value(one, other)
    assert fact("k", one) != fact("l", one)


@pytest.mark.parametrize(
    ("metadata", "seconds"),
    [
        ({"date": "2024-03-05"}, datetime(2024, 3, 5, tzinfo=UTC).timestamp()),
        ({"date": "2024-03-05T12:00:00+02:00"}, datetime(2024, 3, 5, 10, tzinfo=UTC).timestamp()),
        ({"published": 86400}, 86400.0),
        ({"date": "last summer", "created": "1969-12-31"}, -86400.0),
        ({"date": True}, 5.0),
        ({"date": 1e300}, 5.0),
        ({"date": float("nan")}, 5.0),
        ({}, 5.0),
    ],
)
def test_a_document_is_from_the_date_in_its_metadata_or_from_when_it_was_remembered(metadata, seconds):
    assert time_of(metadata, 5.0) == seconds
