from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actors.orchestrator.deadlines import (
    FIRST_ROWS,
    LEAST_S,
    MOST_S,
    ROUNDS,
    UNMEASURED_S,
    default_seconds,
    draw_seconds,
)
from protocol.home import Inference
from protocol.messages import Speed

RATE = st.floats(0.01, 10_000)
SPEED = st.builds(
    lambda read, one, gain, rows: Speed(read=read, one=one, many=one * gain, rows=rows),
    st.just(0.0) | RATE,
    RATE,
    st.just(0.0) | st.floats(0.2, 30),
    st.integers(2, 64),
)
SETTINGS = st.builds(
    Inference, form=st.sampled_from(["auto", "narrow", "open", "free"]), form_tokens=st.integers(16, 4096)
)


@given(SPEED, SETTINGS)
def test_a_default_is_within_its_bounds_and_holds_every_round(speed, settings):
    seconds = default_seconds(speed, settings)
    assert LEAST_S <= seconds <= MOST_S
    tokens = 56 if settings.form == "narrow" else settings.form_tokens
    assert seconds >= min(MOST_S, ROUNDS * draw_seconds(speed, FIRST_ROWS, tokens))


@given(SPEED, SETTINGS, st.floats(1, 50))
def test_a_faster_machine_is_never_given_more(speed, settings, times):
    faster = Speed(read=speed.read * times, one=speed.one * times, many=speed.many * times, rows=speed.rows)
    assert default_seconds(faster, settings) <= default_seconds(speed, settings) + 1e-6


@given(SPEED, st.integers(1, 63), st.integers(1, 4096))
def test_more_rows_never_take_less(speed, rows, tokens):
    assert draw_seconds(speed, rows + 1, tokens) >= draw_seconds(speed, rows, tokens) - 1e-6


def test_what_is_not_measured_is_guessed_and_what_is_slow_is_given_its_time():
    assert default_seconds(Speed(), Inference()) == UNMEASURED_S
    fast = Speed(read=2000, one=100, many=400, rows=8)
    assert default_seconds(fast, Inference()) == LEAST_S
    # A model of 1.5 billion weights on two cores: three rounds of 400 tokens cannot come in a minute and a half.
    slow = Speed(read=70, one=3, many=6, rows=4)
    assert 1000 < default_seconds(slow, Inference()) < MOST_S
