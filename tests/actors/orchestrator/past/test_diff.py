"""What the world has at one moment other than at another: each commit's changes together, and nothing else."""

from __future__ import annotations

import pytest

from world import codex
from world.awakening import image_codex
from world.store import commit

ONE = "def area_(self):\n    return self.width\n"
TWO = "def area_(self):\n    return self.width * 2\n"


@pytest.fixture
def box(house, hand):
    house.new("box", width=5)
    return hand


def now(house):
    return house.db.lastTransaction().hex()


async def test_slots_methods_and_names(house, box):
    await box.define("box", ONE)
    await box.set("box", gone=1, kept=2)
    before = now(house)
    await box.define("box", TWO)
    await box.set("box", width=6, other=[1])
    await box.drop("box", "gone", force=True)
    await box.rename("box", "crate")
    found = await box.diff(before, now(house))
    (one,) = found.objects
    assert (one.name, one.was, one.how, one.kind) == ("crate", "box", "changed", "object")
    assert [(s.slot, s.how, s.before, s.after) for s in one.slots] == [
        ("width", "changed", 5, 6),
        ("gone", "gone", 1, None),
        ("other", "new", None, [1]),
    ]
    (method,) = one.methods
    assert (method.selector, method.how) == ("area_", "changed")
    assert method.diff.splitlines()[3:] == [" def area_(self):", "-    return self.width", "+    return self.width * 2"]


async def test_what_was_changed_and_changed_back_does_not_differ(house, box):
    before = now(house)
    await box.set("box", width=6)
    await box.set("box", width=5)
    found = await box.diff(before, now(house))
    assert (found.objects, found.documents, found.next) == ([], [], None)


async def test_objects_come_and_go_in_pages(house, box):
    before = now(house)
    for number in range(5):
        house.new(f"o{number}", n=number)
    await box.drop("box", force=True)
    told, after = [], None
    while True:
        page = await box.diff(before, now(house), limit=2, after=after)
        told += [(one.name, one.how) for one in page.objects]
        if (after := page.next) is None:
            break
    assert sorted(told) == [("box", "gone"), *((f"o{number}", "new") for number in range(5))]


async def test_a_value_and_a_method_in_one_slot_and_references_by_name(house, box):
    house.new("pen")
    before = now(house)
    with commit(house.db, user="test", description="by hand") as connection:
        objects = connection.root()["objects"]
        objects["box"].set_slot("pen", objects["pen"])
    found = await box.diff(before, now(house))
    ((slot,),) = [one.slots for one in found.objects]
    assert found.names[slot.after.oid] == "pen"


async def test_personas_the_codex_and_documents(house, box):
    before = now(house)
    with commit(house.db, user="user", description="codex") as connection:
        codex.load(connection, image_codex().replace("BRICK", "BRACK"))
    found = await box.diff(before, now(house))
    kinds = {one.name: one.kind for one in found.objects}
    assert kinds["BRACK"] == "persona"
    assert kinds["codex_obj"] == "root"


async def test_one_object_by_the_name_that_it_had_or_has(house, box):
    before = now(house)
    await box.rename("box", "crate")
    house.new("pen")
    for name in ("box", "crate"):
        assert [one.name for one in (await box.diff(before, now(house), object=name)).objects] == ["crate"]
    assert (await box.refused(box.diff(before, now(house), object="none"))).code == "UNKNOWN_OBJECT"


async def test_an_older_programs_commit_is_looked_for_in_the_whole_world(house, box, monkeypatch):
    before = now(house)
    monkeypatch.setattr("world.past.commits.touched", lambda _: None)
    with commit(house.db, user="user", description="codex") as connection:
        connection.root()["objects"]["box"].set_slot("width", 9)
    found = await box.diff(before, now(house))
    assert [(one.name, [s.slot for s in one.slots]) for one in found.objects] == [("box", ["width"])]


async def test_moments_in_the_wrong_order_are_refused(house, box):
    before = now(house)
    await box.set("box", width=6)
    error = await box.refused(box.diff(now(house), before))
    assert error.code == "BAD_ARGUMENT"
    assert (await box.diff(before, before)).objects == []
