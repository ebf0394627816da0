"""`replay`: a thought comes to the same again from the journal alone, or the first difference is told; nothing comes of it."""

from __future__ import annotations

import asyncio
import itertools
import time
from types import SimpleNamespace

import pytest

from actors.orchestrator import publish as publishing
from actors.orchestrator.reasons import rethinking
from actors.orchestrator.thinking.session import Session
from protocol import verbs
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.messages import Example, Learn, Replay, Why
from protocol.messages.reasons import OtherSource
from protocol.origin import Origin
from tests.actors.orchestrator.asked import ask, hit, playing
from world.past import moments
from world.store import commit

AREA = "def area_(self):\n    return self.width * self.height\n"
SUM = "def area_(self):\n    return self.width + self.height\n"
CASE = Example(slots={"width": 3, "height": 4}, returns=12)
UP = "def up_(self, by):\n    self.count = self.count + by\n    self._p_changed = True\n    return self.count\n"
COST = "def cost_(self, of):\n    return 2 * of.area_()\n"


@pytest.fixture
async def box(house, hand):
    house.new("box", width=5, height=6)
    house.new("counter", count=1)
    house.new("till", n=4)
    await hand.define("counter", UP)
    return hand


@pytest.fixture
def silent(house):
    """From now on inference and memory answer nobody."""

    def silent():
        def away(request):
            raise AssertionError(f"a replay asks for {request}")

        for service, verb in house.bus.handlers:
            if service != "guardian":
                house.bus.handlers[service, verb] = away

    return silent


async def replay(hand, id_, *sources):
    others = [OtherSource(name=name, selector=selector, source=source) for name, selector, source in sources]
    return await hand.ask(verbs.REPLAY, Replay(id=id_, sources=others))


async def test_a_method_that_was_written_is_written_again_without_a_token(house, box, silent, files):
    house.played.rounds = [[AREA] * 2]
    sent = await house.send("box", "area_", examples=[CASE])
    steps = await house.journal.run(lambda: house.journal.finding.trace(sent.mandate))
    await box.set("box", width=100)
    await box.drop("box", "area_", force=True)
    silent()
    before, drawn, events = await files(), len(house.played.drawn), len(house.events)
    found = await replay(box, sent.mandate)
    assert (found.same, found.difference, found.stopped) == (True, None, None), found.difference
    assert (found.mandate, found.cycle, found.target, found.selector) == (sent.mandate, sent.cycle, "box", "area_")
    assert [(step.path, step.send, step.tokens) for step in found.steps] == [
        (step.path, step.send, step.tokens) for step in steps
    ]
    assert found.total == len(steps) > 10
    assert (found.now.state, found.now.result, found.now.sha256) == ("COMPLETE", 30, sent.method.sha256)
    assert found.now == found.then
    assert await files() == before, "nothing was written anywhere"
    assert (len(house.played.drawn), len(house.events)) == (drawn, events)
    assert house.mandates._running == {}


async def test_a_cycles_id_and_a_beginning_will_do_and_other_words_are_told(house, box):
    house.played.rounds = [[AREA] * 2]
    sent = await house.send("box", "area_", examples=[CASE])
    for id_ in (sent.cycle, sent.cycle[:9], sent.mandate[:-2]):
        assert (await replay(box, id_)).mandate == sent.mandate
    error = await box.refused(replay(box, "cffffffffff"))
    assert error.code == "UNKNOWN_CYCLE"
    error = await box.refused(replay(box, "00000000000000000000000000"))
    assert error.code == "EXPIRED"


async def test_a_message_that_changes_its_object_is_replayed_on_the_slots_of_then(house, box, files):
    sent = await house.send("counter", "up_", 4)
    await house.send("counter", "up_", 4, key="again")
    before = await files()
    found = await replay(box, sent.mandate)
    assert (found.same, found.now.result, found.total, found.cycle) == (True, 5, 0, None)
    assert await files() == before


async def test_what_was_made_then_is_another_object_now_and_no_difference(house, box):
    await box.define("box", "def twin_(self):\n    return [self.clone_(), self]\n")
    sent = await house.send("box", "twin_")
    found = await replay(box, sent.mandate)
    assert found.same
    assert found.now.result[0] == {"a new object": {"width": 5, "height": 6}}
    assert found.now.result[1] == Ref(house.look("box").oid)


async def test_a_question_is_answered_from_what_was_found_then(house, box, silent, files):
    house.hits = [hit()]
    playing(house)
    answered = await ask(house, "Who made the valve of the pump?")
    silent()
    before = await files()
    found = await replay(box, answered.mandate)
    assert (found.same, found.now.result) == (True, answered.result), found.difference
    assert "infer_" in [step.send for step in found.steps]
    assert await files() == before


async def test_a_question_of_several_voices_has_the_same_trace(house, box, silent):
    house.hits = [hit()]
    playing(house)
    answered = await ask(house)
    silent()
    found = await replay(box, answered.mandate)
    assert (found.same, found.now.state) == (True, "COMPLETE"), found.difference
    assert found.total > 20


async def test_a_mandate_that_failed_fails_again_and_one_that_proposes_proposes(house, box, silent):
    house.played.rounds = [["def area_(self):\n    return 0\n"] * 2] * 9
    with pytest.raises(BatosError) as caught:
        await house.send("box", "area_", examples=[CASE])
    house.played.rounds = [[AREA] * 2]
    proposed = await house.send("box", "area_", key="p")
    silent()
    found = await replay(box, caught.value.data["mandate"])
    assert (found.same, found.now.state, found.now.code) == (True, "FAILED", "NOT_SYNTHESIZED"), found.difference
    found = await replay(box, proposed.mandate)
    assert (found.same, found.now.state) == (True, "PROPOSED"), found.difference


async def test_what_was_done_by_hand_is_judged_again_and_not_done(house, box, files):
    await box.define("box", AREA)
    (mandate,) = await house.journal.run(lambda: house.journal.finding.newest(1))
    before = await files()
    found = await replay(box, mandate)
    assert (found.same, found.now.state) == (True, "COMPLETE")
    assert await files() == before


async def test_with_another_source_it_is_told_what_would_have_been(house, box, silent, files):
    await box.define("box", AREA)
    await box.define("till", COST)
    sent = await house.send("till", "cost_", Ref(house.look("box").oid))
    silent()
    before = await files()
    found = await replay(box, sent.mandate, ("box", "area_", SUM))
    assert (found.same, found.then.result, found.now.result) == (False, 60, 22)
    assert (found.difference.path, found.difference.then, found.difference.now) == (
        "the end",
        "COMPLETE: 60",
        "COMPLETE: 22",
    )
    assert [(one["name"], one["selector"]) for one in found.sources] == [("box", "area_")]
    assert await files() == before
    again = await replay(box, sent.mandate, ("box", "area_", AREA), ("till", "cost_", COST))
    assert again.same, "the same sources come to the same"


async def test_another_source_that_sends_something_else_is_the_first_difference(house, box, silent):
    await box.define("till", "def cost_(self, of):\n    return of.area_()\n")
    await box.define("box", AREA)
    await box.define("box", "def perimeter_(self):\n    return 2 * (self.width + self.height)\n")
    sent = await house.send("till", "cost_", Ref(house.look("box").oid))
    silent()
    found = await replay(box, sent.mandate, ("till", "cost_", "def cost_(self, of):\n    return of.perimeter_()\n"))
    assert (found.difference.path, found.difference.then, found.difference.now) == ("m.0", "area_", "perimeter_")
    assert found.now.result == 22
    found = await replay(box, sent.mandate, ("till", "cost_", "def cost_(self, of):\n    return 3\n"))
    assert (found.difference.path, found.difference.then, found.difference.now) == ("m.0", "area_", "nothing")


async def test_where_the_model_would_be_asked_something_new_it_stops_and_says_so(house, box, silent):
    await box.define("till", "def say_(self, what):\n    return self.infer_(what)\n")
    house.played.rounds = [["well"]]
    sent = await house.send("till", "say_", "hello")
    silent()
    assert (await replay(box, sent.mandate)).now.result == "well"
    other = "def say_(self, what):\n    return self.infer_(what + '!')\n"
    found = await replay(box, sent.mandate, ("till", "say_", other))
    assert (found.now, found.same) == (None, False)
    assert (found.stopped.path, found.stopped.then) == ("m.0", "infer_")
    assert "inference.infer" in found.stopped.now
    assert found.difference == found.stopped
    caught = "def say_(self, what):\n    try:\n        return self.infer_(what + '!')\n    except SendFailed:\n        return 0\n"
    assert (await replay(box, sent.mandate, ("till", "say_", caught))).now is None, "no method catches that"


async def test_a_source_that_may_not_stand_is_refused(house, box):
    sent = await house.send("counter", "up_", 4)
    for name, selector, source, code in [
        ("counter", "up_", "def up_(self, by):\n    self.count = by\n    return by\n", "REFUSED"),
        ("counter", "up_", "def down_(self, by):\n    return by\n", "BAD_ARGUMENT"),
        ("nobody", "up_", UP, "UNKNOWN_OBJECT"),
        ("counter", "up", UP, "BAD_SELECTOR"),
    ]:
        error = await box.refused(replay(box, sent.mandate, (name, selector, source)))
        assert error.code == code, source
    error = await box.refused(replay(box, sent.mandate, *[("counter", "up_", UP)] * 17))
    assert error.code == "BAD_ARGUMENT"


async def test_what_was_late_then_is_late_now(house, box, silent, monkeypatch):
    """How much time is left decides how many texts are drawn; a replay is told the same as then."""
    rote = "def area_(self):\n    return 12\n"
    house.played.rounds = [[rote, AREA]]
    clock, told = itertools.cycle([30.0, 30.0, 1.0, 1.0]), Session._left

    async def hurried(session, ask):
        deadline, session.deadline = session.deadline, SimpleNamespace(left=lambda: next(clock))
        try:
            return await told(session, ask)
        finally:
            session.deadline = deadline

    monkeypatch.setattr(Session, "_left", hurried)
    sent = await house.send("box", "area_", examples=[CASE])
    monkeypatch.undo()
    silent()
    found = await replay(box, sent.mandate)
    assert found.same, found.difference
    assert "budget_" in [step.send for step in found.steps]
    await house.journal.run(lambda: house.journal._db.execute("DELETE FROM replies WHERE length(reply) < 16"))
    assert not (await replay(box, sent.mandate)).same, "without it more texts are asked for"


async def test_what_the_journal_has_forgotten_is_expired(house, box):
    await box.define("till", "def say_(self, what):\n    return self.infer_(what)\n")
    house.played.rounds = [["well"]]
    sent = await house.send("till", "say_", "hello")
    await house.journal.run(lambda: house.journal._db.execute("DELETE FROM replies"))
    error = await box.refused(replay(box, sent.mandate))
    assert (error.code, sent.mandate in error.message) == ("EXPIRED", True)
    await house.journal.run(lambda: house.journal._db.execute("UPDATE mandates SET read = NULL"))
    assert (await box.refused(replay(box, sent.mandate))).code == "EXPIRED"
    await house.journal.run(lambda: house.journal._db.execute("UPDATE mandates SET body = x''"))
    assert (await box.refused(replay(box, sent.mandate))).code == "EXPIRED"


async def test_a_world_that_was_packed_away_is_expired(house, box):
    sent = await house.send("counter", "up_", 4)
    await asyncio.sleep(0.02)
    moments.pack(house.db, time.time())
    error = await box.refused(replay(box, sent.mandate))
    assert (error.code, "packed away" in error.message) == ("EXPIRED", True)
    why = await box.ask(verbs.WHY, Why(what=sent.mandate))
    assert why.missing[0].startswith("the prompts and the passages: EXPIRED")
    assert why.mandate.ending.result == 5


async def test_one_that_runs_still_and_one_that_nobody_waits_for(house, box, monkeypatch):
    reached = asyncio.Event()

    async def never():
        reached.set()
        await asyncio.Event().wait()

    house.played.rounds = [never]
    waiting = asyncio.create_task(house.send("box", "area_", examples=[CASE]))
    await reached.wait()
    (mandate,) = await house.journal.run(lambda: house.journal.finding.newest(1))
    error = await box.refused(replay(box, mandate))
    assert (error.code, "not ended" in error.message) == ("BAD_ARGUMENT", True)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    sent = await house.send("counter", "up_", 4, key="up")
    gone = asyncio.Event()
    gone.set()

    async def slow(_):
        await asyncio.Event().wait()

    house.bus.handlers["guardian", "run"] = slow
    error = await box.refused(box.ask(verbs.REPLAY, Replay(id=sent.mandate), cancelled=gone))
    assert error.code == "CANCELLED"
    monkeypatch.setattr(rethinking, "REPLAY_S", 0.2)
    assert (await box.refused(replay(box, sent.mandate))).code == "TIMEOUT"


async def test_who_asks_needs_the_right_to_ask_and_no_other(house, box):
    sent = await house.send("counter", "up_", 4)
    box.origin = Origin(kind="mcp", name="agent", rights=["ask"])
    assert (await replay(box, sent.mandate)).same
    box.origin = Origin(kind="mcp", name="agent", rights=[])
    assert (await box.refused(replay(box, sent.mandate))).code == "NOT_ALLOWED"


async def test_a_thought_that_was_killed_in_between_and_one_that_lost_its_world_are_the_same_again(house, box, silent):
    reached = asyncio.Event()

    async def never():
        reached.set()
        await asyncio.Event().wait()

    house.played.rounds = [never]
    waiting = asyncio.create_task(house.send("box", "area_", examples=[CASE]))
    await reached.wait()
    await house.crash()
    await asyncio.gather(waiting, return_exceptions=True)
    house.played.rounds, house.played._seed = [[AREA] * 2], None
    await house.mandates.recover()
    killed = await house.send("box", "area_", examples=[CASE])

    async def meddled():
        house.meddle("till", 7)
        return texts

    texts = ["def size_(self):\n    return self.n\n"] * 2
    house.played.rounds = [meddled, texts]
    lost = await house.send("till", "size_", key="lost", examples=[Example(slots={"n": n}, returns=n) for n in (1, 2)])
    silent()
    for sent in (killed, lost):
        found = await replay(box, sent.mandate)
        assert (found.same, found.now.result) == (True, sent.result), found.difference


async def test_one_that_went_another_way_when_its_world_had_changed_is_replayed_as_it_went_last(
    house, box, monkeypatch
):
    house.new("fork", is_left=True)
    left, right = (f"def {name}_(self):\n    return {name!r}\n" for name in ("left", "right"))
    go = "def go_(self):\n    self.at = self.left_() if self.is_left else self.right_()\n    self._p_changed = True\n"
    await box.define("fork", f"{left}{right}{go}    return self.at\n")
    publish, changed = publishing.publish, []

    def meanwhile(db, publication):
        if not changed:
            with commit(db, user="test", description="meanwhile") as connection:
                connection.root()["objects"]["fork"].is_left = changed.append(True)
        return publish(db, publication)

    monkeypatch.setattr(publishing, "publish", meanwhile)
    sent = await house.send("fork", "go_")
    found = await replay(box, sent.mandate)
    assert (sent.result, found.same, found.difference) == ("right", True, None)


async def test_a_lesson_is_replayed_too(house, box, silent):
    house.played.rounds = [[AREA] * 2]
    learned = await house.send("box", "area_", examples=[CASE], learn=Learn())
    silent()
    found = await replay(box, learned.cycle)
    assert (found.same, found.now.sha256) == (True, learned.method.sha256), found.difference


async def test_another_source_asks_the_model_where_nothing_was_asked(house, box, silent):
    await box.define("box", AREA)
    sent = await house.send("box", "area_")
    silent()
    found = await replay(box, sent.mandate, ("box", "area_", "def area_(self):\n    return self.nobody_knows_()\n"))
    assert (found.same, found.now, found.then.result) == (False, None, 30)
    assert found.stopped.now.endswith("to which the journal has no reply")


async def test_what_was_taken_back_is_taken_back_again_whatever_came_later(house, box, files):
    start = house.db.lastTransaction().hex()
    await box.set("box", width=7)
    first = house.db.lastTransaction().hex()
    await box.set("box", width=8)
    blocked = await box.refused(box.undo(first))
    await box.rewind(start)
    for width in range(3):
        await box.set("box", width=width)
    before = await files()
    ended = await house.journal.run(lambda: house.journal.finding.newest(5))
    found = [await replay(box, id_) for id_ in ended[3:]]
    assert (blocked.code, [one.then.code for one in found]) == ("BLOCKED", ["", "BLOCKED"])
    assert [one.difference for one in found] == [None, None]
    assert await files() == before
