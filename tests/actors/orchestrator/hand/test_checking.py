"""Every contract of a world, tried at once: what breaks is told, and nothing is written."""

from __future__ import annotations

import asyncio
import hashlib

import pytest

from actors.orchestrator.hand import checking
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.messages import Example, Learn, OtherObject
from world.store import commit

AREA = "def area_(self):\n    return self.width * self.height\n"
UP = "def up_(self, by):\n    self.count = self.count + by\n    self._p_changed = True\n    return self.count\n"
COST = "def cost_(self, of):\n    return 2 * of.area_()\n"


async def learn(house, name, source, *examples, parameters=()):
    selector = source.split("(")[0].removeprefix("def ")
    house.played.rounds = [[source, source]]
    how = Learn(candidates=[source])
    await house.send(
        name, selector, key=f"{name} {selector}", parameters=list(parameters), learn=how, examples=examples
    )


@pytest.fixture
async def world(house, hand):
    house.new("box", width=2, height=2)
    house.new("counter", count=1)
    house.new("till")
    await learn(house, "box", AREA, *(Example(slots={"width": n, "height": 3}, returns=3 * n) for n in (1, 2, 3)))
    await learn(house, "counter", UP, Example(slots={"count": 1}, args=[2], returns=3), parameters=["by"])
    box = Ref(house.look("box").oid)
    case = Example(args=[box], objects={"box": OtherObject(slots={"width": 2, "height": 5})}, returns=20)
    await learn(house, "till", COST, case, parameters=["of"])
    await hand.define("till", "def free_(self):\n    return 1\n")
    return hand


def digest(house):
    """All of the world's file: a check writes nothing at all."""
    return hashlib.sha256((house.path / "world.fs").read_bytes()).hexdigest()


def edit(house, name, selector, source):
    """As somebody does who asks nobody: such a method breaks contracts that no `define` could break."""
    with commit(house.db, user="test", description="edited") as connection:
        connection.root()["objects"][name]._slots[selector].source = source


async def test_a_world_whose_contracts_hold_is_left_as_it_was(house, world):
    before = digest(house)
    found = await world.check()
    assert (found.ok, found.contracts, found.examples, found.without) == (True, 3, 5, 1)
    assert [(method.name, method.selector, method.passed, method.failed) for method in found.methods] == [
        ("box", "area_", 3, 0),
        ("counter", "up_", 1, 0),
        ("till", "cost_", 1, 0),
    ]
    assert found.tid == house.db.lastTransaction().hex()
    assert digest(house) == before
    mandates = await house.journal.run(lambda: house.journal.finding.newest(100))
    assert len(mandates) == 4, "it is no mandate"


async def test_what_breaks_is_told_first_with_what_was_expected_and_what_came(house, world):
    edit(house, "box", "area_", "def area_(self):\n    return self.width + self.height\n")
    found = await world.check()
    assert found.ok is False
    first, second, third = found.methods
    assert (first.name, first.selector, first.passed, first.failed) == ("box", "area_", 0, 3)
    assert (first.cases[0].number, first.cases[0].rule) == (1, "TRIAL_RESULT")
    assert "expected 3, got 4" in first.cases[0].message
    assert (second.name, second.failed, third.failed) == ("till", 1, 0)
    assert "expected 20, got 14" in second.cases[0].message


@pytest.mark.parametrize("source", ["def area_(self)\n", "import os\n", "def area_(self):\n    while True: pass\n"])
async def test_a_method_that_cannot_run_any_more_breaks_its_contract(house, world, source):
    edit(house, "box", "area_", source)
    found = await world.check("box")
    assert [(method.selector, method.failed) for method in found.methods] == [("area_", 3)]
    assert all(case.message for case in found.methods[0].cases)


async def test_a_contract_that_cannot_be_tried_is_a_broken_one_and_the_others_are_tried(house, world):
    with commit(house.db, user="test", description="too much") as connection:
        box = connection.root()["objects"]["box"]
        for number in range(5):
            box.set_slot(f"text{number}", "x" * 250_000)
    found = await world.check()
    assert [(each.name, each.failed) for each in found.methods] == [("box", 3), ("till", 1), ("counter", 0)]
    assert "TOO_LARGE" in found.methods[0].cases[0].message


async def test_a_guardian_that_is_lost_ends_the_check_and_is_said(house, world):
    def lost(request):
        raise BatosError("STORAGE", "the store is lost")

    house.bus.handlers["guardian", "trial"] = lost
    error = await world.refused(world.check())
    assert error.code == "STORAGE"


async def test_only_the_named_objects_are_checked(house, world):
    assert [method.name for method in (await world.check("counter", "box", "box")).methods] == ["box", "counter"]
    error = await world.refused(world.check("bok"))
    assert (error.code, error.hint) == ("UNKNOWN_OBJECT", "Did you mean box?")


async def test_a_method_that_clones_share_is_checked_once_and_one_without_a_name_by_its_oid(house, world):
    await world.define("till", "def keep_(self, of):\n    self.kept = of.clone_()\n    self._p_changed = True\n")
    await house.send("till", "keep_", Ref(house.look("box").oid), key="keep")
    assert [method.name for method in (await world.check()).methods] == ["box", "counter", "till"]
    counter = house.look("counter").oid
    await world.set("till", counter=Ref(counter))
    await world.drop("counter", force=True)
    assert [method.name for method in (await world.check()).methods] == [counter, "box", "till"]
    found = await world.check(counter)
    assert [(method.name, method.selector) for method in found.methods] == [(counter, "up_")]
    await world.drop("till")
    assert [method.name for method in (await world.check()).methods] == [counter, "box"], "nothing leads to it any more"


async def test_nothing_else_waits_for_it(house, world):
    async def trial(request):
        await asyncio.Event().wait()

    house.bus.handlers["guardian", "trial"] = trial
    checked = asyncio.create_task(world.check())
    await asyncio.sleep(0.1)
    assert (await house.send("counter", "up_", 1, key="meanwhile")).result == 2
    assert house.mandates._running == {}
    checked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await checked


async def test_it_tells_how_far_it_is_and_ends_where_nobody_waits(house, world, monkeypatch):
    monkeypatch.setattr(checking, "PROGRESS_S", 0.0)
    monkeypatch.setattr(checking, "AT_ONCE", 1)
    told = []
    await world.check(partial=told.append)
    assert [(one.done, one.total, one.broken) for one in told] == [(1, 3, 0), (2, 3, 0), (3, 3, 0)]
    gone, told = asyncio.Event(), []

    def leave(progress):
        told.append(progress)
        gone.set()

    error = await world.refused(world.check(partial=leave, cancelled=gone))
    assert (error.code, len(told)) == ("CANCELLED", 1)
    assert house.db.pool.getSize() < 100, "its connection is given back"


async def test_a_reply_fits_its_frame_however_many_methods_there_are(house, world, monkeypatch):
    monkeypatch.setattr(checking, "MOST_TOLD", 2)
    edit(house, "till", "cost_", "def cost_(self, of):\n    return 0\n")
    found = await world.check()
    assert [method.name for method in found.methods] == ["till", "box"]
    assert (found.contracts, found.examples, found.ok) == (3, 5, False)
