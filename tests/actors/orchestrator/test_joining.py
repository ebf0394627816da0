"""Mandates that meet: the same message twice, a world that changes under a thought, and who only watches."""

from __future__ import annotations

import asyncio

import pytest

from protocol.errors import BatosError
from protocol.messages import CaughtUp, Example
from world.store import commit

AREA = "def area_(self):\n    return self.width * self.height\n"
WRONG = "def area_(self):\n    return self.width + self.height\n"
CASE = Example(slots={"width": 3, "height": 4}, returns=12)


class Gate:
    """A round of the played model that waits until it is opened."""

    def __init__(self, texts):
        self.texts = texts
        self.reached, self.opened = asyncio.Event(), asyncio.Event()

    async def __call__(self):
        self.reached.set()
        await self.opened.wait()
        return self.texts


async def test_a_second_mandate_for_the_same_message_joins_the_running_cycle(house):
    house.new("box", width=5, height=6)
    gate = Gate([AREA])
    house.played.rounds = [gate]
    first = asyncio.create_task(house.send("box", "area_", key="k1", examples=[CASE]))
    await gate.reached.wait()
    second = asyncio.create_task(house.send("box", "area_", key="k2"))
    while not any(event.event == "joined" for event in house.events):
        await asyncio.sleep(0.01)
    gate.opened.set()
    one, other = await asyncio.gather(first, second)
    assert (one.result, other.result) == (30, 30)
    assert one.mandate != other.mandate
    assert (one.synthesized, other.synthesized, other.cycle) == (True, False, None)
    assert len(house.played.asked) == 1


async def test_who_joined_with_the_very_same_message_fails_with_it(house):
    house.new("box", width=5, height=6)
    gate = Gate([WRONG])
    house.played.rounds = [gate, [WRONG], [WRONG]]
    sends = [asyncio.create_task(house.send("box", "area_", key="k1", examples=[CASE]))]
    await gate.reached.wait()
    sends.append(asyncio.create_task(house.send("box", "area_", key="k2", examples=[CASE])))
    while not any(event.event == "joined" for event in house.events):
        await asyncio.sleep(0.01)
    gate.opened.set()
    one, other = await asyncio.gather(*sends, return_exceptions=True)
    assert one.code == other.code == "NOT_SYNTHESIZED"
    assert one.data["mandate"] != other.data["mandate"]
    assert len(house.played.asked) == 3 + 1, "one cycle, in two forms"


async def test_who_joined_with_other_examples_tries_by_itself_then(house):
    house.new("box", width=5, height=6)
    gate = Gate([WRONG])
    house.played.rounds = [gate, [WRONG], [WRONG], [], [AREA]]
    first = asyncio.create_task(house.send("box", "area_", key="k1", examples=[CASE]))
    await gate.reached.wait()
    second = asyncio.create_task(
        house.send("box", "area_", key="k2", examples=[CASE, Example(slots={"width": 1, "height": 1}, returns=1)])
    )
    while not any(event.event == "joined" for event in house.events):
        await asyncio.sleep(0.01)
    gate.opened.set()
    with pytest.raises(BatosError):
        await first
    assert (await second).result == 30


async def test_a_world_that_changed_under_a_thought_is_thought_about_again_without_a_new_text(house):
    house.new("box", width=5, height=6)
    gate = Gate([AREA])
    house.played.rounds = [gate]
    waiting = asyncio.create_task(house.send("box", "area_", examples=[CASE]))
    await gate.reached.wait()

    def remark():
        with commit(house.db, user="test", description="another one") as connection:
            connection.root()["cycle_traits"].remark = "what every state sees has changed"

    await house.store.run(remark)
    gate.opened.set()
    reply = await waiting
    assert reply.result == 30
    assert len(house.played.asked) == 1


async def test_a_watcher_sees_what_was_told_and_the_end(house):
    house.new("box", width=5, height=6)
    gate = Gate([AREA])
    house.played.rounds = [gate]
    accepted = await house.send("box", "area_", detach=True, examples=[CASE])
    await gate.reached.wait()
    seen = []
    watching = asyncio.create_task(house.mandates.watch(accepted.mandate, seen.append))
    await asyncio.sleep(0)
    gate.opened.set()
    watched = await watching
    assert (watched.mandate, watched.state, watched.error) == (accepted.mandate, "COMPLETE", None)
    assert watched.result == 30
    states = [event.state for event in seen if event.event == "state"]
    assert states == ["IDLE", "DECOMPOSING", "DELEGATING", "SYNTHESIZING", "COMPLETE"]
    again = await house.mandates.watch(watched.cycle, seen.append)
    assert again == watched


async def test_a_watcher_of_a_failure_learns_why_and_of_nothing_that_there_is_nothing(house):
    house.new("box", width=5, height=6)
    house.played.rounds = [[WRONG]] * 3
    with pytest.raises(BatosError) as caught:
        await house.send("box", "area_", examples=[CASE])
    watched = await house.mandates.watch(caught.value.data["cycle"], house.events.append)
    assert (watched.state, watched.error.code) == ("FAILED", "NOT_SYNTHESIZED")
    with pytest.raises(BatosError, match="no cycle and no mandate"):
        await house.mandates.watch("nothing", house.events.append)


async def test_an_answer_does_not_wait_for_a_memory_that_is_broken(house):
    def broken(_request):
        raise BatosError("STORAGE", "the disk is full")

    house.bus.handlers["memory", "catch_up"] = broken
    house.new("box", width=5, height=6)
    house.played.rounds = [[AREA]]
    reply = await house.send("box", "area_", examples=[CASE])
    assert (reply.result, reply.remembered) == (30, False)
    house.bus.handlers["memory", "catch_up"] = lambda _request: CaughtUp(cursor=1)
    house.new("crate", width=1, height=2)
    house.played.rounds = [[AREA]]
    assert (await house.send("crate", "area_", key="k2", examples=[CASE])).remembered
