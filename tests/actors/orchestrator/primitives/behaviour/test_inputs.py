"""Inputs that look like those which were seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.orchestrator.primitives.behaviour.inputs import MAX_BYTES, Asked, generate
from protocol.codec import Ref
from protocol.messages import Example

AREA = ["def area_(self):\n    return self.width * self.height\n"]
SLOTS = {"width": 9, "height": 2, "colour": "red"}
CASES = [Example(slots={"width": 3, "height": 4}, returns=12), Example(slots={"width": 5, "height": 4}, returns=20)]


def asked(slots=SLOTS, args=(), examples=CASES, seed=7, is_sent=True, **kwargs):
    return Asked(slots, list(args), kwargs, list(examples), seed, is_sent)


def test_only_slots_that_a_source_names_are_told():
    found = generate(asked(), AREA)
    assert len(found) == 24
    assert {tuple(given.slots) for given in found} == {("width", "height")}
    assert "colour" in generate(asked(), [*AREA, "def area_(self):\n    return self.colour\n"])[0].slots


def test_the_message_itself_comes_first_and_no_example_comes_again():
    found = generate(asked(), AREA)
    assert (found[0].slots, found[0].is_asked, found[0].is_edge) == ({"width": 9, "height": 2}, True, False)
    assert not any(given.slots in [{"width": 3, "height": 4}, {"width": 5, "height": 4}] for given in found)
    assert len({str(given.slots) for given in found}) == len(found)
    assert not any(given.is_asked for given in generate(asked(is_sent=False), AREA))


@given(st.integers(0, 2**63 - 1), st.permutations([*AREA, "def area_(self):\n    return 4 * self.width\n"]))
def test_the_same_message_has_the_same_inputs_whatever_the_order_of_sources(seed, sources):
    assert generate(asked(seed=seed), sources) == generate(asked(seed=seed), sorted(sources))


def test_both_places_are_changed_alone_and_together():
    found = generate(asked(), AREA)
    moved = {given.moved[1] for given in found if given.moved}
    assert moved == {("slots", "width"), ("slots", "height")}
    assert any(given.moved is None and not given.is_asked for given in found)


def test_what_no_seen_input_has_is_an_edge():
    numbers = [Example(args=[[3, 1, 2], 2], returns=2), Example(args=[[7, 9], 1], returns=9)]
    found = generate(asked(examples=numbers, is_sent=False), ["def at_(self, numbers, place): ..."])

    def edges(holds):
        return {given.is_edge for given in found if holds(*given.args)}

    assert edges(lambda numbers, _: not numbers) == {True}
    assert edges(lambda numbers, _: min(numbers, default=0) < 0) == {True}
    assert edges(lambda numbers, place: place > len(numbers)) == {True}
    assert False in edges(lambda numbers, place: 0 < place <= len(numbers) and min(numbers) > 0)


def test_unsorted_lists_are_edges_where_only_sorted_ones_were_seen():
    cases = [Example(args=[[1, 2, 5]], returns=5), Example(args=[[3, 4]], returns=4)]
    found = generate(asked(examples=cases, is_sent=False), ["def last_(self, numbers): ..."])
    assert all(given.is_edge for given in found if given.args[0] != sorted(given.args[0]))


def test_references_stay_and_keywords_are_varied():
    anna = Ref("2a".zfill(16))
    found = generate(asked(slots={"friend": anna}, examples=[], by=2), ["def m_(self, by):\n    return self.friend\n"])
    assert {given.slots["friend"] for given in found} == {anna}
    assert len({given.kwargs["by"] for given in found}) > 5


def test_where_no_source_looks_at_anything_all_slots_are_varied():
    found = generate(asked(), ["def area_(self):\n    return 12\n"])
    assert {tuple(given.slots) for given in found} == {("width", "height", "colour")}


def test_a_message_without_anything_to_vary_is_its_own_only_input():
    (only,) = generate(asked(slots={}, examples=[]), ["def hello_(self):\n    return 'hi'\n"])
    assert only.is_asked
    assert generate(asked(slots={}, examples=[Example(returns="hi")]), ["def hello_(self): ..."]) == []


@pytest.mark.parametrize("value", [list(range(10_000)), "x" * 100_000, {f"k{n}": n for n in range(10_000)}])
def test_a_large_slot_makes_no_large_input(value):
    found = generate(asked(slots={"items": value}, examples=[]), ["def m_(self):\n    return self.items\n"])
    assert found
    assert all(given.size <= MAX_BYTES for given in found)
