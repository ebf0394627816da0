from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.inference.model.room import check, prefix_budget, spared
from protocol.errors import BatosError


@given(st.integers(0, 1 << 50))
def test_what_is_kept_is_a_share_and_leaves_the_rest(left):
    assert prefix_budget(left) <= prefix_budget(left * 2)
    assert prefix_budget(left) <= max(left // 8, 16_000_000)
    assert 0 <= spared(left) <= left


def test_who_does_not_fit_is_told_both_numbers():
    check(10, 10, "a model", "Ask for less.")
    with pytest.raises(BatosError, match=r"a model needs 2\.0 GB, and 7 MB are free") as caught:
        check(2_000_000_000, 7_000_000, "a model", "Ask for less.")
    assert (caught.value.code, caught.value.data) == ("OUT_OF_MEMORY", {"needed": 2_000_000_000, "free": 7_000_000})
