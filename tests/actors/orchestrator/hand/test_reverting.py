"""Every version of a method stays readable and can stand again, whatever was done to it, packed or not."""

from __future__ import annotations

import getpass
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.orchestrator.hand import reading
from protocol.errors import BatosError
from protocol.messages import Example, History, Learn
from world.method import digest

SOURCES = [f"def area_(self):\n    return self.width * {number}\n" for number in range(4)]
USER = f"user:{getpass.getuser()}"


@pytest.fixture
def box(house, hand):
    house.new("box", width=5, height=6)
    return hand


def versions(house, selector="area_", name="box", **page):
    return reading.versions(house.store, History(name=name, selector=selector, **page)).versions


def told(house):
    return [(one.sha256, one.verdict, one.stands) for one in versions(house)]


async def test_an_earlier_version_stands_again_and_history_says_how_it_came(house, box):
    first = await box.define("box", SOURCES[1])
    second = await box.define("box", SOURCES[2])
    made = await box.revert("box", "area_")
    assert made.sha256 == digest(SOURCES[1])
    assert (await house.send("box", "area_")).result == 5
    found = versions(house)
    assert [(one.sha256, one.tid, one.stands) for one in found] == [
        (digest(SOURCES[1]), made.tid, True),
        (digest(SOURCES[2]), second.tid, False),
        (digest(SOURCES[1]), first.tid, False),
    ]
    assert [one.why for one in found] == ["revert box area_", "define box", "define box"]
    assert {(one.author, one.verdict) for one in found} == {(USER, "accept")}


async def test_a_dropped_method_stands_again(house, box):
    await box.define("box", SOURCES[1])
    await box.drop("box", "area_")
    assert told(house) == [(None, "dropped", False), (digest(SOURCES[1]), "accept", False)]
    await box.revert("box", "area_")
    assert (await house.send("box", "area_")).result == 5


async def test_versions_survive_a_pack(house, box):
    for source in SOURCES[:3]:
        await box.define("box", source)
    before = versions(house)
    house.db.pack(time.time())
    house.db.cacheMinimize()
    assert versions(house) == before
    await box.revert("box", "area_", digest(SOURCES[0])[:6])
    assert told(house)[0] == (digest(SOURCES[0]), "accept", True)


async def test_a_version_comes_back_with_the_contract_that_it_had_and_must_hold_it(house, box):
    case = Example(slots={"width": 3}, returns=3)
    house.played.rounds = [[SOURCES[1]] * 2]
    await house.send("box", "area_", key="learn", examples=[case], intent="As wide as it is.", learn=Learn())
    await box.define("box", SOURCES[2], drop_contract=True)
    await box.revert("box", "area_")
    newest, *_, learned = versions(house)
    assert newest.examples == learned.examples != []
    assert (newest.intent, newest.author) == ("As wide as it is.", USER)
    assert learned.author.startswith("c")
    assert learned.model == "digest of the model"
    relying = "def area_(self):\n    return self.half_() * 2\n"
    await box.define("box", f"def half_(self):\n    return self.width / 2\n\n{relying}")
    await box.define("box", SOURCES[2], drop_contract=True)
    await box.define("box", "def half_(self):\n    return 0\n")
    error = await box.refused(box.revert("box", "area_", digest(relying)))
    assert (error.code, error.data["selector"]) == ("REFUSED", "area_")
    assert told(house)[0] == (digest(SOURCES[2]), "accept", True)


async def test_the_kernels_own_method_stands_again(house, box):
    before = house.look("traits_obj").methods["_doesNotUnderstand_"].sha256
    await box.define("traits_obj", "def _doesNotUnderstand_(self, selector, args, kwargs):\n    return 'no'\n")
    await box.revert("traits_obj", "_doesNotUnderstand_")
    assert house.look("traits_obj").methods["_doesNotUnderstand_"].sha256 == before
    await box.define("traits_obj", "def recall_(self, query, top_k=3, where=None):\n    return []\n")
    assert (await box.revert("traits_obj", "recall_")).sha256 is None
    assert house.look("traits_obj").methods["recall_"].source is None


async def test_what_stands_already_is_no_change(house, box):
    await box.define("box", SOURCES[1])
    assert (await box.revert("box", "area_", digest(SOURCES[1]))).tid is None
    assert len(versions(house)) == 1


@pytest.mark.parametrize(
    ("selector", "to", "code", "hint"),
    [
        ("area_", None, "BAD_ARGUMENT", "batos history box area_"),
        ("area_", "fff0", "BAD_ARGUMENT", "batos history"),
        ("area_", "a", "BAD_ARGUMENT", "4 characters"),
        ("size_", None, "UNKNOWN_METHOD", "batos history box"),
        ("clone_", None, "BAD_ARGUMENT", "batos revert traits_obj clone_"),
        ("area", None, "BAD_SELECTOR", "area_"),
    ],
)
async def test_what_cannot_be_reverted_says_the_next_step(box, selector, to, code, hint):
    await box.define("box", SOURCES[1])
    error = await box.refused(box.revert("box", selector, to))
    assert error.code == code
    assert hint in error.hint


async def test_history_is_told_of_heirs_and_page_by_page(house, box):
    for source in SOURCES:
        await box.define("box", source)
    await box.set("box", of=None)
    page = reading.versions(house.store, History(name="box", selector="area_", limit=3))
    assert (len(page.versions), page.next) == (3, 3)
    last = reading.versions(house.store, History(name="box", after=3, limit=3))
    assert ([one.sha256 for one in last.versions], last.next) == ([digest(SOURCES[0])], None)
    assert reading.versions(house.store, History(name="box", selector="clone_")).holder == "traits_obj"
    with pytest.raises(BatosError, match="has and had no method"):
        versions(house, "size_")


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("define"), st.integers(0, 3)),
        st.tuples(st.just("revert"), st.none()),
        st.tuples(st.just("revert"), st.integers(0, 3)),
        st.tuples(st.just("drop"), st.none()),
        st.tuples(st.just("pack"), st.none()),
        st.tuples(st.just("crash"), st.none()),
    ),
    max_size=8,
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_any_sequence_leaves_what_a_model_of_versions_says(event_loop_policy_free_house, steps):
    run, house, hand = event_loop_policy_free_house
    run(_follow(house, hand, steps))


async def _follow(house, hand, steps):
    """The model is a list of the sources that stood, None where none did."""
    hand.names = getattr(hand, "names", 0) + 1
    name = f"box{hand.names}"
    house.new(name, width=5)
    model: list[str | None] = []
    for step, number in steps:
        standing = model[-1] if model else None
        if step == "define":
            await hand.define(name, SOURCES[number])
            wanted = SOURCES[number]
        elif step == "drop" and standing is not None:
            await hand.drop(name, "area_")
            wanted = None
        elif step == "revert":
            wanted = _reverted(model, standing, number)
            to = None if number is None else digest(SOURCES[number])
            if wanted is None:
                assert (await hand.refused(hand.revert(name, "area_", to))).exit_code == 2
                continue
            await hand.revert(name, "area_", to)
        else:
            if step == "pack":
                house.db.pack(time.time())
            if step == "crash":
                await house.crash()
            continue
        if wanted != standing:
            model.append(wanted)
    await _check(house, name, model)


def _reverted(model, standing, number):
    if number is not None:
        return SOURCES[number] if SOURCES[number] in model else None
    return next((one for one in reversed(model) if one is not None and one != standing), None)


async def _check(house, name, model):
    standing = house.look(name).methods.get("area_")
    assert (standing.source if standing else None) == (model[-1] if model else None)
    if model:
        found = reading.versions(house.store, History(name=name, selector="area_")).versions
        assert [one.source for one in reversed(found)] == model
        assert [one.stands for one in found] == [model[-1] is not None] + [False] * (len(model) - 1)
