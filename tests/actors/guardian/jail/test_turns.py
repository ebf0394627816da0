"""Who goes next: what has been begun first, newcomers where there is room, and nobody last for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from actors.guardian.jail import turns
from actors.guardian.jail.turns import Turns


class Play:
    """Turns of one worker that is at work; whoever goes writes its name into `went`."""

    def __init__(self) -> None:
        self.crowded = False
        self.went: list[str] = []
        self.turns = Turns(1, lambda: self.crowded)
        self.leave = asyncio.Event()
        self.then: Callable[[], object] = lambda: None

    async def have(self, name: str, *, newcomer: bool = False) -> None:
        async with self.turns.one(newcomer=newcomer):
            self.went.append(name)
            if name == "first":
                await self.leave.wait()
        if name == "first":
            self.then()

    async def queue(self, *names: str) -> list[asyncio.Task[None]]:
        """Those whose name begins with N are newcomers."""
        tasks = []
        for name in names:
            tasks.append(asyncio.create_task(self.have(name, newcomer=name.startswith("N"))))
            await asyncio.sleep(0)
        return tasks


async def test_what_has_been_begun_goes_first_and_each_in_order():
    play = Play()
    tasks = await play.queue("first", "N1", "a", "N2", "b")
    play.leave.set()
    await asyncio.gather(*tasks)
    assert play.went == ["first", "a", "b", "N1", "N2"]


async def test_a_newcomer_waits_while_it_is_crowded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(turns, "PATIENCE_S", 60.0)
    play = Play()
    play.crowded = True
    tasks = await play.queue("N1", "a")
    await asyncio.sleep(3 * turns.AGAIN_S)
    assert play.went == ["a"]
    play.crowded = False
    await asyncio.wait_for(asyncio.gather(*tasks), 10)
    assert play.went == ["a", "N1"]


async def test_who_has_waited_long_gives_way_to_nobody(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(turns, "PATIENCE_S", 0.0)
    play = Play()
    play.crowded = True
    tasks = await play.queue("first", "a", "N1", "b")
    await asyncio.sleep(0.01)
    play.leave.set()
    await asyncio.gather(*tasks)
    assert play.went == ["first", "N1", "a", "b"]


async def test_who_is_cancelled_takes_no_turn_along():
    play = Play()
    first, gone, given, last = await play.queue("first", "a", "b", "c")
    gone.cancel()
    # In one step: the first one's turn is handed on, and who was given it is cancelled before it hears of it.
    play.then = given.cancel
    play.leave.set()
    await first
    await asyncio.gather(gone, given, return_exceptions=True)
    await last
    assert play.went == ["first", "c"]
