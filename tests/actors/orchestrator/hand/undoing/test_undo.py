"""What a commit did is taken back, slot by slot, unless it has changed since; and that is taken back as well."""

from __future__ import annotations

import asyncio
import time

import pytest

from protocol.errors import BatosError
from protocol.messages import Example, Learn
from world.past import moments
from world.store import commit, snapshot
from world.values import oid_of

DOUBLE = "def double_(self):\n    return self.width * 2\n"
TRIPLE = "def double_(self):\n    return self.width * 3\n"
USES = "def four_(self):\n    return self.double_() * 2\n"


@pytest.fixture
def box(house, hand):
    house.new("box", width=5)
    return hand


def slots(house, name="box"):
    return {slot: value for slot, value in house.look(name).slots.items() if not slot.startswith("parent")}


def posted(house):
    """What memory was told last of each document: its text, or None where it is gone."""
    with snapshot(house.db) as connection:
        return {
            line["doc_id"]: None if "gone" in line else line["text"] for line in connection.root()["outbox"].values()
        }


async def test_a_set_is_taken_back_and_so_is_the_undo(house, box):
    done = await box.set("box", width=7, height=2)
    undone = await box.undo(done.tid)
    assert slots(house) == {"width": 5}
    assert undone.undone == [done.tid]
    assert undone.blocked == []
    (told,) = undone.objects
    assert [(one.slot, one.how) for one in told.slots] == [("width", "changed"), ("height", "gone")]
    again = await box.undo(undone.tid)
    assert slots(house) == {"width": 7, "height": 2}
    await box.undo(again.tid)
    assert slots(house) == {"width": 5}


async def test_the_same_is_not_taken_back_twice(house, box):
    done = await box.set("box", width=7)
    first = await box.undo(done.tid)
    error = await box.refused(box.undo(done.tid))
    assert error.code == "BAD_ARGUMENT"
    assert first.tid in error.message
    assert first.tid in error.hint


async def test_asked_again_under_its_key_it_is_the_same_undo(house, box):
    done = await box.set("box", width=7)
    first = await box.undo(done.tid, key="once")
    assert (await box.undo(done.tid, key="once")).tid == first.tid
    assert slots(house) == {"width": 5}


async def test_the_last_commit_by_its_word_once_for_its_key(house, box):
    first = await box.set("box", width=7)
    second = await box.set("box", height=1)
    assert (await box.undo("last", key="once")).undone == [second.tid]
    assert (await box.undo("last", key="once")).undone == [second.tid]
    assert slots(house) == {"width": 7}
    assert (await box.undo(first.tid)).undone == [first.tid]


async def test_what_a_start_has_done_is_not_the_last(house, box):
    defined = await box.define("box", "def adopt_expert_(self):\n    self.expert = 1\n    self._p_changed = True\n")
    await house.send("box", "adopt_expert_", key="start")
    assert (await box.log())[0].why.startswith("adopt_expert_ ")
    assert (await box.undo("last", dry_run=True)).undone == [defined.tid]


async def test_what_has_changed_since_is_refused_and_cascade_takes_it_along(house, box):
    first = await box.set("box", width=7)
    await box.set("box", height=1)
    second = await box.set("box", width=8)
    error = await box.refused(box.undo(first.tid))
    assert error.code == "BLOCKED"
    assert error.data["blocked"] == [
        {"tid": first.tid, "object": "box", "slot": "width", "by": second.tid, "why": "it has changed since"}
    ]
    assert slots(house) == {"width": 8, "height": 1}
    planned = await box.undo(first.tid, cascade=True, dry_run=True)
    assert planned.undone == [second.tid, first.tid]
    assert planned.tid is None
    assert slots(house) == {"width": 8, "height": 1}
    await box.undo(first.tid, cascade=True)
    assert slots(house) == {"width": 5, "height": 1}


async def test_what_was_changed_and_changed_back_is_not_in_the_way(house, box):
    first = await box.set("box", width=7)
    await box.set("box", width=8)
    await box.set("box", width=7)
    await box.undo(first.tid)
    assert slots(house) == {"width": 5}


async def test_a_method_goes_with_what_memory_knows_of_it(house, box):
    done = await box.define("box", DOUBLE)
    doc_id = f"method:{house.look('box').oid}:double_"
    assert posted(house)[doc_id]
    await box.undo(done.tid)
    assert house.look("box").methods == {}
    assert posted(house)[doc_id] is None


async def test_the_method_that_stood_before_stands_again_with_its_contract(house, box):
    house.played.rounds = [[DOUBLE] * 2]
    await house.send("box", "double_", examples=[Example(slots={"width": 2}, returns=4)], learn=Learn(), key="l")
    learned = house.look("box").methods["double_"]
    done = await box.define("box", TRIPLE, drop_contract=True)
    await box.undo(done.tid)
    assert house.look("box").methods["double_"] == learned
    assert (await box.check("box")).contracts == 1
    assert (await house.send("box", "double_", key="s")).result == 10


async def test_who_sends_what_goes_is_told_and_goes_along(house, box):
    made = await box.define("box", DOUBLE)
    used = await box.define("box", USES)
    error = await box.refused(box.undo(made.tid))
    assert error.code == "IN_USE"
    assert error.data["depends"] == ["box.four_"]
    planned = await box.undo(made.tid, dry_run=True)
    assert planned.depends == ["box.four_"]
    undone = await box.undo(made.tid, cascade=True)
    assert undone.undone == [used.tid, made.tid]
    assert house.look("box").methods == {}


async def test_an_object_that_was_made_loses_its_name_unless_somebody_holds_it(house, box):
    made = house.new("pen", colour="blue")
    undone = await box.undo(made.tid)
    with pytest.raises(BatosError, match="no object is called 'pen'"):
        house.look("pen")
    await box.undo(undone.tid)
    assert slots(house, "pen") == {"colour": "blue"}
    assert house.look("pen").oid == made.oid


async def test_an_object_that_others_hold_stays(house, box):
    made = house.new("pen")
    with commit(house.db, user="test", description="held") as connection:
        root = connection.root()
        root["objects"]["box"].set_slot("pen", root["objects"]["pen"])
    error = await box.refused(box.undo(made.tid))
    assert error.code == "IN_USE"
    assert error.data["depends"] == ["box.pen"]
    assert house.look("pen").oid == made.oid


async def test_an_object_that_one_holds_that_others_own_stays(house, box):
    made = house.new("pen")
    with commit(house.db, user="test", description="held") as connection:
        objects = connection.root()["objects"]
        part = type(objects["pen"])()
        connection.add(part)
        part.set_slot("pen", objects["pen"])
        objects["box"].set_slot("part", part)
    error = await box.refused(box.undo(made.tid))
    assert error.code == "IN_USE"
    assert error.data["depends"] == ["box.part.pen"]


async def test_a_slot_that_held_something_else_before_lets_an_object_go(house, box):
    made = house.new("pen")
    with commit(house.db, user="test", description="held", facts={"mandate": "m"}) as connection:
        objects = connection.root()["objects"]
        objects["box"].set_slot("width", objects["pen"])
    await box.undo(made.tid, cascade=True)
    assert slots(house) == {"width": 5}


async def test_an_object_that_has_changed_since_it_was_made_is_in_the_way(house, box):
    made = house.new("pen", colour="blue")
    changed = await box.set("pen", colour="red")
    error = await box.refused(box.undo(made.tid))
    assert error.code == "BLOCKED"
    assert error.data["blocked"][0]["by"] == changed.tid
    await box.undo(made.tid, cascade=True)
    with pytest.raises(BatosError):
        house.look("pen")


async def test_names_go_back(house, box):
    renamed = await box.rename("box", "crate")
    dropped = await box.drop("crate", force=True)
    await box.undo(dropped.tid)
    assert house.look("crate").name == "crate"
    await box.undo(renamed.tid)
    assert house.look("box").name == "box"


async def test_a_name_that_another_one_has_by_now_is_in_the_way(house, box):
    renamed = await box.rename("box", "crate")
    house.new("box", other=1)
    error = await box.refused(box.undo(renamed.tid))
    assert error.code == "BLOCKED"
    assert error.data["blocked"][0]["slot"] == "its name"
    assert house.look("crate").name == "crate"


async def test_parents_stand_in_their_order_again(house, box):
    house.new("a", x=1)
    house.new("b", x=2)
    with commit(house.db, user="test", description="parents") as connection:
        objects = connection.root()["objects"]
        del objects["box"]._slots["parent*"]
        objects["box"].set_slot("a*", objects["a"])
        objects["box"].set_slot("b*", objects["b"])
    done = await box.drop("box", "a*", force=True)
    await box.undo(done.tid)
    with snapshot(house.db) as connection:
        here = connection.root()["objects"]["box"]
        assert [slot for slot in here._slots if slot.endswith("*")] == ["a*", "b*"]
        assert here.x == 1


async def test_a_learned_method_is_taken_back_by_its_cycle_under_a_thousand_later_commits(house, box):
    house.played.rounds = [[DOUBLE] * 2]
    reply = await house.send("box", "double_", examples=[Example(slots={"width": 2}, returns=4)], key="l")
    for number in range(1000):
        with commit(house.db, user="test", description="later") as connection:
            connection.root()["objects"].setdefault("other", type(connection.root()["objects"]["box"])("other"))
            connection.root()["objects"]["other"].set_slot("n", number)
    undone = await box.undo(reply.cycle)
    assert undone.undone == [reply.tid]
    assert house.look("box").methods == {}
    assert f"method:{house.look('box').oid}:double_" in posted(house)


async def test_half_a_cycle_cannot_be_taken_back(house, box):
    house.played.rounds = [[DOUBLE] * 2]
    reply = await house.send("box", "double_", examples=[Example(slots={"width": 2}, returns=4)], key="l")
    begun = next(one for one in await box.log(every=True) if one.why == "double_ begins")
    error = await box.refused(box.undo(begun.tid))
    assert error.code == "BAD_ARGUMENT"
    assert reply.cycle in error.hint


@pytest.mark.parametrize("user", ["awakening", "memory", "inference"])
async def test_what_others_have_written_is_not_taken_back(house, box, user):
    with commit(house.db, user=user, description="its own", facts={"document": "a.txt"}) as connection:
        connection.root()["objects"]["box"].set_slot("width", 9)
    (made, *_) = await box.log(every=True)
    error = await box.refused(box.undo(made.tid))
    assert error.code == "BAD_ARGUMENT"
    assert error.hint
    assert slots(house) == {"width": 9}


async def test_a_pack_cannot_be_taken_back_nor_what_it_has_forgotten(house, box):

    done = await box.set("box", width=7)
    await asyncio.sleep(0.01)
    moments.pack(house.db, time.time())
    (packed, *_) = await box.log()
    assert packed.by == "pack"
    assert not packed.undoable
    assert (await box.refused(box.undo(packed.tid))).code == "BAD_ARGUMENT"
    assert (await box.refused(box.undo(done.tid))).code == "EXPIRED"
    assert [one.tid for one in await box.log()] == [packed.tid]


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("0000000000000001", "BAD_ARGUMENT"),
        ("03ffffffffffffff", "BAD_ARGUMENT"),
        ("7fffffffffffffff", "BAD_ARGUMENT"),
        ("nothing", "UNKNOWN_CYCLE"),
        ("01ARZ3NDEKTSV4RRFFQ69G5FAV", "UNKNOWN_CYCLE"),
        ("c0123456789abcdef0123", "UNKNOWN_CYCLE"),
        ("", "UNKNOWN_CYCLE"),
    ],
)
async def test_what_is_no_commit_of_this_world_is_refused(house, box, what, code):
    error = await box.refused(box.undo(what))
    assert error.code == code
    assert error.hint


async def test_a_mandate_that_failed_or_only_read_has_nothing_to_take_back(house, box):
    await box.define("box", DOUBLE)
    reply = await house.send("box", "double_", key="read")
    error = await box.refused(box.undo(reply.mandate))
    assert error.code == "BAD_ARGUMENT"
    assert "has changed nothing" in error.message


async def test_an_accepted_proposal_waits_again(house, box):
    await box.set("box", _learning="propose")
    house.played.rounds = [[DOUBLE] * 2]
    await house.send("box", "double_", examples=[Example(slots={"width": 2}, returns=4)], key="p")
    (waiting,) = await box.proposals()
    accepted = await box.accept(waiting.id, send=False)
    await box.undo(accepted.tid)
    assert house.look("box").methods == {}
    assert [one.id for one in await box.proposals()] == [waiting.id]
    rejected = await box.reject(waiting.id)
    await box.undo(rejected.tid)
    assert [one.id for one in await box.proposals()] == [waiting.id]


async def test_what_a_message_had_remembered_goes_and_comes_again(house, box):
    note = "def note_(self):\n    return self.remember_('the boiler is old')\n"
    await box.define("box", note)
    reply = await house.send("box", "note_", key="n")
    doc_id = reply.result
    assert posted(house)[doc_id] == "the boiler is old"
    undone = await box.undo(reply.mandate)
    assert (undone.forgets, posted(house)[doc_id]) == ([doc_id], None)
    again = await box.undo(undone.tid)
    assert posted(house)[doc_id] == "the boiler is old"
    await box.undo(again.tid)
    assert posted(house)[doc_id] is None
    then = next(one.tid for one in await box.log() if one.why.startswith("note_"))
    await box.rewind(then)
    assert posted(house)[doc_id] == "the boiler is old"


async def test_of_a_mandate_whose_end_is_kept_no_longer_the_world_knows_what_it_did(house, box):
    await box.define("box", "def grow_(self):\n    self.width = 9\n    self._p_changed = True\n    return 1\n")
    grown = await house.send("box", "grow_", key="g")
    await box.undo("last", key="once")
    ids = await house.journal.run(lambda: [grown.mandate, house.journal.by_key("once").mandate])
    await house.journal.run(lambda: house.journal.retention.expire(ids))
    assert (await box.refused(box.undo("last", key="once"))).code == "EXPIRED"
    await box.undo("last")
    assert slots(house) == {"width": 9}
    await box.undo(grown.mandate)
    assert slots(house) == {"width": 5}


async def test_a_kernel_method_is_put_back_and_tried(house, box):
    source = "def hello_(self):\n    return 'hello'\n"
    done = await box.define("traits_obj", source)
    await box.undo(done.tid)
    assert "hello_" not in house.look("traits_obj").methods
    with snapshot(house.db) as connection:
        assert oid_of(connection.root()["traits_obj"])
