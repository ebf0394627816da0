"""What was written, by whom, in which cycle, why, and what of which objects: the newest first, page by page."""

from __future__ import annotations

import asyncio
import time

import pytest

from protocol.messages import Example, Log
from protocol.origin import Origin
from tests.actors.orchestrator.hand.conftest import USER, Hand
from world.past import moments
from world.store import commit

DOUBLE = "def double_(self):\n    return self.width * 2\n"
CASE = Example(slots={"width": 2}, returns=4)


@pytest.fixture
def box(house, hand):
    house.new("box", width=5)
    return hand


def shown(commits):
    return [(one.why, {each.name: [(s.slot, s.how) for s in each.slots] for each in one.objects}) for one in commits]


async def test_what_was_done_by_hand_is_told_slot_by_slot(house, box):
    await box.set("box", width=6, height=1)
    await box.drop("box", "height", force=True)
    await box.rename("box", "crate")
    found = await box.log(limit=4)
    assert shown(found)[1:] == [
        ("drop box height", {"box": [("height", "gone")]}),
        ("set box width height", {"box": [("width", "changed"), ("height", "new")]}),
        ("new box", {"box": [("parent*", "new"), ("width", "new")]}),
    ]
    (renamed,) = found[0].objects
    assert (renamed.name, renamed.was, renamed.slots) == ("crate", "box", [])
    assert {one.by for one in found} == {USER}
    assert all(one.undoable for one in found)
    assert [one.tid for one in found] == sorted((one.tid for one in found), reverse=True)


async def test_a_cycle_is_one_commit_with_its_ids_and_all_of_its_commits_with_every(house, box):
    house.played.rounds = [[DOUBLE] * 2]
    reply = await house.send("box", "double_", examples=[CASE], key="l")
    (one,) = await box.log(cycle=reply.cycle[:8], limit=1)
    assert (one.tid, one.cycle, one.mandate) == (reply.tid, reply.cycle, reply.mandate)
    assert shown([one]) == [(f"double_ for mandate {reply.mandate}", {"box": [("double_", "new")]})]
    assert one.objects[0].slots[0].is_method
    assert [each.why for each in await box.log(cycle=reply.mandate)] == [one.why, "double_ begins"]
    assert "double_ begins" not in [each.why for each in await box.log()]
    assert "double_ begins" in [each.why for each in await box.log(every=True)]


async def test_of_one_object_in_pages_and_between_moments(house, box):
    done = [await box.set("box", width=number) for number in range(10)]
    house.new("pen")
    first = await box.ask_log(object="box", limit=4)
    assert [one.tid for one in first.commits] == [one.tid for one in done[:5:-1]]
    second = await box.ask_log(object="box", limit=4, before=first.next)
    assert [one.tid for one in second.commits] == [one.tid for one in done[5:1:-1]]
    third = await box.ask_log(object="box", limit=4, before=second.next)
    assert [one.why for one in third.commits] == ["set box width", "set box width", "new box"]
    assert third.next is None
    assert [one.tid for one in await box.log(since=done[8].tid, before=done[9].tid)] == [done[8].tid]
    assert [one.tid for one in await box.log(object="box", since=done[9].tid)] == [done[9].tid]


async def test_a_page_ends_before_it_is_too_large(house, box, monkeypatch):
    monkeypatch.setattr("actors.orchestrator.past.log.PAGE_BYTES", 500)
    for number in range(5):
        await box.set("box", width=number)
    first = await box.ask_log(object="box")
    assert 0 < len(first.commits) < 5
    told = list(first.commits)
    while first.next:
        first = await box.ask_log(object="box", before=first.next)
        told += first.commits
    assert [one.why for one in told] == [*["set box width"] * 5, "new box"]


async def test_who_asked_by_a_door_is_told(house, box):
    agent = Hand(house, Origin(kind="mcp", name="agent", rights=["ask", "send", "propose", "install"]))
    await agent.set("box", width=7)
    assert (await box.log())[0].by == "mcp:agent"


async def test_a_document_is_named_and_an_undo_says_what_it_took_back(house, box):
    with commit(house.db, user="memory", description="index a.txt", facts={"document": "a.txt"}) as connection:
        connection.root()["cursor"]["outbox"] = 0
    (one, *_) = await box.log()
    assert (one.documents, one.by, one.undoable) == (["a.txt"], "memory", False)
    done = await box.set("box", width=7)
    await box.undo(done.tid)
    assert (await box.log())[0].undoes == [done.tid]


async def test_after_a_pack_only_what_can_be_read_is_listed(house, box):
    old = await box.set("box", width=7)
    await asyncio.sleep(0.01)
    moments.pack(house.db, time.time())
    new = await box.set("box", width=8)
    assert next(one.why for one in await box.log()) == "set box width"
    assert {one.tid for one in await box.log(object="box")} == {new.tid}
    assert old.tid not in {one.tid for one in await box.log(every=True)}
    page = await box.ask_log(since=old.tid)
    assert old.tid < page.begins < new.tid
    assert (await box.ask_log(since=new.tid)).begins is None


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"object": "nothing"}, "UNKNOWN_OBJECT"),
        ({"cycle": "nothing"}, "UNKNOWN_CYCLE"),
        ({"since": "soon"}, "BAD_ARGUMENT"),
        ({"limit": 0}, "BAD_ARGUMENT"),
        ({"limit": 5000}, "BAD_ARGUMENT"),
    ],
)
async def test_what_makes_no_sense_is_refused(house, box, asked, code):
    error = await box.refused(box.log(**asked))
    assert (error.code, bool(error.hint)) == (code, True)
    assert Log().limit == 20


async def test_before_what_is_no_moment(house, box):
    error = await box.refused(box.ask_log(before="xyz"))
    assert (error.code, bool(error.hint)) == ("BAD_ARGUMENT", True)
