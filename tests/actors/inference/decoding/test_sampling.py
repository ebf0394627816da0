from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.inference.decoding.sampling import draw, likelihood, stream

LOGITS = st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=40).map(lambda v: np.array(v, dtype=np.float32))
TEMPERATURE = st.floats(0.1, 3)
TOP_P = st.floats(0.01, 1)
SEED = st.integers(-(2**70), 2**130)


def nucleus(logits, temperature, top_p):
    """By definition: the fewest likeliest tokens that together weigh `top_p` (ties by the lower id)."""
    scaled = logits.astype(np.float64) / temperature
    weights = np.exp(scaled - scaled.max())
    weights /= weights.sum()
    chosen, mass = [], 0.0
    for token in np.argsort(-weights, kind="stable"):
        chosen.append(int(token))
        mass += weights[token]
        if mass >= top_p:
            break
    return set(chosen)


@given(LOGITS, TEMPERATURE, TOP_P, SEED)
def test_a_draw_stays_in_the_nucleus_and_repeats(logits, temperature, top_p, seed):
    token = draw(logits, None, temperature, top_p, stream(seed))
    assert token in nucleus(logits, temperature, min(1.0, top_p + 1e-9))
    assert draw(logits, None, temperature, top_p, stream(seed)) == token


@given(LOGITS, TEMPERATURE, TOP_P, SEED, st.data())
def test_only_what_is_allowed_is_drawn(logits, temperature, top_p, seed, data):
    allowed = np.array(sorted(data.draw(st.sets(st.integers(0, len(logits) - 1), min_size=1))))
    assert draw(logits, allowed, temperature, top_p, stream(seed)) in allowed


@given(LOGITS, SEED)
def test_temperature_zero_takes_the_likeliest(logits, seed):
    assert draw(logits, None, 0, 1, stream(seed)) == int(np.argmax(logits))


def test_the_draws_follow_the_weights():
    luck = stream(1)
    logits = np.log(np.array([0.7, 0.2, 0.1], dtype=np.float32))
    drawn = np.bincount([draw(logits, None, 1, 1, luck) for _ in range(4000)], minlength=3) / 4000
    assert np.abs(drawn - [0.7, 0.2, 0.1]).max() < 0.03


@given(LOGITS, st.data())
def test_likelihoods_are_the_logarithms_of_shares_that_come_to_one(logits, data):
    allowed = data.draw(st.none() | st.sets(st.sampled_from(range(logits.size)), min_size=1).map(sorted).map(np.array))
    tokens = range(logits.size) if allowed is None else allowed
    shares = [np.exp(likelihood(logits, allowed, int(token), np.empty_like(logits))) for token in tokens]
    assert sum(shares) == pytest.approx(1, abs=1e-4)
    assert shares[int(np.argmax([logits[token] for token in tokens]))] == max(shares)
