from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actors.inference.decoding.pace import Pace

RATE = st.floats(0.1, 1000)


def test_what_is_too_short_says_nothing():
    pace = Pace()
    pace.has_read(3, 1.0)
    pace.has_written(1, 4, 1.0)
    pace.has_written(10, 10, 0.0)
    assert pace == Pace()


@given(st.lists(RATE, min_size=1, max_size=8))
def test_the_last_batch_counts_half_and_all_before_it_the_other_half(rates):
    pace = Pace()
    for rate in rates:
        pace.has_written(100, 100, 100 / rate)
    assert min(rates) - 1e-6 <= pace.one <= max(rates) + 1e-6
    before = pace.one
    pace.has_written(100, 100, 100 / rates[0])
    assert abs(pace.one - (before + rates[0]) / 2) < 1e-6


def test_a_text_alone_and_several_at_once_are_told_apart():
    pace = Pace()
    pace.has_read(200, 2.0)
    pace.has_written(10, 10, 1.0)
    pace.has_written(10, 35, 2.0)
    assert pace == Pace(read=100.0, one=10.0, many=17.5, rows=4)
