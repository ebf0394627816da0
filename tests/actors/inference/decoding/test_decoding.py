"""What one row may do to the batch that it is in: nothing."""

from __future__ import annotations

import pytest

from protocol.errors import BatosError
from protocol.messages import Row, Sampling

PROMPTS = ("a", "hello there", "x" * 70)
WARM = Sampling(temperature=1.2, top_p=0.9)


@pytest.fixture(scope="module")
def engine(load):
    return load(rank=8)


def with_number(number):
    """Every weight of one matrix, in the way of every token."""

    def put(weights):
        return {
            key: value * 0 + number if "layers.0.mlp.down_proj.lora_B" in key else value
            for key, value in weights.items()
        }

    return put


@pytest.mark.parametrize("number", [1e38, -3e38])
@pytest.mark.parametrize("place", [0, 2, 5])
def test_a_row_whose_expert_overflows_fails_and_the_others_say_what_they_say_without_it(  # noqa: PLR0917
    engine, adapter, change, taken, number, place
):
    experts = {
        "good": taken(engine, "good", adapter("good", seed=1)),
        "huge": taken(engine, "huge", change(adapter("huge", seed=2, lora_alpha=4), with_number(number))),
    }
    rows = [
        Row(prompt=prompt, expert=expert, seed=7, sampling=WARM, max_tokens=12)
        for expert in (None, "good")
        for prompt in PROMPTS
    ]
    alone = engine.generate(rows, experts=experts).rows
    said: dict[int, str] = {}
    batch = engine.generate(
        [*rows[:place], Row(prompt="a", expert="huge", sampling=WARM), *rows[place:]],
        lambda row, text: said.__setitem__(row, said.get(row, "") + text),
        experts=experts,
    ).rows
    failed = batch.pop(place)
    assert (failed.finish, failed.text, failed.tokens) == ("failed", "", 0)
    assert "not finite" in failed.reason
    assert place not in said
    assert batch == alone
    assert engine.generate(rows, experts=experts).rows == alone


@pytest.mark.parametrize("grammar", [None, "start: /[a-z]{4}/"])
def test_a_row_with_a_form_fails_in_the_same_way(engine, adapter, change, taken, grammar):
    experts = {"huge": taken(engine, "huge", change(adapter("huge", seed=2, lora_alpha=4), with_number(1e38)))}
    failed, other = engine.generate(
        [Row(prompt="a", expert="huge", grammar=grammar), Row(prompt="a", grammar=grammar, max_tokens=4)],
        experts=experts,
    ).rows
    assert failed.finish == "failed"
    assert other.finish in {"stop", "length"}


@pytest.mark.parametrize("temperature", [0.0, -0.0, 5e-324, 1e-308, 1e-30, 1e-7])
def test_a_temperature_too_low_to_divide_by_is_greedy(engine, temperature):
    cold, greedy = engine.generate(
        [Row(prompt="hello", seed=3, sampling=Sampling(temperature=t), max_tokens=12) for t in (temperature, 0)]
    ).rows
    assert cold == greedy


@pytest.mark.parametrize("temperature", [-1e-308, -1.0, 100.1, 1e308, float("inf"), float("nan")])
def test_a_temperature_that_is_none_is_refused(engine, temperature):
    refused(engine, Row(prompt="a", sampling=Sampling(temperature=temperature)))


@pytest.mark.parametrize("top_p", [0.0, -0.5, 1.0000001, float("inf"), float("nan")])
def test_a_nucleus_that_is_none_is_refused(engine, top_p):
    refused(engine, Row(prompt="a", sampling=Sampling(top_p=top_p)))


def test_the_smallest_nucleus_is_the_likeliest_token_and_the_hottest_row_still_draws(engine):
    smallest, greedy, *hot = engine.generate(
        [
            Row(prompt="hello", sampling=Sampling(temperature=1.0, top_p=5e-324), max_tokens=12),
            Row(prompt="hello", sampling=Sampling(temperature=0), max_tokens=12),
            *(Row(prompt="a", seed=n, sampling=Sampling(temperature=100, top_p=1), max_tokens=20) for n in range(4)),
        ]
    ).rows
    assert smallest == greedy
    assert len({row.text for row in hot}) == 4
    assert all(len(set(row.text)) > 3 for row in hot)


def refused(engine, row):
    with pytest.raises(BatosError) as caught:
        engine.generate([Row(prompt="a"), row])
    assert caught.value.code == "BAD_ARGUMENT"
    assert "row 1" in caught.value.message
