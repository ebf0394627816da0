"""A house, and the user's hand in it: each verb as the actor serves it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from actors.orchestrator.actor import Orchestrator
from protocol import codec, verbs
from protocol.errors import BatosError
from protocol.messages import Define, Drop, Export, ImportBundle, Rename, Revert, SetSlots


def untold(event):
    """These verbs have no partial replies; the bus refuses one."""
    raise TypeError(f"a partial reply: {event}")


class Hand:
    """Asks the actor's handlers over a house. `refused` is the error that a request ends with."""

    def __init__(self, house):
        self.house = house
        self.count = 0

    async def ask(self, verb, request, key=None, told=untold):
        self.count += 1
        actor = Orchestrator.__new__(Orchestrator)
        actor._mandates, actor._store = self.house.mandates, self.house.store
        call = SimpleNamespace(envelope=SimpleNamespace(idem=key or f"hand {self.count}"), partial=told)
        request = codec.unpack(codec.pack(request), verb.request)
        reply = await actor.handlers()[verb.name](request, call)
        return codec.unpack(codec.pack(reply), verb.reply)

    async def define(self, name, source, key=None, **rest):
        return await self.ask(verbs.DEFINE, Define(name=name, source=source, **rest), key)

    async def set(self, name, key=None, **slots):
        slots = {slot.replace("_STAR", "*"): value for slot, value in slots.items()}
        return await self.ask(verbs.SET, SetSlots(name=name, slots=slots), key)

    async def drop(self, name, entry=None, key=None, **rest):
        return await self.ask(verbs.DROP, Drop(name=name, entry=entry, **rest), key)

    async def rename(self, name, to, key=None):
        return await self.ask(verbs.RENAME, Rename(name=name, to=to), key)

    async def revert(self, name, selector, to=None, key=None):
        return await self.ask(verbs.REVERT, Revert(name=name, selector=selector, to=to), key)

    async def give(self, *names):
        return await self.ask(verbs.EXPORT, Export(names=list(names)))

    async def take(self, objects, key=None, told=untold, **rest):
        return await self.ask(verbs.IMPORT_BUNDLE, ImportBundle(name="shapes", objects=objects, **rest), key, told)

    async def refused(self, work):
        with pytest.raises(BatosError) as caught:
            await work
        return caught.value


@pytest.fixture
def hand(house):
    return Hand(house)


@pytest.fixture
def event_loop_policy_free_house(tmp_path):
    """A house in a loop of its own, for a law over many worlds' objects: hypothesis calls no coroutine."""
    from actors.guardian.jail.jail import Jail
    from tests.actors.orchestrator.conftest import House

    with asyncio.Runner() as runner:
        jail = Jail(workers=1)
        runner.run(jail.start())

        async def build():
            return House(tmp_path, jail)

        house = runner.run(build())
        yield runner.run, house, Hand(house)
        runner.run(house.close())
        runner.run(jail.close())
