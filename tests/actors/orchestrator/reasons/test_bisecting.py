"""`bisect` over a real world: the commit that broke an answer, found by trials of which nothing lasts."""

from __future__ import annotations

import asyncio
import hashlib
import time

import msgspec
import pytest

from actors.orchestrator.reasons import bisecting, halving
from protocol import verbs
from protocol.codec import Ref, named
from protocol.errors import BatosError
from protocol.messages import Bisect
from tests.actors.orchestrator.hand.conftest import Hand
from world.past import moments
from world.store import commit

AREA = "def area_(self):\n    return self.width * self.height\n"
SUM = "def area_(self):\n    return self.width + self.height\n"
UP = "def up_(self, by):\n    self.count = self.count + by\n    self._p_changed = True\n    return self.count\n"
COST = "def cost_(self, of):\n    return 2 * of.area_()\n"


@pytest.fixture
def hand(house):
    return Hand(house)


@pytest.fixture
async def box(house, hand):
    house.new("box", width=2, height=5)
    house.new("till")
    await hand.define("box", AREA)
    await hand.define("till", COST)
    return hand


def now(house):
    return house.db.lastTransaction().hex()


def busy(house, commits):
    """So many commits, each of another object."""
    for number in range(commits):
        with commit(house.db, user="test", description=f"other {number}") as connection:
            connection.root()["objects"]["till"].noise = number


async def bisect(hand, good, expect, *args, target="box", selector="area_", partial=lambda _: None, **rest):
    request = Bisect(target=target, selector=selector, args=list(args), expect=expect, good=good, **rest)
    return await hand.ask(verbs.BISECT, request, partial=partial)


def digest(house):
    return hashlib.sha256((house.path / "world.fs").read_bytes()).hexdigest()


async def test_the_commit_that_broke_an_answer_is_found_and_told(house, box):
    good = now(house)
    busy(house, 9)
    made = await box.define("box", SUM)
    busy(house, 6)
    before, told = digest(house), []
    found = await bisect(box, good, 10, partial=told.append)
    assert (found.tid, found.cycle, found.commits) == (made.tid, None, 16)
    assert found.author.startswith("user:")
    assert found.why == "define box"
    assert (found.before.returns, found.after.returns) == (10, 7)
    assert (found.good.tid, found.good.returns, found.good.as_expected) == (good, 10, True)
    assert (found.bad.tid, found.bad.returns, found.bad.as_expected) == (now(house), 7, False)
    assert (len(found.trials), found.untried) == (6, [])
    (changed,) = found.changed
    assert (changed.name, [(slot.slot, slot.is_method, slot.how) for slot in changed.slots]) == (
        "box",
        [("area_", True, "changed")],
    )
    assert [one.done for one in told] == [1, 2, 3, 4, 5, 6]
    assert digest(house) == before, "nothing was written"
    assert house.mandates._running == {}


async def test_a_changed_slot_a_dropped_object_and_a_method_that_was_taken_away_are_not_as_expected(house, box):
    good = now(house)
    made = await box.set("box", width=3)
    found = await bisect(box, good, 10)
    assert (found.tid, found.after.returns) == (made.tid, 15)
    assert [(slot.slot, slot.how) for slot in found.changed[0].slots] == [("width", "changed")]

    good = now(house)
    made = await box.drop("box", "area_", force=True)
    found = await bisect(box, good, 15)
    assert (found.tid, found.after.code) == (made.tid, "UNKNOWN_METHOD")

    house.new("crate", width=1, height=1)
    await box.define("crate", AREA)
    good = now(house)
    gone = await box.drop("crate")
    busy(house, 3)
    found = await bisect(box, good, 1, target="crate")
    assert (found.tid, found.after.code, found.after.as_expected) == (gone.tid, "UNKNOWN_OBJECT", False)


async def test_a_message_that_changes_its_object_and_sends_to_others_is_tried_without_effect(house, box):
    house.new("counter", count=1)
    await box.define("counter", UP)
    good = now(house)
    made = await box.set("counter", count=100)
    before = digest(house)
    found = await bisect(box, good, 5, 4, target="counter", selector="up_")
    assert (found.tid, found.after.returns) == (made.tid, 104)
    assert digest(house) == before
    assert house.look("counter").slots["count"] == 100

    good = now(house)
    made = await box.set("box", width=9)
    found = await bisect(box, good, 20, named("box"), target="till", selector="cost_")
    assert (found.tid, found.after.returns) == (made.tid, 90)
    oid = house.look("box").oid
    assert (await bisect(box, good, 20, Ref(oid), target="till", selector="cost_")).tid == made.tid


async def test_an_object_that_the_message_makes_is_told_by_its_slots(house, box):
    await box.define("box", "def twin_(self):\n    return self.clone_()\n")
    good = now(house)
    made = await box.set("box", width=3)
    found = await bisect(box, good, {"a new object": {"width": 2, "height": 5}}, selector="twin_")
    assert (found.tid, found.after.returns) == (made.tid, {"a new object": {"width": 3, "height": 5}})


@pytest.mark.parametrize(("expect", "word"), [(11, "the good end does not answer 11"), (7, "does not answer 7")])
async def test_a_good_end_that_is_not_as_expected_is_said_with_what_both_answer(house, box, expect, word):
    good = now(house)
    await box.define("box", SUM)
    error = await box.refused(bisect(box, good, expect))
    assert error.code == "BAD_ARGUMENT"
    assert word in error.message
    assert "the good end answers 10, the bad end answers 7" in error.message
    assert (error.data["good"]["returns"], error.data["bad"]["returns"]) == (10, 7)


async def test_a_bad_end_that_is_as_expected_is_said(house, box):
    good = now(house)
    await box.define("box", SUM)
    await box.define("box", AREA)
    error = await box.refused(bisect(box, good, 10))
    assert (error.code, "nothing is broken" in error.hint.lower()) == ("BAD_ARGUMENT", True)


async def test_an_end_that_asks_the_model_cannot_be_tried_and_one_on_the_way_is_passed_over(house, box):
    good = now(house)
    await box.define("box", "def area_(self):\n    return self.infer_('how large?')\n")
    error = await box.refused(bisect(box, good, 10))
    assert (error.code, "infer_" in error.message) == ("TRIAL_SEND", True)
    asks = now(house)
    busy(house, 3)
    made = await box.define("box", SUM)
    found = await bisect(box, good, 10)
    assert found.tid == made.tid
    assert found.untried[0] == asks
    assert len(found.untried) == 4
    assert [one.code for one in found.trials if one.as_expected is None] == ["TRIAL_SEND"] * 4


async def test_as_many_as_cannot_be_tried_are_enough(house, box, monkeypatch):
    monkeypatch.setattr(halving, "MOST_UNTRIED", 2)
    good = now(house)
    await box.define("box", "def area_(self):\n    return self.recall_('how large?')\n")
    busy(house, 5)
    await box.define("box", SUM)
    found = await bisect(box, good, 10)
    assert len([one for one in found.trials if one.as_expected is None]) == 2
    assert len(found.untried) == 6


async def test_ends_that_are_none(house, box):
    early, late = now(house), None
    await box.define("box", SUM)
    late = now(house)
    for good, bad, word in [
        (late, early, "not before"),
        (late, late, "not before"),
        (late, None, "not before"),
        ("ffffffffffffffff", None, "future"),
        (early, "ffffffffffffffff", "future"),
        ("0000000000000001", None, "not there yet"),
    ]:
        error = await box.refused(bisect(box, good, 10, bad=bad))
        assert error.code in {"BAD_ARGUMENT", "EXPIRED"}, (good, bad)
        assert word in error.message, (good, bad, error.message)
    error = await box.refused(bisect(box, early, 10, target="bok"))
    assert error.code == "UNKNOWN_OBJECT"
    error = await box.refused(bisect(box, early, 10, selector="area"))
    assert error.code == "BAD_SELECTOR"
    error = await box.refused(bisect(box, early[:9], 10))
    assert error.code == "BAD_ARGUMENT"


async def test_a_search_that_takes_too_long_or_that_nobody_waits_for_ends(house, box, monkeypatch):
    good = now(house)
    await box.define("box", SUM)
    gone = asyncio.Event()
    gone.set()
    request = Bisect(target="box", selector="area_", expect=10, good=good)
    error = await box.refused(box.ask(verbs.BISECT, request, partial=lambda _: None, cancelled=gone))
    assert error.code == "CANCELLED"

    async def never(_):
        await asyncio.Event().wait()

    monkeypatch.setattr(bisecting, "BISECT_S", 0.2)
    house.bus.handlers["guardian", "run"] = never
    error = await box.refused(bisect(box, good, 10))
    assert (error.code, "nearer" in error.hint) == ("TIMEOUT", True)
    assert house.db.pool.getSize() < 100


async def test_a_lost_guardian_is_no_answer(house, box):
    good = now(house)
    await box.define("box", SUM)

    def lost(_):
        raise BatosError("STORAGE", "the store is lost")

    house.bus.handlers["guardian", "run"] = lost
    assert (await box.refused(bisect(box, good, 10))).code == "STORAGE"


async def test_a_moment_that_was_packed_away_is_expired(house, box):
    good = now(house)
    await box.define("box", SUM)
    await asyncio.sleep(0.02)
    moments.pack(house.db, time.time())
    await box.set("box", width=7)
    error = await box.refused(bisect(box, good, 10))
    assert (error.code, "packed away" in error.message) == ("EXPIRED", True)


async def test_long_answers_are_told_at_the_commit_alone(house, box):
    await box.define("till", "def big_(self):\n    return 'x' * (1000000 if self.noise > 0 else 1)\n")
    await box.set("till", noise=0)
    good = now(house)
    busy(house, 1)
    for number in range(1, 40):
        await box.set("till", noise=number)
    found = await bisect(box, good, "x", target="till", selector="big_")
    assert (found.before.returns, len(found.after.returns)) == ("x", 1_000_000)
    assert len(found.trials) > 6, "of more than fit into one message"
    assert {moment.returns for moment in found.trials} == {"x", msgspec.UNSET}
