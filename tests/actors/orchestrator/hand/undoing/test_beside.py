"""What memory was told is as it was right before a rewind, once that is taken back, however often the same was rewound."""

from __future__ import annotations

import pytest

from actors.orchestrator.hand.undoing import beside
from protocol.messages import Example
from world.past import commits
from world.store import snapshot

NOTE = "def note_(self):\n    return self.remember_('the boiler is old')\n"


@pytest.fixture
async def box(house, hand):
    house.new("box", width=5)
    await hand.define("box", NOTE)
    return hand


def is_known(house, doc_id):
    with snapshot(house.db) as connection:
        return [line for line in connection.root()["outbox"].values() if line["doc_id"] == doc_id][-1].get(
            "gone"
        ) is None


async def test_what_an_earlier_rewind_took_back_stays_gone(house, box):
    then = house.db.lastTransaction().hex()
    doc_id = (await house.send("box", "note_", key="n")).result
    first = await box.rewind(then)
    await box.set("box", width=9)
    second = await box.rewind(then)
    assert not is_known(house, doc_id)
    await box.undo(second.tid)
    assert house.look("box").slots["width"] == 9
    assert not is_known(house, doc_id)
    await box.undo("last")
    await box.undo(first.tid)
    assert is_known(house, doc_id)


async def test_what_memory_lost_is_not_taken_from_it_twice(house, box):
    reply = await house.send("box", "note_", key="n")
    await box.undo(reply.mandate)
    assert (await box.refused(box.undo(reply.mandate))).code == "BAD_ARGUMENT"


async def test_a_proposal_that_was_settled_otherwise_since_stays_so(house, box):
    await box.set("box", _learning="propose")
    house.played.rounds = [["def double_(self):\n    return self.width * 2\n"] * 2]
    await house.send("box", "double_", examples=[Example(slots={"width": 2}, returns=4)], key="p")
    (waiting,) = await box.proposals()
    rejected = await box.reject(waiting.id)
    await box.undo(rejected.tid)
    await box.accept(waiting.id, send=False)
    assert (await box.refused(box.undo(rejected.tid))).code == "BAD_ARGUMENT"
    assert await box.proposals() == []


async def test_each_commit_counts_once_however_often_it_was_rewound(house, box):
    then = house.db.lastTransaction().hex()
    for number in range(4):
        await box.set("box", width=100 + number)
        await box.rewind(then)
    every = list(commits.newest(house.db, since=then))
    (last, *before) = [one for one in every if one.tid > then]
    assert beside._widened(house.db, [last]) == [last, *before]
