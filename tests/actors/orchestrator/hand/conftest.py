"""A house, and the user's hand in it: each verb as the actor serves it."""

from __future__ import annotations

import asyncio
import getpass
from types import SimpleNamespace

import pytest

from actors.guardian.jail.jail import Jail
from protocol import codec, verbs
from protocol.checks.rights import check_right
from protocol.errors import BatosError
from protocol.messages import (
    Accept,
    Check,
    Confirm,
    Correct,
    Define,
    Diff,
    Drop,
    Export,
    ImportBundle,
    Log,
    PlanRewind,
    PlanUndo,
    Proposals,
    Reject,
    Rename,
    Revert,
    SetSlots,
)
from tests.actors.orchestrator.conftest import House


def untold(event):
    """Most of these verbs have no partial replies; the bus refuses one."""
    raise TypeError(f"a partial reply: {event}")


USER = f"user:{getpass.getuser()}"


class Hand:
    """Asks the actor's handlers over a house, as the bus does. `refused` is the error that a request ends with."""

    def __init__(self, house, origin=None):
        self.house = house
        self.origin = origin
        self.count = 0

    async def ask(self, verb, request, key=None, *, partial=untold, cancelled=None):
        self.count += 1
        own = "hand" if self.origin is None else self.origin.label
        envelope = SimpleNamespace(idem=key or f"{own} {self.count}", origin=self.origin)
        call = SimpleNamespace(envelope=envelope, partial=partial, cancelled=cancelled or asyncio.Event())
        request = codec.unpack(codec.pack(request), verb.request)
        check_right(self.origin, verb, request)
        reply = await self.house.handlers()[verb.name](request, call)
        await self.house.mandates.rest()
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

    async def revert(self, name, selector, to=None, key=None, **rest):
        return await self.ask(verbs.REVERT, Revert(name=name, selector=selector, to=to, **rest), key)

    async def confirm(self, mandate, key=None):
        return await self.ask(verbs.CONFIRM, Confirm(mandate=mandate), key)

    async def correct(self, mandate, key=None, **said):
        return await self.ask(verbs.CORRECT, Correct(mandate=mandate, **said), key, partial=self.house.events.append)

    async def check(self, *names, partial=lambda _: None, **rest):
        return await self.ask(verbs.CHECK, Check(names=list(names)), partial=partial, **rest)

    async def give(self, *names):
        return await self.ask(verbs.EXPORT, Export(names=list(names)))

    async def take(self, objects, key=None, told=untold, **rest):
        return await self.ask(
            verbs.IMPORT_BUNDLE, ImportBundle(name="shapes", objects=objects, **rest), key, partial=told
        )

    async def accept(self, id_, key=None, **rest):
        return await self.ask(verbs.ACCEPT, Accept(id=id_, **rest), key)

    async def reject(self, id_, because="", key=None):
        return await self.ask(verbs.REJECT, Reject(id=id_, because=because), key)

    async def ask_log(self, **rest):
        return await self.ask(verbs.LOG, Log(**rest))

    async def log(self, **rest):
        return (await self.ask_log(**rest)).commits

    async def diff(self, a, b, **rest):
        return await self.ask(verbs.DIFF, Diff(a=a, b=b, **rest))

    async def undo(self, what, key=None, **rest):
        return await self.ask(verbs.UNDO, PlanUndo(what=what, **rest), key)

    async def rewind(self, to, key=None, **rest):
        return await self.ask(verbs.REWIND, PlanRewind(to=to, **rest), key)

    async def proposals(self, **rest):
        return (await self.ask(verbs.PROPOSALS, Proposals(**rest))).proposals

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
    with asyncio.Runner() as runner:
        jail = Jail(workers=1)
        runner.run(jail.start())

        async def build():
            return House(tmp_path, jail)

        house = runner.run(build())
        yield runner.run, house, Hand(house)
        runner.run(house.close())
        runner.run(jail.close())
