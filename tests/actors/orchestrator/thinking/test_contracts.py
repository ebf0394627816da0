"""Learning without sending: what is understood, what is owed, and how long it may take."""

from __future__ import annotations

import pytest

from actors.orchestrator import views
from protocol.errors import BatosError
from protocol.messages import Example, Learn

AREA = "def area_(self):\n    return self.width * self.height\n"
WRONG = "def area_(self):\n    return self.width + self.height\n"
CASE = Example(slots={"width": 3, "height": 4}, returns=12)


async def refused(house, **facts):
    with pytest.raises(BatosError) as caught:
        await house.send("box", "area_", **{"key": "refused", **facts})
    return caught.value


async def test_a_method_is_learned_once_and_again_where_that_is_asked_for(house):
    house.new("box", width=5, height=6)
    house.played.rounds = [[WRONG, AREA]] * 2
    before = house.look("box")
    dry = await house.send("box", "area_", examples=[CASE], learn=Learn(dry_run=True), key="k1")
    assert (dry.result, dry.learned.installed, dry.learned.source) == (None, False, AREA)
    assert house.look("box") == before
    done = await house.send("box", "area_", examples=[CASE], intent="the area", learn=Learn(), key="k2")
    assert (done.learned.installed, house.look("box").methods["area_"].intent) == (True, "the area")
    for mandate, installed in ((dry.mandate, False), (done.mandate, True)):
        story = (await house.journal.run(lambda mandate=mandate: views.cycles(house.journal, mandate, 1))).story
        marks = [(verdict["source"], verdict["chosen"], verdict["installed"]) for verdict in story.verdicts]
        assert marks == [(WRONG, False, False), (AREA, True, installed)]
    watched = await house.mandates.watch(done.mandate, lambda _: None)
    assert (watched.intent, watched.is_sent, watched.learned.installed) == ("the area", False, True)
    error = await refused(house, examples=[CASE], learn=Learn())
    assert (error.code, error.exit_code) == ("ALREADY_UNDERSTOOD", 6)
    assert "batos learn box area_ --again" in error.hint
    contrary = Example(slots={"width": 3, "height": 4}, returns=7)
    error = await refused(house, examples=[contrary], learn=Learn(again=True), key="k3")
    assert (error.code, "holds already" in error.message) == ("BAD_EXAMPLE", True)


async def test_what_is_not_understood_cannot_be_written_again(house):
    house.new("box", width=5)
    error = await refused(house, learn=Learn(again=True))
    assert (error.code, "batos learn box area_" in error.hint) == ("UNKNOWN_METHOD", True)
    with pytest.raises(BatosError, match="understands no") as caught:
        views.source(house.store, views.Source(target="box", selector="area_"))
    assert "batos learn box area_" in caught.value.hint


@pytest.mark.parametrize("seconds", [None, 500.0])
async def test_the_mandates_time_is_the_only_bound(house, seconds):
    """What inference is asked may take all of it: 90 seconds were once the default of who named none."""
    house.new("box", width=5, height=6)
    house.played.rounds = [[AREA]]
    given, call = [], house.bus.call

    async def noted(verb, request, *, seconds, **rest):
        if verb.service == "inference":
            given.append(seconds)
        return await call(verb, request, seconds=seconds, **rest)

    house.bus.call = noted
    await house.send("box", "area_", examples=[CASE], seconds=seconds)
    whole = house.mandates.default_seconds() if seconds is None else seconds
    assert given
    assert all(whole / 2 < each <= whole for each in given)
