"""A world is as it was at a moment, all that can be taken back since in one transaction; and that is taken back as well."""

from __future__ import annotations

import time

import pytest

from protocol.errors import BatosError
from protocol.messages import Example
from tests.actors.orchestrator.hand.undoing.digests import digest
from world import codex
from world.awakening import image_codex
from world.past import commits
from world.store import commit, snapshot

DOUBLE = "def double_(self):\n    return self.width * 2\n"


@pytest.fixture
def box(house, hand):
    house.new("box", width=5)
    return hand


def now(house):
    return house.db.lastTransaction().hex()


async def meddle_all(house, box):
    await box.set("box", width=7, height=2)
    house.new("pen", colour="blue")
    await box.rename("pen", "quill")
    house.played.rounds = [[DOUBLE] * 2]
    await house.send("box", "double_", examples=[Example(slots={"width": 2}, returns=4)], key="l")
    await box.define("box", "def half_(self):\n    return self.width / 2\n")


async def test_all_that_came_since_is_taken_back_at_once_and_again(house, box):
    before, then = digest(house.db), now(house)
    await meddle_all(house, box)
    after = digest(house.db)
    planned = await box.rewind(then, dry_run=True)
    assert len(planned.undone) == 5
    assert digest(house.db) == after
    done = await box.rewind(then)
    assert (done.undone, done.blocked) == (planned.undone, [])
    assert digest(house.db) == before
    undone = await box.undo(done.tid)
    assert digest(house.db) == after
    await box.undo(undone.tid)
    assert digest(house.db) == before


async def test_rewound_past_an_undo_and_a_rewind(house, box):
    empty, first = digest(house.db), now(house)
    await meddle_all(house, box)
    full, second = digest(house.db), now(house)
    await box.rewind(first)
    assert digest(house.db) == empty
    await box.rewind(second)
    assert digest(house.db) == full
    await box.rewind(first)
    assert digest(house.db) == empty


async def test_names_that_were_exchanged_go_back(house, box):
    house.new("pen")
    before, then = digest(house.db), now(house)
    await box.rename("box", "third")
    await box.rename("pen", "box")
    await box.rename("third", "pen")
    assert digest(house.db) != before
    await box.rewind(then)
    assert digest(house.db) == before


async def test_what_memory_learned_since_goes_and_comes_back(house, box):
    then = now(house)
    await meddle_all(house, box)
    await box.rewind(then)
    with snapshot(house.db) as connection:
        lines = {line["doc_id"]: "gone" in line for line in connection.root()["outbox"].values()}
    oid = house.look("box").oid
    assert lines == {f"method:{oid}:double_": True, f"method:{oid}:half_": True}


async def test_what_the_system_itself_has_changed_is_in_the_way(house, box):
    then = now(house)
    await box.set("box", width=7)
    with commit(house.db, user="awakening", description="schema step 99") as connection:
        connection.root()["objects"]["box"].set_slot("width", 8)
    planned = await box.rewind(then, dry_run=True)
    assert [(one.object, one.slot) for one in planned.blocked] == [("box", "width")]
    error = await box.refused(box.rewind(then))
    assert error.code == "BLOCKED"
    assert house.look("box").slots["width"] == 8


async def test_what_stays_is_named(house, box):
    then = now(house)
    await box.set("box", width=7)
    with commit(house.db, user="memory", description="index a.txt", facts={"document": "a.txt"}) as connection:
        connection.root()["cursor"]["outbox"] = 0
    assert (await box.rewind(then)).left == ["a.txt"]


async def test_nothing_to_take_back_and_moments_that_are_none(house, box):
    for moment, code in [(now(house), "BAD_ARGUMENT"), ("7fffffffffffffff", "BAD_ARGUMENT"), ("x", "BAD_ARGUMENT")]:
        error = await box.refused(box.rewind(moment))
        assert (error.code, bool(error.hint)) == (code, True)


async def test_back_to_the_very_beginning(house, box):
    await meddle_all(house, box)
    (made, *_) = [one for one in await box.log() if one.by == "awakening"]
    assert (await box.refused(box.rewind("0" * 15 + "1"))).code == "BAD_ARGUMENT"
    await box.rewind(made.tid)
    with snapshot(house.db) as connection:
        assert list(connection.root()["objects"]) == []


async def test_a_codex_that_was_loaded_since_stays_and_is_named(house, box):
    then = now(house)
    await box.set("box", width=7)
    with commit(house.db, user="user", description="codex") as connection:
        codex.load(connection, image_codex().replace("BRICK", "BRACK"))
    done = await box.rewind(then)
    assert done.left == ["codex"]
    assert house.look("box").slots["width"] == 5
    with pytest.raises(BatosError):
        house.look("BRICK")


async def test_what_a_commit_does_not_say_that_it_has_changed_is_in_the_way(house, box, monkeypatch):
    then = now(house)
    with monkeypatch.context() as older:
        older.setattr(commits, "touched", lambda _: None)
        with commit(house.db, user="user", description="older", facts={"mandate": "m"}) as connection:
            connection.root()["objects"]["box"].set_slot("width", 8)
    await box.set("box", height=7)
    planned = await box.rewind(then, dry_run=True)
    assert [(one.object, one.slot) for one in planned.blocked] == [("box", "width")]
    assert planned.left == ["older"]


async def test_a_clock_that_was_put_back_hides_nothing(house, box, monkeypatch):
    then, here = now(house), time.time
    await box.set("box", width=7)
    monkeypatch.setattr(time, "time", lambda: here() - 3600)
    await box.rewind(then)
    assert house.look("box").slots["width"] == 5
