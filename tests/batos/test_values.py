"""What a program gives is a value of the world, or refused by what is wrong with it."""

from __future__ import annotations

import copy
import pickle

import pytest

import batos


def around_itself():
    held = {}
    held["held"] = [held]
    return held


def nested(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("value", [around_itself(), nested(3000), nested(80), memoryview(b"x"), float("nan"), {1, 2}])
def test_what_is_no_value_is_refused(world, box, value):
    with pytest.raises(batos.BadInput, match="BAD_VALUE"):
        box.width = value
    with pytest.raises(batos.BadInput, match="BAD_VALUE"):
        box.area_(value)
    assert box.width == 5


@pytest.mark.parametrize(
    "ask",
    [
        lambda world, box: world.new(5),
        lambda world, box: world.new("crate", parent=5),
        lambda world, box: world.new("crate", key=5),
        lambda world, box: world[None],
        lambda world, box: world.ask(5),
        lambda world, box: box.send(5),
        lambda world, box: box.send("area_", intent=5),
        lambda world, box: box.send("area_", kwargs={5: 5}),
        lambda world, box: box.set({5: 5}),
        lambda world, box: box.history(5),
        lambda world, box: world.check(5),
    ],
)
def test_what_is_no_text_is_named(world, box, ask):
    with pytest.raises(batos.BadInput, match=r"is a text, and not a (int|NoneType)\. Give an? "):
        ask(world, box)


def test_a_word_that_a_search_does_not_know_is_not_passed_over(world):
    with pytest.raises(TypeError, match="topk"):
        world.search("valve", topk=3)


def test_what_belongs_to_a_process_is_copied_as_itself_and_goes_to_no_other(world, box):
    assert copy.deepcopy({"box": [box]}) == {"box": [box]}
    assert copy.copy(world) is world
    for one in (box, world):
        with pytest.raises(TypeError, match="belongs to this process: give another one the name"):
            pickle.dumps(one)
