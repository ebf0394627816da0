"""A method learned without its message being sent: what is installed, what is only told, and what the world has of it."""

from __future__ import annotations

import pytest

from protocol.errors import BatosError
from protocol.messages import Example, Learn
from world.method import UvmMethod
from world.store import snapshot
from world.values import oid_of

UP = "def up_(self, by):\n    self.count = self.count + by\n    self._p_changed = True\n    return self.count\n"
TWICE = "def up_(self, by):\n    self.count = by + by\n    self._p_changed = True\n    return self.count\n"
CASE = Example(slots={"count": 2}, args=[2], returns=4, slots_after={"count": 4})
OTHER = Example(slots={"count": 5}, args=[2], returns=7, slots_after={"count": 7})


def everything(house):
    """What the world holds of objects and methods, as one value."""
    with snapshot(house.db) as connection:
        found = {}
        for name, thing in connection.root()["objects"].items():
            found[name] = {
                slot: [value.source, value.intent, oid_of(value)] if isinstance(value, UvmMethod) else repr(value)
                for slot, value in thing._slots.items()
            }
        return found


@pytest.fixture
def counter(house):
    house.new("counter", count=1)
    return house


async def learn(house, *, key="k", parameters=("by",), selector="up_", **rest):
    how = {name: rest.pop(name) for name in list(rest) if name in Learn.__struct_fields__}
    return await house.send("counter", selector, key=key, parameters=list(parameters), learn=Learn(**how), **rest)


async def test_a_method_is_learned_and_its_message_not_sent(counter):
    counter.played.rounds = [[UP, UP]]
    reply = await learn(counter, examples=[CASE], intent="Count on by so many.")
    assert (reply.state, reply.result, reply.learned.installed, reply.method.source) == ("COMPLETE", None, True, UP)
    seen = counter.look("counter")
    assert seen.slots == {"count": 1}
    assert seen.methods["up_"].intent == "Count on by so many."
    assert (await counter.send("counter", "up_", 3, key="other")).result == 4


async def test_the_intent_is_told_to_the_model_and_to_memory(counter):
    counter.played.rounds = [[UP]]
    await learn(counter, examples=[CASE], intent="Count on by so many.")
    assert "Count on by so many." in str(counter.played.asked[0].rows[0].turns)
    [memo] = [entry for entry in counter.caught_up if entry["metadata"]["kind"] == "method"]
    assert "Count on by so many." in memo["text"]


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ({"dry_run": True, "examples": [CASE]}, "a dry run installs nothing"),
        ({"intent": "Count on."}, "without an example nobody knows whether it is right"),
        ({"strict": True, "examples": [CASE]}, "candidates that hold all examples do not agree"),
    ],
)
async def test_what_is_only_told_leaves_the_world_as_it_was(counter, rest, reason):
    counter.played.rounds = [[UP, TWICE], [UP, TWICE], [UP, TWICE]] * 3
    before = everything(counter)
    reply = await learn(counter, **rest)
    assert (reply.learned.installed, reply.learned.reason) == (False, reason)
    assert reply.synthesized is False
    assert {group.source for group in reply.learned.groups} == {UP, TWICE}
    assert all(group.cases for group in reply.learned.groups)
    assert everything(counter) == before
    assert counter.look("counter").methods == {}


async def test_methods_that_hold_the_examples_and_do_not_agree_are_a_doubt(counter):
    counter.played.rounds = [[UP, UP + "\n", TWICE], [UP, TWICE], [UP, TWICE]]
    reply = await learn(counter, examples=[CASE])
    assert reply.learned.installed
    [doubt, *_] = reply.learned.doubts
    assert len({str(answer.outcome) for answer in doubt.answers}) == 2
    assert doubt.answers[0].sha256 == reply.method.sha256


async def test_what_is_understood_is_not_learned_unless_again(counter):
    counter.played.rounds = [[UP, UP]]
    await learn(counter, examples=[CASE])
    with pytest.raises(BatosError) as caught:
        await learn(counter, examples=[CASE], key="second")
    assert caught.value.code == "ALREADY_UNDERSTOOD"
    with pytest.raises(BatosError) as caught:
        await learn(counter, selector="down_", again=True, key="third")
    assert caught.value.code == "UNKNOWN_METHOD"


async def test_a_better_method_still_owes_what_the_old_one_owed(counter):
    counter.played.rounds = [[TWICE, TWICE]]
    await learn(counter, examples=[CASE])
    broken = "def up_(self, by):\n    self.count = self.count + 2\n    self._p_changed = True\n    return 7\n"
    counter.played.rounds = [[broken, UP, UP]]
    reply = await learn(counter, examples=[OTHER], again=True, key="better")
    assert reply.method.source == UP
    asked = str(counter.played.asked[-1].rows[0].turns)
    assert "by + by" in asked
    assert "expected 7, got 4" in asked
    with snapshot(counter.db) as connection:
        method = connection.root()["objects"]["counter"]._slots["up_"]
        assert [dict(example)["returns"] for example in method.examples] == [4, 7]


async def test_new_examples_that_contradict_the_old_contract_are_refused(counter):
    counter.played.rounds = [[UP, UP]]
    await learn(counter, examples=[CASE])
    wrong = Example(slots={"count": 2}, args=[2], returns=5, slots_after={"count": 5})
    with pytest.raises(BatosError) as caught:
        await learn(counter, examples=[wrong], again=True, key="again")
    assert caught.value.code == "BAD_EXAMPLE"


async def test_a_source_that_the_user_picks_is_tried_before_any_is_drawn(counter):
    reply = await learn(counter, examples=[CASE, OTHER], candidates=[TWICE, UP])
    assert (reply.method.source, counter.played.asked) == (UP, [])


async def test_a_form_that_fails_hands_over_to_the_next(counter):
    nothing = ["def up_(self, by):\n    return by\n"]
    counter.played.rounds = [
        nothing,
        nothing,
        nothing,
        ["    self.count = self.count + by\n    self._p_changed = True\n    return self.count\n```"] * 2,
    ]
    reply = await learn(counter, examples=[CASE])
    assert reply.method.source == UP
    roles = [[turn.role for turn in request.rows[0].turns] for request in counter.played.asked]
    assert roles == [["assistant"]] * 3 + [["user", "assistant"]]
