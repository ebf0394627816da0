from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actors.memory.ranking import best


@given(st.dictionaries(st.integers(0, 50), st.sampled_from([0.5, 1.0, 2.0])), st.integers(1, 10))
def test_they_are_the_best_of_those_that_are_taken(scores, top_k):
    asked = []

    def take(docid):
        asked.append(docid)
        return f"passage {docid}" if docid % 2 else None

    expected = sorted(((-score, docid) for docid, score in scores.items() if docid % 2))[:top_k]
    assert best(scores.items(), top_k, take) == [(-score, f"passage {docid}") for score, docid in expected]
    if len(expected) == top_k:
        assert asked[-1] == expected[-1][1]
