"""What is defined or reverted by who may not install waits, and no sequence of requests comes round that."""

from __future__ import annotations

from contextlib import suppress

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol import verbs
from protocol.errors import BatosError
from protocol.messages import (
    Define,
    Drop,
    History,
    Learn,
    Mandate,
    New,
    Revert,
    SetSlots,
    Source,
)
from tests.actors.orchestrator.agents import AGENT, AREA, CASE, TWICE, methods
from tests.actors.orchestrator.hand.conftest import Hand


@pytest.fixture
def box(house):
    house.new("box", width=5, height=6)
    return Hand(house)


@pytest.fixture
def agent(house, box):
    return Hand(house, AGENT)


# By hand -------------------------------------------------------------------------------------------------------------


async def test_what_an_agent_defines_waits_and_stands_once_it_is_accepted(house, box, agent):
    made = await agent.define("box", AREA)
    (one,) = await box.proposals()
    assert (made.proposal, made.methods[0].selector) == (one.id, "area_")
    assert (one.source, one.cycle, one.asked_by) == (AREA, "mcp:claude-code", "mcp:claude-code")
    assert ("box", "area_") not in methods(house)
    assert (await agent.define("box", AREA)).proposal == one.id, "the same waits already"
    assert (await agent.define("box", AREA, key="mcp:claude-code 1")).proposal == one.id
    accepted = await box.accept(one.id)
    assert (accepted.selector, accepted.sends) == ("area_", None)
    assert (await house.send("box", "area_")).result == 30
    again = await agent.define("box", AREA, key="mcp:claude-code 1")
    assert (again.proposal, again.tid is None) == (None, False)
    (version,) = (await box.ask(verbs.HISTORY, History(name="box"))).versions
    assert (version.author.startswith("user:"), version.asked_by) == (True, "mcp:claude-code")


async def test_a_revert_of_an_agent_waits_and_is_not_repeated_once_it_stands(house, box, agent):
    await box.define("box", AREA)
    await box.define("box", "def area_(self):\n    return 0\n")
    before = methods(house)
    made = await agent.revert("box", "area_", key="r")
    assert made.proposal is not None
    assert methods(house) == before
    (one,) = await box.proposals()
    assert one.diff
    await box.accept(one.id)
    assert (await house.send("box", "area_")).result == 30
    assert (await agent.revert("box", "area_", key="r")).proposal is None
    assert await box.proposals() == []


async def test_a_rejected_definition_says_why(house, box, agent):
    made = await agent.define("box", AREA, key="d")
    await box.reject(made.proposal, "we have one")
    error = await agent.refused(agent.define("box", AREA, key="d"))
    assert (error.code, "we have one" in error.message) == ("REJECTED", True)


async def test_several_methods_are_proposed_one_by_one(house, box, agent):
    error = await agent.refused(agent.define("box", AREA + TWICE))
    assert (error.code, "one method at a time" in error.hint) == ("BAD_ARGUMENT", True)


@pytest.mark.parametrize("name", ["traits_obj", "box"])
async def test_an_object_that_takes_no_method_takes_no_proposal_either(house, box, agent, name):
    await box.set("box", _learning="deny")
    error = await agent.refused(agent.define(name, AREA))
    assert error.code == "LEARNING_DENIED"


# The law -------------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["box", "traits_obj", "persona", "crate"])
WORK = st.one_of(
    st.builds(Define, name=NAMES, source=st.sampled_from([AREA, TWICE, AREA + TWICE]), drop_contract=st.booleans()),
    st.builds(Revert, name=NAMES, selector=st.just("area_"), drop_contract=st.booleans()),
    st.builds(SetSlots, name=NAMES, slots=st.sampled_from([{"_learning": "auto"}, {"width": 1}])),
    st.builds(Drop, name=NAMES, entry=st.sampled_from(["area_", None]), force=st.booleans()),
    st.builds(New, name=st.just("crate"), parent=st.just("box")),
    st.builds(
        Mandate,
        target=NAMES,
        selector=st.sampled_from(["area_", "twice_"]),
        examples=st.sampled_from([[], [CASE]]),
        learn=st.sampled_from([None, Learn(), Learn(again=True, drop_contract=True), Learn(again=True, corrects=True)]),
        hand=st.sampled_from(
            [None, None, SetSlots(name="box", slots={"_learning": "auto"}), Drop(name="box", force=True)]
        ),
    ),
)
VERB = {Define: verbs.DEFINE, Revert: verbs.REVERT, SetSlots: verbs.SET, Drop: verbs.DROP, New: verbs.NEW}


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORK, min_size=1, max_size=4))
def test_no_sequence_of_requests_changes_a_method_of_the_world(event_loop_policy_free_house, work):
    run, house, box = event_loop_policy_free_house
    agent = Hand(house, msgspec.structs.replace(AGENT, name=f"agent {len(house.events)} {id(work)}"))

    async def all_of_it():
        if ("box", "area_") not in methods(house):
            await box.ask(verbs.NEW, New(name="box", slots={"width": 5, "height": 6}))
            await box.define("box", "def area_(self):\n    return 0\n")
            await box.define("box", AREA)
        before = methods(house)
        for request in work:
            house.played.rounds = [[AREA, TWICE] * 2]
            with suppress(BatosError):
                await agent.ask(VERB.get(type(request), verbs.MANDATE), request, None, partial=lambda _: None)
        assert {name: what for name, what in methods(house).items() if name[0] != "crate"} == before
        assert not [name for name in methods(house) if name[0] == "crate"]
        assert (await box.ask(verbs.SOURCE, Source(target="box", selector="area_"))).method.source == AREA

    run(all_of_it())
