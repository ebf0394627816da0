"""A connection is let go of with its World, and belongs to one event loop."""

from __future__ import annotations

import asyncio
import gc

import pytest

from batos import World
from batos.line import Line
from batos.loop import background
from protocol.errors import BatosError
from protocol.home import Home


class Held:
    """What a line holds."""

    is_closed = False

    async def close(self):
        self.is_closed = True


def test_a_world_that_nobody_has_any_more_lets_go(tmp_path):
    world = World(tmp_path)
    held = world._world._line._client = Held()
    del world
    gc.collect()
    background().run(asyncio.sleep(0.01))
    assert held.is_closed


def test_a_second_event_loop_connects_anew_and_two_at_once_are_told(tmp_path):
    line, held = Line(Home(tmp_path), None), Held()
    asyncio.run(line._settle())
    line._client = held
    asyncio.run(line._settle())
    assert (held.is_closed, line._client) == (True, None)
    background().run(line._settle())
    with pytest.raises(BatosError, match="another event loop"):
        asyncio.run(line._settle())
