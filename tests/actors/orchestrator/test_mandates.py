"""Whole mandates: a real journal, a real jail, the image's own states; only model and memory are played."""

from __future__ import annotations

import asyncio

import pytest

from actors.orchestrator import views
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.messages import Example, Mandate, OtherObject
from tests.actors.orchestrator.hand.conftest import Hand
from world.store import snapshot

AREA = "def area_(self):\n    return self.width * self.height\n"
WRONG = "def area_(self):\n    return self.width + self.height\n"
FORGETFUL = "def area_(self):\n    self.width = 1\n    return 12\n"
CASE = Example(slots={"width": 3, "height": 4}, returns=12)


async def test_a_message_that_nobody_wrote_becomes_a_method(house):
    house.new("box", width=5, height=6)
    house.played.rounds = [[WRONG, "def area_(self:", FORGETFUL], [AREA, WRONG]]
    reply = await house.send("box", "area_", examples=[CASE])
    assert (reply.result, reply.state, reply.synthesized) == (30, "COMPLETE", True)
    assert reply.method.selector == "area_"
    assert reply.method.attempts == 4
    states = [event.state for event in house.events if event.event == "state"]
    assert states == ["IDLE", "DECOMPOSING", "DELEGATING", "SYNTHESIZING", "COMPLETE"]
    seen = house.look("box")
    assert seen.methods["area_"].source == AREA
    assert seen.methods["area_"].author == reply.cycle
    with snapshot(house.db) as connection:
        method = connection.root()["objects"]["box"].area_
        assert method.model == "digest of the model"
        assert dict(method.examples[0])["returns"] == 12
        assert len(connection.root()["orchestrator_obj"].active_cycles) == 0
    again = await house.send("box", "area_", key="k2")
    assert (again.result, again.cycle, again.synthesized, again.tid) == (30, None, False, None)
    story = (await house.journal.run(lambda: views.cycles(house.journal, reply.mandate, 1))).story
    assert (story.cycle, story.state) == (reply.cycle, "COMPLETE")
    assert [verdict["problem"] == "" for verdict in story.verdicts] == [False, False, False, True]
    assert sum(step.tokens for step in story.steps) >= 50
    await house.bus.join()


async def test_an_object_that_refers_to_others_learns_too(house):
    anna = house.new("anna", age=7)
    house.new("box", friend=Ref(anna.oid), all=[Ref(anna.oid), {"who": Ref(anna.oid)}])
    house.played.rounds = [["def friend_of_(self):\n    return self.friend\n"]]
    case = Example(returns=Ref(anna.oid))
    reply = await house.send("box", "friend_of_", examples=[case])
    assert (reply.result, reply.synthesized) == (Ref(anna.oid), True)
    (asked,) = house.played.asked
    assert "friend = @anna, all = [@anna, {'who': @anna}]" in str(asked.rows[0].turns[-1].content)
    assert anna.oid not in str(asked.rows)


async def test_what_failed_is_fed_back(house):
    house.new("box", width=5, height=6)
    house.played.rounds = [[WRONG], [AREA]]
    await house.send("box", "area_", examples=[CASE])
    first, second = (str(request.rows[0].turns) for request in house.played.asked)
    assert "expected 12, got 7" not in first
    assert "return self.width + self.height  (the method returned something else: expected 12, got 7)" in second
    seeds = {row.seed for request in house.played.drawn for row in request.rows}
    assert len(seeds) == sum(len(request.rows) for request in house.played.drawn)


async def test_no_candidate_passes_nothing_is_left_but_the_diagnosis(house):
    house.new("box", width=5, height=6)
    before = house.look("box")
    house.played.rounds = [[WRONG], [FORGETFUL], ["def area_(self):\n    import os\n"]]
    with pytest.raises(BatosError, match="none of 3 candidate methods passed") as caught:
        await house.send("box", "area_", examples=[CASE])
    assert caught.value.code == "NOT_SYNTHESIZED"
    assert caught.value.data["mandate"]
    assert house.look("box") == before
    with snapshot(house.db) as connection:
        assert len(connection.root()["orchestrator_obj"].active_cycles) == 0
    story = (await house.journal.run(lambda: views.cycles(house.journal, caught.value.data["cycle"], 1))).story
    assert (story.state, story.error.code) == ("FAILED", "NOT_SYNTHESIZED")
    with pytest.raises(BatosError, match="none of 3") as repeated:
        await house.send("box", "area_", examples=[CASE])
    assert repeated.value.data["mandate"] == caught.value.data["mandate"]


async def test_a_method_that_fails_on_the_message_itself_is_not_installed(house):
    house.new("box", width=5, height=0)
    ratio = "def ratio_(self):\n    return self.width // self.height\n"
    house.played.rounds = [[ratio]] * 3
    with pytest.raises(BatosError, match="none of 1 candidate"):
        await house.send("box", "ratio_", examples=[Example(slots={"width": 4, "height": 2}, returns=2)])
    assert house.look("box").methods == {}


async def test_an_understood_message_changes_its_object_and_needs_no_cycle(house):
    house.new("counter", count=1)
    up = "def up_(self, by):\n    self.count = self.count + by\n    self._p_changed = True\n    return self.count\n"
    house.give("counter", up)
    await house.send("counter", "up_", 2, parameters=["by"])
    reply = await house.send("counter", "up_", 40, key="k2")
    assert (reply.result, reply.cycle) == (43, None)
    assert house.look("counter").slots == {"count": 43}
    assert house.look("counter").tid == reply.tid


async def test_the_same_key_is_answered_once_and_another_message_under_it_is_refused(house):
    house.new("counter", count=1)
    up = "def up_(self):\n    self.count = self.count + 1\n    self._p_changed = True\n"
    house.give("counter", up)
    first = await house.send("counter", "up_")
    assert await house.send("counter", "up_") == first
    assert house.look("counter").slots == {"count": 2}
    with pytest.raises(BatosError) as caught:
        await house.send("counter", "down_")
    assert caught.value.code == "CONFLICT"


async def test_two_who_wait_for_the_same_mandate_get_the_same_answer(house):
    house.new("box", width=5, height=6)
    gate = asyncio.Event()

    async def later():
        await gate.wait()
        return [AREA]

    house.played.rounds = [later]
    waiting = [asyncio.create_task(house.send("box", "area_", examples=[CASE])) for _ in range(2)]
    while not house.played.asked:
        await asyncio.sleep(0.01)
    gate.set()
    one, other = await asyncio.gather(*waiting)
    assert one == other
    assert len(house.played.asked) == 1


async def test_a_detached_mandate_ends_by_itself(house):
    house.new("box", width=5, height=6)
    house.played.rounds = [[AREA]]
    reply = await house.send("box", "area_", detach=True, examples=[CASE])
    assert reply.state == "accepted"
    while "area_" not in house.look("box").methods:
        await asyncio.sleep(0.01)


async def test_after_a_crash_in_generation_the_mandate_ends_once(house):
    house.new("box", width=5, height=6)
    started = asyncio.Event()

    async def never():
        started.set()
        await asyncio.Event().wait()

    house.played.rounds = [[WRONG], never, [AREA]]
    waiting = asyncio.create_task(house.send("box", "area_", examples=[CASE]))
    await started.wait()
    await house.crash()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await house.mandates.recover() == 1
    reply = await house.send("box", "area_", examples=[CASE])
    assert reply.result == 30
    # The first round stood in the journal: it was not generated again.
    assert len(house.played.asked) == 3
    story = (await house.journal.run(lambda: views.cycles(house.journal, None, 10))).cycles
    assert [cycle.state for cycle in story] == ["COMPLETE"]
    assert [entry["description"] for entry in house.db.undoLog(0, 100)].count(f"area_ for mandate {reply.mandate}") == 1


async def test_after_a_crash_between_commit_and_answer_nothing_is_done_twice(house):
    house.new("counter", count=1)
    up = "def up_(self):\n    self.count = self.count + 1\n    self._p_changed = True\n"
    house.played.rounds = [[up]]
    owed = {"examples": [Example(slots={"count": 5}, slots_after={"count": 6})]}
    first = await house.send("counter", "up_", **owed)
    await house.journal.run(
        lambda: house.journal._db.execute("UPDATE mandates SET state = 'accepted', reply = NULL, finished = NULL")
    )
    await house.crash()
    assert await house.mandates.recover() == 1
    assert await house.send("counter", "up_", **owed) == first
    assert house.look("counter").slots == {"count": 2}


async def test_a_lost_guardian_is_waited_for(house):
    house.new("box", width=5, height=6)
    house.played.rounds = [BatosError("NOT_READY", "lost", lost=True), [AREA]]
    reply = await house.send("box", "area_", examples=[CASE])
    assert reply.result == 30


async def test_a_mandate_that_is_late_fails_and_says_so(house):
    house.new("box", width=5, height=6)

    async def never():
        await asyncio.Event().wait()

    house.played.rounds = [never]
    with pytest.raises(BatosError) as caught:
        await house.send("box", "area_", examples=[CASE], seconds=0.7)
    assert caught.value.code == "TIMEOUT"


async def test_a_covenant_breach_at_run_time_writes_nothing(house):
    house.new("box", width=5, height=6)
    from world.method import UvmMethod
    from world.store import commit

    sly = "def sly_(self):\n    self.width = 9\n"
    with commit(house.db, user="test", description="past the gate") as connection:
        connection.root()["objects"]["box"].set_slot("sly_", UvmMethod("sly_", source=sly))
    with pytest.raises(BatosError) as caught:
        await house.send("box", "sly_")
    assert (caught.value.code, caught.value.exit_code) == ("COVENANT_BREACH", 4)
    assert house.look("box").slots["width"] == 5


async def test_an_unknown_object_is_not_accepted(house):
    house.new("box", width=5, height=6)
    with pytest.raises(BatosError) as caught:
        await house.send("Box", "area_")
    assert (caught.value.code, caught.value.hint) == ("UNKNOWN_OBJECT", "Did you mean box?")
    assert await house.journal.run(house.journal.unfinished) == []


async def test_what_a_new_method_sends_is_proposed_before_it_is_installed(house):
    """Two messages that nobody understands, one within the other: the mandate stops at each, and goes on with the user's word."""
    hand = Hand(house)
    house.new("shop", price=10)
    total = "def total_(self):\n    return self.price + self.tax_()\n"
    tax = "def tax_(self):\n    return self.price // 5\n"
    house.played.rounds = [[total], [tax]]
    outer = await house.send("shop", "total_")
    await hand.accept(outer.proposal)
    inner = await house.send("shop", "total_")
    assert (inner.state, inner.method.selector, set(house.look("shop").methods)) == ("PROPOSED", "tax_", {"total_"})
    await hand.accept(inner.proposal)
    reply = await house.send("shop", "total_")
    assert (reply.result, reply.mandate) == (12, outer.mandate)
    seen = house.look("shop")
    assert seen.methods["tax_"].author != seen.methods["total_"].author


async def test_a_cycle_that_causes_itself_fails(house):
    house.new("shop", price=10)
    house.played.rounds = [["def again_(self):\n    return self.again_()\n"]]
    with pytest.raises(BatosError):
        await house.send("shop", "again_")
    assert house.look("shop").methods == {}


async def test_an_object_is_named_where_a_reference_is_wanted(house):
    pen = house.new("pen", cents=200)
    house.new("order", first={"$ref": "pen"}, note={"$dict": [["$ref", "pen"]]})
    assert house.look("order").slots == {"first": Ref(pen.oid), "note": {"$ref": "pen"}}
    house.played.rounds = [["def is_first_(self, what):\n    return what == self.first\n"]]
    cases = [
        Example(args=[{"$ref": "pen"}], returns=True),
        Example(slots={"first": {"$ref": "order"}}, args=[{"$ref": "pen"}], returns=False),
    ]
    reply = await house.send("order", "is_first_", {"$ref": pen.oid}, examples=cases)
    assert reply.result is True
    assert "@pen" in str(house.played.asked[0].rows[0].turns[-1].content)
    again = await house.send("order", "is_first_", Ref(pen.oid), examples=cases)
    assert again.mandate == reply.mandate, "a name and an OID are one reference"


@pytest.mark.parametrize(
    "rest",
    [
        {"args": [[{"$ref": "pan"}]]},
        {"kwargs": {"what": {"$ref": "pan"}}},
        {"examples": [Example(slots={"first": {"$ref": "pan"}}, returns=1)]},
        {"examples": [Example(objects={"pan": OtherObject()}, returns=1)]},
    ],
)
async def test_a_name_of_nothing_is_not_accepted(house, rest):
    house.new("pen", cents=200)
    mandate = Mandate(target="pen", selector="is_first_", **rest)
    with pytest.raises(BatosError) as caught:
        await house.mandates.answer(mandate, "k", house.events.append)
    assert (caught.value.code, caught.value.hint) == ("UNKNOWN_OBJECT", "Did you mean pen?")
    with pytest.raises(BatosError, match="no object is called 'pan'"):
        house.new("order", first={"$ref": "pan"})
