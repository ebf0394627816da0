"""Who asks by a door, with which rights, and what a world's methods are then: for tests of consent."""

from __future__ import annotations

import msgspec
import pytest

from protocol.errors import BatosError
from protocol.messages import Example
from protocol.origin import Origin
from world.method import UvmMethod
from world.store import snapshot

AREA = "def area_(self):\n    return self.width * self.height\n"
TWICE = "def twice_(self):\n    return self.width * 2\n"
CASE = Example(slots={"width": 3, "height": 4}, returns=12)
AGENT = Origin(kind="mcp", name="claude-code", login="lena", rights=["ask", "send", "propose"])
OTHER = msgspec.structs.replace(AGENT, name="other")
SENDER = msgspec.structs.replace(AGENT, name="sender", rights=["ask", "send"])
ABLE = msgspec.structs.replace(AGENT, name="able", rights=["ask", "send", "install"])


def methods(house):
    """Every method of the world, with its contract, and what stands in every `_learning`."""
    found = {}
    with snapshot(house.db) as connection:
        root = connection.root()
        named = {**root["objects"], **root["personas"], "traits_obj": root["traits_obj"]}
        for name, here in named.items():
            for slot, value in here._slots.items():
                if isinstance(value, UvmMethod):
                    found[name, slot] = (value.sha256, len(value.examples))
                elif slot == "_learning":
                    found[name, slot] = value
    return found


async def learned(house, origin=AGENT, key="k", **rest):
    house.played.rounds = [[AREA] * 2]
    return await house.send("box", "area_", key=key, origin=origin, examples=[CASE], **rest)


async def refused(work):
    with pytest.raises(BatosError) as caught:
        await work
    return caught.value
