"""What Pk says of boundaries."""

from __future__ import annotations

import numpy as np
import pytest

from bench.retrieval.boundaries import pk

OWNER = np.array([0, 0, 0, 0, 1, 1, 1, 1])


@pytest.mark.parametrize(
    ("found", "expected"),
    [([(0, 4), (4, 8)], 0), ([(0, 8)], 2 / 6), ([(0, 3), (3, 8)], 2 / 6), ([(n, n + 1) for n in range(8)], 4 / 6)],
)
def test_it_is_the_share_of_pairs_that_are_told_wrongly(found, expected):
    assert pk(found, OWNER) == pytest.approx(expected)
