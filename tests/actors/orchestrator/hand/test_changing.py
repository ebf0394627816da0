"""Slots, names and what stands on them, changed by hand."""

from __future__ import annotations

import asyncio

import pytest

from actors.orchestrator import views
from actors.orchestrator.hand import uses
from protocol.codec import Ref, named
from protocol.messages import Example, Look, New, OtherObject
from world.finding import mentions
from world.store import snapshot
from world.values import oid_of

AREA = "def area_(self):\n    return self.width * self.height\n"
TWICE = "def twice_(self, other):\n    return 2 * other.area_()\n"


@pytest.fixture
def box(house, hand):
    house.new("box", width=5, height=6)
    house.new("pen")
    return hand


def slots(house, name="box"):
    return house.look(name).slots


async def test_slots_are_written_and_references_go_by_name(house, box):
    pen = house.look("pen").oid
    made = await box.set("box", width=7, pen=named("pen"), parts=[{"of": named(pen)}])
    assert made.slots == ["width", "pen", "parts"]
    assert slots(house) == {"width": 7, "height": 6, "pen": Ref(pen), "parts": [{"of": Ref(pen)}]}
    assert (await box.set("box", width=7)).tid is None


async def test_a_list_that_was_set_is_one_that_lasts(house, box):
    await box.set("box", items=[1, {"a": [2]}])
    await box.define(
        "box", "def add_(self, item):\n    self.items.append(item)\n    self._p_changed = True\n    return self.items\n"
    )
    assert (await house.send("box", "add_", 3)).result == [1, {"a": [2]}, 3]
    assert slots(house)["items"] == [1, {"a": [2]}, 3]


async def test_parents_are_set_too(house, box):
    await box.define("pen", "def ink_(self):\n    return 'blue'\n")
    await box.set("box", parent_STAR=named("pen"))
    assert house.look("box").parents == [Ref(house.look("pen").oid)]
    assert (await house.send("box", "ink_")).result == "blue"
    await box.set("pen", parent_STAR=named("box"))
    assert (await house.send("box", "ink_", key="in a circle")).result == "blue"


@pytest.mark.parametrize(
    ("name", "given", "code"),
    [
        ("box", {"_learning": "perhaps"}, "BAD_VALUE"),
        ("box", {"_learning": ["auto"]}, "BAD_VALUE"),
        ("box", {"_learned": "auto"}, "BAD_NAME"),
        ("traits_obj", {"_learning": "auto"}, "BAD_ARGUMENT"),
        ("box", {"area_": 1}, "BAD_NAME"),
        ("box", {"_p_STAR": 1}, "BAD_NAME"),
        ("box", {"parent_STAR": 1}, "BAD_VALUE"),
        ("box", {"pen": named("nobody")}, "UNKNOWN_OBJECT"),
        ("box", {"pen": Ref("00000000000fffff")}, "UNKNOWN_OBJECT"),
        ("nobody", {"a": 1}, "UNKNOWN_OBJECT"),
        ("box", {}, "BAD_ARGUMENT"),
        ("pLLM_obj", {"lora_repository": 1}, "BAD_NAME"),
        ("traits_obj", {"parent_STAR": named("box")}, "BAD_ARGUMENT"),
        ("box", {"text": "x" * (1 << 20)}, "TOO_LARGE"),
    ],
)
async def test_what_cannot_be_set_says_why_and_changes_nothing(house, box, name, given, code):
    before = house.db.lastTransaction()
    error = await box.refused(box.set(name, **given))
    assert error.code == code
    assert error.hint
    assert house.db.lastTransaction() == before


async def test_a_slot_and_a_method_are_dropped(house, box):
    await box.define("box", AREA)
    await box.drop("box", "area_")
    await box.drop("box", "height")
    seen = house.look("box")
    assert (seen.slots, seen.methods) == ({"width": 5}, {})


async def test_memory_is_told_what_is_gone_with_the_method_or_with_the_object(house, box):
    await box.define("box", f"{AREA}\n\ndef half_(self):\n    return self.width / 2\n")
    oid = house.look("box").oid
    for entry, gone in (("area_", ["area_"]), (None, ["area_", "half_"])):
        await box.drop("box", entry)
        told = [line["doc_id"] for line in house.caught_up if line.get("gone")]
        assert told == [f"method:{oid}:{selector}" for selector in gone]


async def test_what_is_dropped_by_force_and_in_use_by_nobody_is_gone_as_well(house, box):
    await box.define("box", AREA)
    oid = house.look("box").oid
    await box.drop("box", force=True)
    assert [line["doc_id"] for line in house.caught_up if line.get("gone")] == [f"method:{oid}:area_"]
    with snapshot(house.db) as connection:
        assert oid not in {oid_of(holder) for holder, _ in mentions.methods(connection)}


async def test_what_stands_on_it_is_named_and_nothing_is_dropped(house, box):
    await box.define("box", AREA)
    await box.define("pen", TWICE)
    views.create(house.store, New(name="crate", parent="box", slots={"of": named("box")}))
    before = house.db.lastTransaction()
    for entry, found in {
        None: {"heirs": ["crate"], "references": ["crate.of"]},
        "area_": {"heirs": ["crate"], "senders": ["pen.twice_"]},
        "width": {"heirs": ["crate"], "senders": ["box.area_"]},
    }.items():
        error = await box.refused(box.drop("box", entry))
        assert (error.code, error.exit_code) == ("IN_USE", 6)
        assert {kind: error.data.get(kind) for kind in found} == found
        assert "--force" in error.hint
    assert house.db.lastTransaction() == before
    await box.drop("box", "area_", force=True)
    assert house.look("box").methods == {}


async def test_others_come_to_the_world_while_what_stands_on_a_name_is_looked_for(house, box, monkeypatch):
    monkeypatch.setattr(uses, "PAUSE_AFTER", 1)
    await box.define("box", AREA)
    views.create(house.store, New(name="crate", parent="box"))
    dropping = asyncio.create_task(box.refused(box.drop("box")))
    while not house.mandates._running:
        await asyncio.sleep(0)
    assert (await house.send("crate", "area_", key="meanwhile")).result == 30
    assert (await dropping).data["heirs"] == ["crate"]


async def test_a_slot_that_clones_use_by_shared_methods_is_in_use_by_the_near_ones_alone(house, box):
    await box.define("box", AREA)
    clone = (await house.send("box", "clone_", key="clone")).result
    await box.set("pen", kept=clone)
    error = await box.refused(box.drop(clone.oid, "width"))
    assert error.data["senders"] == [f"{clone.oid}.area_"]


async def test_a_contract_that_refers_to_an_object_stands_on_it(house, box):
    case = Example(args=[named("pen")], returns=None)
    house.played.rounds = [["def hold_(self, it):\n    return None\n"] * 2]
    await house.send("box", "hold_", named("pen"), key="learn", examples=[case], parameters=["it"])
    error = await box.refused(box.drop("pen"))
    assert error.data["references"] == ["box.hold_ (its contract)"]


async def test_an_object_without_a_name_stays_while_something_refers_to_it(house, box):
    await box.set("box", pen=named("pen"))
    pen = house.look("pen").oid
    gone = await box.drop("pen", force=True)
    assert gone.oid == pen
    assert (await box.refused(box.drop("pen"))).code == "UNKNOWN_OBJECT"
    assert views.look(house.store, Look(target=pen)).name is None
    house.new("pen", new=True)
    assert house.look("pen").oid != pen
    assert slots(house)["pen"] == Ref(pen)


@pytest.mark.parametrize(
    ("name", "entry", "code"),
    [
        ("traits_obj", None, "BAD_ARGUMENT"),
        ("BRICK", None, "BAD_ARGUMENT"),
        ("BRICK", "pillars", "BAD_ARGUMENT"),
        ("traits_obj", "clone_", "BAD_ARGUMENT"),
        ("traits_obj", "_doesNotUnderstand_", "BAD_ARGUMENT"),
        ("box", "clone_", "BAD_ARGUMENT"),
        ("box", "area_", "UNKNOWN_METHOD"),
        ("box", "depth", "BAD_NAME"),
        ("nobody", None, "UNKNOWN_OBJECT"),
    ],
)
async def test_what_cannot_be_dropped_says_why(box, name, entry, code):
    error = await box.refused(box.drop(name, entry, force=True))
    assert error.code == code
    assert error.hint


async def test_a_kernel_method_of_the_users_own_can_be_dropped(house, box):
    await box.define("traits_obj", "def hello_(self):\n    return 'hello'\n")
    assert (await house.send("box", "hello_")).result == "hello"
    await box.drop("traits_obj", "hello_", force=True)
    assert "hello_" not in house.look("traits_obj").methods


async def test_an_object_is_renamed_and_everything_goes_on_with_it(house, box):
    await box.define("box", AREA)
    await box.define("pen", TWICE)
    case = Example(args=[named("box")], objects={"box": OtherObject(slots={"width": 1, "height": 1})}, returns=2)
    house.played.rounds = [["def double_(self, it):\n    return 2 * it.area_()\n"] * 2]
    await house.send("pen", "double_", named("box"), key="learn", examples=[case], parameters=["it"])
    made = await box.rename("box", "crate")
    assert (made.before, made.name) == ("box", "crate")
    assert house.look("crate").name == "crate"
    assert (await box.refused(box.rename("box", "other"))).code == "UNKNOWN_OBJECT"
    assert (await house.send("pen", "twice_", named("crate"), key="t")).result == 60
    await box.define("pen", "def double_(self, it):\n    return it.area_() * 2\n")  # its contract is found and holds
    with snapshot(house.db) as connection:
        assert sorted(connection.root()["objects"]) == ["crate", "pen"]


@pytest.mark.parametrize(
    ("name", "to", "code"),
    [
        ("box", "pen", "NAME_TAKEN"),
        ("box", "root", "NAME_TAKEN"),
        ("box", "BRICK", "NAME_TAKEN"),
        ("box", "_x", "BAD_NAME"),
        ("traits_obj", "traits", "BAD_ARGUMENT"),
        ("BRICK", "STONE", "BAD_ARGUMENT"),
    ],
)
async def test_what_cannot_be_renamed_says_why(box, name, to, code):
    assert (await box.refused(box.rename(name, to))).code == code


async def test_each_is_done_once_for_its_key(house, box):
    asked = [
        lambda: box.set("box", key="k1", width=9),
        lambda: box.rename("box", "crate", key="k2"),
        lambda: box.drop("crate", "width", key="k3"),
        lambda: box.drop("crate", key="k4"),
    ]
    first = [await ask() for ask in asked]
    await house.crash()
    assert [await ask() for ask in asked] == first


async def test_who_sends_what_changes_is_held_to_its_contract(house, box):
    await box.define("box", AREA)
    case = Example(
        slots={}, args=[named("box")], objects={"box": OtherObject(slots={"width": 2, "height": 3})}, returns=12
    )
    house.played.rounds = [[TWICE.replace("twice_(self, other)", "twice_(self, arg1)").replace("other", "arg1")] * 2]
    await house.send("pen", "twice_", named("box"), key="learn", examples=[case])
    broken = "def area_(self):\n    return self.width + self.height\n"
    error = await box.refused(box.define("box", broken))
    assert error.code == "REFUSED"
    assert "the contract of pen.twice_: example 1" in error.message
    await box.define("box", broken, drop_contract=True)
    again = "def area_(self):\n    return 0\n"
    await box.define("box", again)  # what pen.twice_ owes it has not held before either
