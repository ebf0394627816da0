"""Mandates that nobody wants any more: stopped where they wait, once, whatever is killed between."""

from __future__ import annotations

import asyncio

import pytest

from actors.orchestrator import views
from actors.orchestrator.thinking.cancellation import Cancellation
from protocol import codec
from protocol.errors import BatosError
from protocol.messages import Example, Mandate
from world.store import snapshot

AREA = "def area_(self):\n    return self.width * self.height\n"
CASE = Example(slots={"width": 3, "height": 4}, returns=12)


class Endless:
    """A played inference whose rounds never end by themselves; it knows when it was given up."""

    def __init__(self, house):
        self.reached, self.told = asyncio.Event(), asyncio.Event()
        house.bus.handlers["inference", "infer"] = self.infer

    async def infer(self, _request, call):
        self.reached.set()
        await call.cancelled.wait()
        self.told.set()
        raise BatosError("CANCELLED", "nobody waits")


def active(house):
    with snapshot(house.db) as connection:
        return list(connection.root()["orchestrator_obj"].active_cycles)


def outbox(house):
    with snapshot(house.db) as connection:
        return list(connection.root()["outbox"].values())


async def failure(waiting):
    with pytest.raises(BatosError) as caught:
        await waiting
    return caught.value


@pytest.fixture
async def thinking(house):
    """A mandate whose text is being generated, and who waits for it."""
    house.new("box", width=5, height=6)
    endless = Endless(house)
    waiting = asyncio.create_task(house.send("box", "area_", examples=[CASE]))
    await endless.reached.wait()
    yield house, endless, waiting
    await house.bus.join()


async def test_a_cancelled_mandate_fails_once_and_leaves_nothing(thinking):
    house, endless, waiting = thinking
    before = house.look("box")
    (cycle,) = active(house)
    mandate = house.events[0].mandate
    ended = await house.mandates.cancel(mandate)
    assert (ended.mandate, ended.cycle, ended.state, ended.cancelled) == (mandate, cycle, "FAILED", True)
    error = await failure(waiting)
    assert (error.code, error.exit_code, error.data) == ("CANCELLED", 1, {"mandate": mandate, "cycle": cycle})
    assert endless.told.is_set()
    assert (active(house), outbox(house), house.look("box")) == ([], [], before)
    assert house.mandates._claims._held == {}
    assert await house.journal.run(house.journal.unfinished) == []
    story = (await house.journal.run(lambda: views.cycles(house.journal, cycle, 1))).story
    assert (story.state, story.error.code) == ("FAILED", "CANCELLED")
    assert await house.mandates.cancel(cycle) == ended
    repeated = await failure(house.send("box", "area_", examples=[CASE]))
    assert repeated.data["mandate"] == mandate


async def test_what_has_its_end_keeps_it(house):
    house.new("box", width=5, height=6)
    house.played.rounds = [[AREA]]
    reply = await house.send("box", "area_", examples=[CASE])
    ended = await house.mandates.cancel(reply.cycle)
    assert (ended.mandate, ended.state, ended.cancelled) == (reply.mandate, "COMPLETE", False)
    assert await house.send("box", "area_", examples=[CASE]) == reply
    assert house.look("box").methods["area_"].source == AREA


async def test_nothing_of_that_name_can_be_cancelled(house):
    error = await failure(house.mandates.cancel("c0ffee"))
    assert (error.code, "cycle ls" in error.hint) == ("UNKNOWN_CYCLE", True)


async def test_two_who_cancel_at_once_see_the_same_end(thinking):
    house, _, waiting = thinking
    mandate = house.events[0].mandate
    one, other = await asyncio.gather(house.mandates.cancel(mandate), house.mandates.cancel(mandate))
    assert one == other
    assert (await failure(waiting)).code == "CANCELLED"


async def test_a_cancel_holds_through_a_crash(thinking):
    house, endless, waiting = thinking
    mandate = house.events[0].mandate
    # The note is in the journal, and the process dies before the task has heard of it.
    await house.journal.run(lambda: house.journal.cancel(mandate))
    await house.crash()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert len(active(house)) == 1
    endless.reached.clear()
    assert await house.mandates.recover() == 1
    assert (await failure(house.send("box", "area_", examples=[CASE]))).code == "CANCELLED"
    assert (active(house), outbox(house)) == ([], [])
    assert not endless.reached.is_set()


async def test_a_crash_after_the_contexts_have_gone_fails_it_all_the_same(thinking):
    house, _, waiting = thinking
    house.journal.finish = lambda *_, **__: None  # killed before the end was noted: all else is done
    await house.mandates.cancel(house.events[0].mandate)
    assert (await failure(waiting)).code == "CANCELLED"
    assert active(house) == []
    await house.crash()
    assert await house.mandates.recover() == 1
    assert (await failure(house.send("box", "area_", examples=[CASE]))).code == "CANCELLED"
    assert await house.journal.run(house.journal.unfinished) == []


async def test_what_is_committed_already_is_not_cancelled(house):
    house.new("counter", count=1)
    up = "def up_(self):\n    self.count = self.count + 1\n    self._p_changed = True\n"
    house.played.rounds = [[up]]
    owed = {"examples": [Example(slots={"count": 5}, slots_after={"count": 6})]}
    first = await house.send("counter", "up_", **owed)
    await house.journal.run(
        lambda: house.journal._db.execute(
            "UPDATE mandates SET state = 'accepted', reply = NULL, finished = NULL, cancelled = 1.0"
        )
    )
    await house.crash()
    assert await house.mandates.recover() == 1
    assert await house.send("counter", "up_", **owed) == first
    assert not (await house.mandates.cancel(first.mandate)).cancelled
    assert house.look("counter").slots == {"count": 2}


async def test_who_joined_a_cancelled_mandate_goes_on_alone(thinking):
    house, _, waiting = thinking
    mandate = house.events[0].mandate
    other = asyncio.create_task(house.send("box", "area_", key="k2", examples=[CASE]))
    while not any(event.event == "joined" for event in house.events):
        await asyncio.sleep(0.01)
    house.bus.handlers["inference", "infer"] = house.played.infer
    house.played.rounds = [[AREA]]
    await house.mandates.cancel(mandate)
    assert (await failure(waiting)).code == "CANCELLED"
    reply = await other
    assert (reply.result, reply.synthesized) == (30, True)


async def test_who_waits_for_another_one_can_be_cancelled_too(thinking):
    house, endless, waiting = thinking
    second = asyncio.create_task(house.send("box", "area_", key="k2", examples=[CASE]))
    while not any(event.event == "joined" for event in house.events):
        await asyncio.sleep(0.01)
    joined = next(event for event in house.events if event.event == "joined")
    assert (await house.mandates.cancel(joined.mandate)).cancelled
    assert (await failure(second)).code == "CANCELLED"
    assert not endless.told.is_set()
    await house.mandates.cancel(house.events[0].mandate)
    assert (await failure(waiting)).code == "CANCELLED"


async def test_a_cancel_that_comes_before_the_first_step_is_heard(house):
    house.new("box", width=5, height=6)
    body = codec.pack(Mandate(target="box", selector="area_"))
    # Accepted, and nobody has started it yet: as between the acknowledgement and the task.
    await house.journal.run(lambda: house.journal.accept("m1", "k", body, 60.0))
    assert (await house.mandates.cancel("m1")).cancelled
    assert (await failure(house.send("box", "area_"))).code == "CANCELLED"
    assert house.played.asked == []


async def test_work_that_is_given_up_has_heard_of_it():
    cancellation, heard = Cancellation("m1"), []

    async def work():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            heard.append("cancelled")
            raise

    waiting = asyncio.create_task(cancellation.unless(work()))
    await asyncio.sleep(0)
    cancellation.call()
    cancellation.call()
    assert (await failure(waiting)).code == "CANCELLED"
    assert heard == ["cancelled"]


async def test_work_that_ends_in_time_is_answered():
    cancellation = Cancellation("m1")
    cancellation.check()

    async def work():
        return 7

    assert await cancellation.unless(work()) == 7
