"""Beginnings of prompts that were read before: the same texts, bit for bit, for less reading."""

from __future__ import annotations

from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.inference.decoding.bank import Bank
from actors.inference.decoding.prefixes import BLOCK, Prefixes
from actors.inference.weights.placement import Lent
from protocol.messages import Row, Sampling

from ..kinds import SERVED, model_of

SIZE = BLOCK["cpu"]
GREEDY = Sampling(temperature=0)
STORY = "".join(Random(3).choices("abcdefgh ", k=2 * SIZE))


def row(prompt, **more):
    return Row(prompt=prompt, max_tokens=8, sampling=GREEDY, **more)


def told(engine, *rows, **more):
    """The texts, and how many tokens were read for them."""
    inferred = engine.generate(list(rows), **more)
    return [one.text for one in inferred.rows], inferred.prompt_tokens


@pytest.fixture
def fresh(load):
    return load(slots=2, rank=4)


def test_a_beginning_is_read_once(fresh):
    prompt = STORY[: SIZE + 20]
    first, read = told(fresh, row(prompt))
    assert read == SIZE + 20
    assert told(fresh, row(prompt)) == (first, 20)
    assert told(fresh, row(STORY[:SIZE] + "another end"))[1] == len("another end")
    assert fresh.stats()["prefix_bytes"] == 2 * 2 * SIZE * 2 * 8 * 4


def test_rows_of_one_batch_share_their_beginning(fresh):
    texts, read = told(fresh, row(STORY[: SIZE + 9]), row(STORY[: SIZE + 30]), row("short"))
    assert read == SIZE + 9 + 30 + len("short")
    alone = [told(fresh, row(prompt))[0][0] for prompt in (STORY[: SIZE + 9], STORY[: SIZE + 30], "short")]
    assert texts == alone


def test_the_last_token_is_always_read(fresh):
    for length in (SIZE - 1, SIZE, SIZE + 1):
        assert told(fresh, row(STORY[-length:]))[1] == length
        assert told(fresh, row(STORY[-length:]))[1] == (1 if length == SIZE + 1 else length)


@settings(max_examples=15)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 40)), min_size=1, max_size=5))
def test_what_is_kept_changes_no_text(load, asked):
    """Against an engine that keeps nothing, whatever was read before."""
    keeping, forgetting = load(), load(prefix_bytes=1)
    for beginning, end in asked:
        prompt = STORY[beginning : beginning + SIZE] + STORY[:end]
        again = told(keeping, row(prompt))[0]
        assert again == told(forgetting, row(prompt))[0]
    assert forgetting.stats()["prefix_bytes"] == 0


def test_a_kept_block_is_bit_for_bit_what_would_be_read_again(fresh):
    tokens = tuple(STORY[: SIZE + 2].encode())
    prefixes = fresh.generator.prefixes
    with torch.inference_mode():
        first = prefixes.read(None, tokens, lambda: False)
        kept = prefixes.read(None, tokens, lambda: False)
        prefixes._kept.clear()
        again = prefixes.read(None, tokens, lambda: False)
    assert (first.computed, kept.computed, again.computed) == (SIZE, 0, SIZE)
    for one, two, three in zip(first.layers, kept.layers, again.layers, strict=True):
        for kind in (0, 1):
            assert torch.equal(one[kind], two[kind])
            assert torch.equal(one[kind], three[kind])


def test_what_an_expert_has_read_is_its_own(fresh, adapter, taken):
    contents = {name: taken(fresh, name, adapter(name, seed=seed, lora_alpha=16)) for seed, name in enumerate("abc", 1)}
    prompt = STORY[: SIZE + 5]
    for name in (None, "a", "b", "a", None, "c", "a"):
        # Three experts in two slots: a slot has had other tenants before.
        assert (
            told(fresh, row(prompt, expert=name), experts=contents)[0]
            == told(fresh, row(prompt, expert=name), experts=contents)[0]
        )
    alone = {name: told(fresh, row(prompt, expert=name), experts=contents) for name in (None, "a", "b", "c")}
    assert len({text for (text,), _ in alone.values()}) == 4
    assert {read for _, read in alone.values()} == {5}
    assert fresh.generator.prefixes.read(Lent(0, "of nobody"), tuple(prompt.encode()), lambda: True).length == 0


def test_the_budget_is_kept_and_the_beginnings_stay(load):
    small = load(prefix_bytes=3 * 2 * 2 * SIZE * 2 * 8 * 4)
    for start in range(6):
        told(small, row(STORY[start : start + SIZE + 9]))
        assert small.stats()["prefix_bytes"] <= small.generator.prefixes._budget
    assert told(small, row(STORY[5 : 5 + SIZE + 9]))[1] == 9
    assert told(small, row(STORY[: SIZE + 9]))[1] == SIZE + 9


@pytest.mark.parametrize(
    ("kind", "changes", "divides"),
    [
        ("Llama", {}, True),
        ("Qwen2", {"use_sliding_window": False, "sliding_window": 16}, True),
        ("Qwen2", SERVED["Qwen2"], False),
        ("Mistral", SERVED["Mistral"], False),
        ("GPTNeo", SERVED["GPTNeo"], False),
        ("Mpt", SERVED["Mpt"], False),
        ("Lfm2", SERVED["Lfm2"], False),
    ],
)
def test_a_prompt_is_read_in_blocks_where_all_that_was_read_is_kept_and_positions_are_told(kind, changes, divides):
    model = model_of(kind, **changes)
    prefixes = Prefixes(model, Bank(model, slots=1, rank=1), 1_000_000)
    assert prefixes.divides == divides
    read = prefixes.read(None, range(SIZE + 5), lambda: False)
    assert (read.length, len(read.layers)) == ((SIZE, 2) if divides else (0, 0))


def test_reading_stops_between_two_blocks(fresh):
    asked = iter([False, True])
    prefix = fresh.generator.prefixes.read(None, tuple(STORY[: SIZE + 9].encode()), lambda: next(asked, True))
    assert (prefix.length, prefix.computed) == (SIZE, SIZE)
    texts, read = told(fresh, row(STORY[: SIZE + 9]), should_stop=lambda: True)
    assert (texts, read) == ([""], 0)
