"""Which of the candidates that hold the examples is installed, and what is told of the others; model and memory are played."""

from __future__ import annotations

import pytest

from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.messages import Example, Learn
from world.method import digest

AREA = "def area_(self):\n    return self.width * self.height\n"
TURNED = "def area_(self):\n    return self.height * self.width\n"
FOUR = "def area_(self):\n    return self.width * 4\n"
BY_HEART = "def area_(self):\n    return 12\n"
CASE = Example(slots={"width": 3, "height": 4}, returns=12)


async def learn(house, *sources, example=CASE, selector="area_", key="k", **how):
    house.played.rounds = [list(sources)]
    return await house.send("box", selector, learn=Learn(**how), examples=[example] if example else [], key=key)


async def test_the_majority_wins_and_the_others_are_doubts(house):
    house.new("box", width=5, height=6)
    reply = await learn(house, FOUR, AREA, TURNED)
    assert house.look("box").methods["area_"].source in {AREA, TURNED}
    learned = reply.learned
    assert [group.count for group in learned.groups] == [2, 1]
    assert learned.groups[1].sha256 == digest(FOUR)
    doubt = learned.doubts[0]
    first, second = doubt.answers
    assert (first.sha256, second.sha256) == (learned.sha256, digest(FOUR))
    assert first.outcome == {"returns": doubt.slots["width"] * doubt.slots["height"]}
    assert second.outcome == {"returns": doubt.slots["width"] * 4}


async def test_a_tie_ends_in_doubt_and_a_strict_mandate_installs_nothing(house):
    house.new("box", width=5, height=6)
    taller = "def area_(self):\n    return self.width + self.height + 5\n"
    reply = await learn(house, AREA, taller, strict=True)
    assert (reply.learned.installed, reply.synthesized) == (False, False)
    assert reply.learned.doubts
    assert reply.learned.reason == "candidates that hold all examples do not agree"
    assert house.look("box").methods == {}
    reply = await learn(house, AREA, taller, key="k2")
    assert reply.learned.installed
    assert reply.learned.doubts
    assert list(house.look("box").methods) == ["area_"]


async def test_strict_installs_what_is_in_no_doubt(house):
    house.new("box", width=5, height=6)
    reply = await learn(house, AREA, TURNED, strict=True)
    assert (reply.learned.installed, reply.learned.doubts) == (True, [])


async def test_a_group_shows_what_it_does_as_examples_that_part_it_from_the_others(house):
    house.new("box", width=5, height=6, colour="red")
    reply = await learn(house, AREA, TURNED, FOUR, dry_run=True)
    chosen, other = reply.learned.groups
    assert 0 < len(chosen.cases) <= 6
    for group, value in ((chosen, lambda slots: slots["width"] * slots["height"]), (other, lambda s: s["width"] * 4)):
        for case in group.cases:
            assert set(case.slots) == {"width", "height"}
            assert case.returns == value(case.slots)
    assert chosen.cases[0].slots == other.cases[0].slots
    assert chosen.cases[0].returns != other.cases[0].returns


async def test_one_candidate_alone_has_cases_and_without_an_example_all_of_it_is_in_doubt(house):
    house.new("box", width=5, height=6)
    reply = await learn(house, AREA, example=None)
    (group,) = reply.learned.groups
    assert (group.count, reply.learned.installed) == (1, False)
    assert group.cases[0].returns == group.cases[0].slots["width"] * group.cases[0].slots["height"]
    for doubt in reply.learned.doubts:
        first, second, *_ = (answer.outcome for answer in doubt.answers)
        assert first == {"returns": doubt.slots["width"] * doubt.slots["height"]} != second


async def test_one_candidate_alone_is_held_by_an_example_that_needs_each_part_of_it(house):
    house.new("box", width=5, height=6)
    reply = await learn(house, AREA)
    assert ([group.count for group in reply.learned.groups], reply.learned.doubts) == ([1], [])


@pytest.mark.parametrize("count", [400, 600])
async def test_one_candidate_alone_is_installed_however_many_examples_there_are(house, count):
    house.new("box", width=5, height=6)
    house.played.rounds = [[AREA]]
    cases = [Example(slots={"width": n, "height": 4}, returns=4 * n) for n in range(3, 3 + count)]
    reply = await house.send("box", "area_", examples=cases, key="k")
    assert house.look("box").methods["area_"].source == AREA
    assert bool(reply.learned.doubts) == (count == 600), "so many are not tried, and what is not tried is not confirmed"


async def test_one_candidate_alone_is_in_doubt_where_its_number_may_stand_for_a_slot(house):
    house.new("box", width=5, height=6)
    reply = await learn(house, FOUR)
    for doubt in reply.learned.doubts:
        box = {"width": 5, "height": 6, **doubt.slots}
        by_four, area = ({"returns": box["width"] * factor} for factor in (4, box["height"]))
        assert [answer.outcome for answer in doubt.answers] == [by_four, area]
    assert reply.learned.doubts


async def test_a_candidate_that_is_drawn_twice_is_confirmed(house):
    house.new("box", width=5, height=6)
    reply = await learn(house, AREA, AREA)
    (group,) = reply.learned.groups
    assert (group.count, reply.learned.doubts, reply.learned.installed) == (2, [], True)
    assert len(house.played.drawn) == 2, "the likeliest, then a few: no more were drawn"


async def test_what_repeats_the_example_loses_by_what_it_does(house):
    house.new("box", width=5, height=6)
    reply = await learn(house, BY_HEART, AREA)
    assert house.look("box").methods["area_"].source == AREA
    assert reply.learned.groups[1].source == BY_HEART


async def test_what_repeats_the_example_is_installed_only_where_no_round_brings_a_better_one(house):
    house.new("box", width=5, height=6)
    house.played.rounds = [[BY_HEART], ["def area_(self):\n    return 7\n"], [AREA]]
    await house.send("box", "area_", examples=[CASE])
    assert house.look("box").methods["area_"].source == AREA


async def test_what_repeats_the_example_is_better_than_nothing(house):
    house.new("box", width=5, height=6)
    house.played.rounds = [[BY_HEART], [], []]
    await house.send("box", "area_", examples=[CASE])
    assert house.look("box").methods["area_"].source == BY_HEART


async def test_a_word_of_the_domain_may_stand_in_a_method(house):
    house.new("box", paid=True)
    state = "def state_(self):\n    if self.paid:\n        return 'shipped'\n    return 'waiting'\n"
    blunt = "def state_(self):\n    return 'shipped'\n"
    cases = [Example(slots={"paid": True}, returns="shipped"), Example(slots={"paid": False}, returns="waiting")]
    house.played.rounds = [[blunt, state]] + [[]] * 2
    reply = await house.send("box", "state_", examples=cases)
    assert (reply.result, house.look("box").methods["state_"].source) == ("shipped", state)


async def test_methods_that_change_slots_are_compared_by_the_change(house):
    house.new("box", count=2)
    add, double = (
        f"def up_(self, by):\n    self.count = self.count {how}\n    self._p_changed = True\n"
        for how in ("+ by", "* 2")
    )
    case = Example(slots={"count": 5}, args=[5], slots_after={"count": 10})
    house.played.rounds = [[add, double]]
    reply = await house.send("box", "up_", examples=[case], parameters=["by"], learn=Learn(dry_run=True))
    assert {group.sha256 for group in reply.learned.groups} == {digest(add), digest(double)}
    assert all(
        case.slots_after
        for group in reply.learned.groups
        for case in group.cases
        if case.args[0] and case.slots["count"]
    )
    one, other = (answer.outcome.get("changed") for answer in reply.learned.doubts[0].answers)
    assert one != other


async def test_methods_that_send_are_compared_by_their_first_send(house):
    anna = house.new("anna", age=7)
    house.new("box", friend=Ref(anna.oid))
    asks = "def friends_age_(self):\n    return self.friend.age\n"
    house.played.rounds = [[asks]]
    reply = await house.send("box", "friends_age_")
    assert reply.state == "PROPOSED"
    (group,) = reply.learned.groups
    assert (group.cases, reply.learned.doubts) == ([], [])


@pytest.mark.parametrize("slot", [list(range(10_000)), "x" * 100_000, b"\x00" * 5000, 10**4000, {"a": {"b": [None]}}])
async def test_an_object_with_a_strange_slot_learns_too(house, slot):
    house.new("box", it=slot)
    source = "def same_(self):\n    return self.it\n"
    house.played.rounds = [[source]]
    reply = await house.send("box", "same_")
    assert (reply.state, reply.method.source) == ("PROPOSED", source)


async def test_candidates_that_are_none_are_refused(house):
    house.new("box", width=5, height=6)
    house.played.rounds = [[]] * 3
    with pytest.raises(BatosError, match="none of 0 candidate"):
        await house.send("box", "area_", examples=[CASE])
