"""What comes back with a name that was gone, and what goes with one: methods are found again, by memory and by the index, or not."""

from __future__ import annotations

import pytest

from world.finding import mentions
from world.store import snapshot

DOUBLE = "def double_(self):\n    return self.width * 2\n"
USES = "def four_(self):\n    return self.double_() * 2\n"
TWIN = "def twin_(self):\n    self.part = self.clone_()\n    self._p_changed = True\n    return 1\n"


@pytest.fixture
async def box(house, hand):
    house.new("box", width=5)
    await hand.define("box", DOUBLE)
    await hand.define("box", USES)
    return hand


def found(house, name="box"):
    """Whether memory and the index over sources find the methods of an object."""
    doc_id = f"method:{house.look(name).oid}:double_"
    with snapshot(house.db) as connection:
        told = {line["doc_id"]: "gone" not in line for line in connection.root()["outbox"].values()}
        return told[doc_id], [method.selector for _, method in mentions.using(connection, "double_")]


async def test_a_name_that_was_only_in_between_is_taken_back(house, box):
    first = await box.rename("box", "third")
    await box.rename("third", "crate")
    await box.undo(first.tid, cascade=True)
    assert house.look("box").slots["width"] == 5


@pytest.mark.parametrize("by", ["undo", "rewind"])
async def test_an_object_that_was_dropped_is_there_again_with_what_is_known_of_its_methods(house, box, by):
    then = house.db.lastTransaction().hex()
    done = await box.drop("box", force=True)
    await (box.undo(done.tid) if by == "undo" else box.rewind(then))
    assert found(house) == (True, ["four_"])


@pytest.mark.parametrize("by", ["undo", "rewind"])
async def test_what_came_with_a_bundle_goes_with_its_methods_and_comes_again(house, box, by):
    bundle = await box.give("box")
    await box.drop("box", force=True)
    then = house.db.lastTransaction().hex()
    taken = await box.take(bundle.objects, told=lambda _: None)
    assert found(house) == (True, ["four_"])
    oid = house.look("box").oid
    undone = await (box.undo(taken.tid) if by == "undo" else box.rewind(then))
    assert found(house, oid) == (False, [])
    await box.undo(undone.tid)
    assert found(house) == (True, ["four_"])


async def test_what_holds_its_own_objects_is_taken_back_once(house, box):
    await box.define("box", TWIN)
    reply = await house.send("box", "twin_", key="t")
    undone = await box.undo(reply.mandate)
    error = await box.refused(box.undo(reply.mandate))
    assert error.code == "BAD_ARGUMENT"
    assert undone.tid in error.message
