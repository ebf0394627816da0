"""Turns at objects that several want: in order, without a circle, and given up by who leaves."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.orchestrator.thinking.intents import Intents, QueuedTurn

MESSAGE = ("counter", "up_")


class Queue:
    def __init__(self):
        self.intents = Intents()
        self.order, self.tasks = [], {}

    def ask(self, mandate, *oids, number=None, message=MESSAGE):
        place = self.intents.number() if number is None else number
        turn = QueuedTurn(place, mandate, message, frozenset(oids))
        self.tasks[mandate] = asyncio.create_task(self._take(turn))
        return place

    async def _take(self, turn):
        await self.intents.take(turn)
        self.order.append(turn.mandate)

    async def settle(self):
        for _ in range(5):
            await asyncio.sleep(0)

    async def close(self):
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


@pytest.fixture
async def queue():
    made = Queue()
    yield made
    await made.close()


async def test_turns_come_in_the_order_in_which_they_were_asked_for(queue):
    for name in "abc":
        queue.ask(name, "x")
    await queue.settle()
    assert queue.order == ["a"]
    for left in "abc":
        queue.intents.release(left)
        await queue.settle()
    assert queue.order == ["a", "b", "c"]


async def test_who_wants_other_objects_need_not_wait(queue):
    queue.ask("a", "x")
    queue.ask("b", "x", "y")
    queue.ask("c", "y")
    queue.ask("d", "z")
    await queue.settle()
    assert queue.order == ["a", "d"], "c must not overtake b at y"
    queue.intents.release("a")
    await queue.settle()
    assert queue.order == ["a", "d", "b"]


async def test_who_asks_for_more_keeps_its_place(queue):
    first = queue.ask("a", "x")
    queue.ask("b", "y")
    queue.ask("c", "x")
    await queue.settle()
    queue.intents.release("a")
    queue.ask("a", "x", "y", number=first)
    await queue.settle()
    assert queue.order == ["a", "b", "c"], "the turn was given up, and c had waited for it"
    for left in "bc":
        queue.intents.release(left)
        await queue.settle()
    assert queue.order == ["a", "b", "c", "a"]


async def test_who_leaves_the_queue_holds_nobody_up(queue):
    for name in "abc":
        queue.ask(name, "x")
    await queue.settle()
    queue.tasks["b"].cancel()
    await queue.settle()
    queue.intents.release("a")
    await queue.settle()
    assert queue.order == ["a", "c"]


async def test_it_says_whose_turn_it_is_and_what_is_waited_for(queue):
    queue.ask("a", "x")
    queue.ask("b", "x", "y", message=("counter", "down_"))
    await queue.settle()
    assert queue.intents.taken("a") == frozenset()
    assert queue.intents.taken("b") == {"x"}
    assert queue.intents.wanted(MESSAGE) == {"x"}
    assert queue.intents.wanted(("counter", "down_")) == {"x", "y"}
    queue.intents.release("a")
    queue.intents.release("b")
    assert queue.intents.wanted(MESSAGE) == frozenset()
    assert queue.intents._turns == []


@settings(max_examples=60)
@given(
    st.lists(st.lists(st.sets(st.sampled_from("uvwxyz"), min_size=1), min_size=1, max_size=3), min_size=1, max_size=8)
)
def test_everybody_comes_to_an_end_whatever_they_ask_for(lives):
    async def play():
        intents, holding = Intents(), []

        async def live(name, asks):
            number, wanted = intents.number(), frozenset()
            for more in asks:
                wanted |= more
                await intents.take(QueuedTurn(number, name, (name, "s_"), wanted))
                assert all(wanted.isdisjoint(other) for other in holding)
                holding.append(wanted)
                await asyncio.sleep(0)
                holding.remove(wanted)
                intents.release(name)

        async with asyncio.timeout(5):
            await asyncio.gather(*(live(str(number), asks) for number, asks in enumerate(lives)))

    asyncio.run(play())
