"""Calls that have happened become examples: as they were, or as they should have been."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ulid import ULID

from actors.orchestrator.hand import reading
from actors.orchestrator.journal.retention import Limits
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.messages import Example, History, Learn
from world.store import snapshot
from world.values import plain

AREA = "def area_(self):\n    return self.width * self.height\n"
SUM = "def area_(self):\n    return self.width + self.height\n"
UP = "def up_(self, by):\n    self.count = self.count + by\n    self._p_changed = True\n    return self.count\n"
TWICE = "def up_(self, by):\n    self.count = by + by\n    self._p_changed = True\n    return self.count\n"
COST = "def cost_(self, of):\n    return self.rate_() * of.area_()\n"
RATE = "def rate_(self):\n    return self.rate\n"


@pytest.fixture
async def box(house, hand):
    house.new("box", width=2, height=2, colour="red")
    house.new("counter", count=1)
    house.new("till", rate=3)
    await hand.define("box", AREA)
    await hand.define("counter", UP)
    await hand.define("till", f"{COST}\n{RATE}")
    return hand


def owes(house, name, selector):
    with snapshot(house.db) as connection:
        method = connection.root()["objects"][name]._slots[selector]
        return [plain(example, lambda _: None) for example in method.examples]


async def test_a_call_is_confirmed_with_the_slots_that_it_had_then(house, box):
    sent = await house.send("box", "area_")
    await box.set("box", width=50)
    made = await box.confirm(sent.mandate)
    assert (made.name, made.selector, made.examples) == ("box", "area_", 1)
    (kept,) = owes(house, "box", "area_")
    assert kept == {"slots": {"width": 2, "height": 2}, "args": [], "kwargs": {}, "returns": 4, "slots_after": {}}
    assert (await box.confirm(sent.mandate)).tid is None, "it owes that already"
    error = await box.refused(box.define("box", "def area_(self):\n    return 5\n"))
    assert "its contract: example 1" in error.message


async def test_a_call_that_changes_its_object_is_confirmed_with_what_it_changed(house, box):
    sent = await house.send("counter", "up_", 4)
    await house.send("counter", "up_", 1, key="later")
    await box.confirm(sent.mandate)
    (kept,) = owes(house, "counter", "up_")
    assert (kept["slots"], kept["args"], kept["returns"], kept["slots_after"]) == ({"count": 1}, [4], 5, {"count": 5})
    error = await box.refused(box.define("counter", TWICE))
    assert "expected 5, got 8" in error.message


async def test_what_it_has_read_of_other_objects_and_by_its_own_messages_is_kept_as_it_stood(house, box):
    of = house.look("box").oid
    sent = await house.send("till", "cost_", Ref(of))
    await box.set("box", width=9)
    await box.set("till", rate=100)
    await box.confirm(sent.mandate)
    (kept,) = owes(house, "till", "cost_")
    assert (kept["slots"], kept["returns"]) == ({"rate": 3}, 12)
    assert kept["objects"] == {of: {"slots": {"width": 2, "height": 2, "colour": "red"}}}
    assert (await box.check("till")).ok


async def test_a_version_says_who_has_confirmed_it_and_the_method_stays_its_authors(house, box):
    house.played.rounds = [["def size_(self):\n    return self.width\n"] * 2]
    learned = await house.send("box", "size_", key="learn", examples=[Example(slots={"width": 7}, returns=7)])
    await box.confirm(learned.mandate)
    newest, before = reading.versions(house.store, History(name="box", selector="size_")).versions
    assert newest.sha256 == before.sha256
    assert newest.author.startswith("user:")
    assert newest.why == f"confirm {learned.mandate}"
    assert len(newest.examples) == 2
    assert house.look("box").methods["size_"].author == learned.cycle


async def test_an_inherited_method_owes_what_an_heir_has_confirmed(house, box):
    from actors.orchestrator import views
    from protocol.messages import New

    views.create(house.store, New(name="crate", parent="box", slots={"width": 7, "height": 3}))
    sent = await house.send("crate", "area_")
    assert (await box.confirm(sent.mandate)).name == "box"
    (kept,) = owes(house, "box", "area_")
    assert (kept["slots"], kept["returns"]) == ({"width": 7, "height": 3}, 21)


async def test_the_beginning_of_an_id_and_the_word_last_will_do(house, box):
    first = await house.send("box", "area_")
    await house.send("counter", "up_", 2, key="second")
    await box.set("box", width=3)
    assert (await box.confirm("last")).name == "counter"
    with pytest.raises(BatosError) as caught:
        await box.confirm(first.mandate[:5])
    assert (caught.value.code, "several" in caught.value.message) == ("BAD_ARGUMENT", True)
    assert (await box.confirm(first.mandate.lower())).name == "box"


async def test_under_the_same_key_the_last_one_is_the_one_that_was_meant_first(house, box):
    first = await house.send("box", "area_")
    made = await box.confirm("last", key="c")
    house.played.rounds = [[SUM, SUM]]
    learned = await box.correct("last", key="l", returns=4)
    await house.send("counter", "up_", 4, key="later")
    assert (await box.confirm("last", key="c")) == made
    assert made.mandate == first.mandate
    assert (await box.correct("last", key="l", returns=4)).mandate == learned.mandate


async def test_the_same_key_confirms_once(house, box):
    sent = await house.send("box", "area_")
    first = await box.confirm(sent.mandate, key="k1")
    await house.crash()
    assert await box.confirm(sent.mandate, key="k1") == first
    assert len(owes(house, "box", "area_")) == 1


async def test_a_kill_between_the_commit_and_its_end_forgets_no_moment(house, box, monkeypatch):
    finish = house.journal.finish

    def killed(*_):
        raise SystemError("killed")

    monkeypatch.setattr(house.journal, "finish", killed)
    with pytest.raises((SystemError, BatosError)):
        await house.send("counter", "up_", 4)
    monkeypatch.setattr(house.journal, "finish", finish)
    await house.crash()
    await house.mandates.recover()
    sent = await house.send("counter", "up_", 4)
    assert sent.result == 5
    await box.confirm(sent.mandate)
    assert owes(house, "counter", "up_")[0]["slots"] == {"count": 1}


async def test_a_corrected_call_is_an_example_and_the_method_is_learned_again(house, box):
    await box.define("box", SUM, drop_contract=True)
    await box.set("box", height=5)
    sent = await house.send("box", "area_")
    assert sent.result == 7
    house.played.rounds = [[AREA, AREA]]
    reply = await box.correct(sent.mandate, returns=10)
    assert (reply.method.source, reply.learned.installed, reply.learned.replaced) == (AREA, True, [])
    (kept,) = owes(house, "box", "area_")
    assert (kept["slots"], kept["returns"], "slots_after" in kept) == ({"width": 2, "height": 5}, 10, False)
    assert (await house.send("box", "area_", key="then")).result == 10


async def test_an_old_example_that_a_correction_contradicts_goes_and_is_named(house, box):
    other = await house.send("counter", "up_", 1, key="other")
    await box.confirm(other.mandate)
    sent = await house.send("counter", "up_", 4)
    await box.confirm(sent.mandate)
    house.played.rounds = [[UP.replace("self.count + by", "min(4, self.count + by)")] * 2]
    reply = await box.correct(sent.mandate, returns=4, slots_after={"count": 4})
    assert [(example.args, example.returns) for example in reply.learned.replaced] == [([4], 6)]
    assert [(each["args"], each["returns"]) for each in owes(house, "counter", "up_")] == [([1], 2), ([4], 4)]


async def test_a_failed_call_can_be_corrected_and_not_confirmed(house, box):
    await box.define("box", "def area_(self):\n    return self.width / 0\n", drop_contract=True)
    with pytest.raises(BatosError) as caught:
        await house.send("box", "area_")
    mandate = caught.value.data["mandate"]
    error = await box.refused(box.confirm(mandate))
    assert (error.code, "has failed" in error.message, "batos correct" in error.hint) == ("BAD_ARGUMENT", True, True)
    house.played.rounds = [[AREA, AREA]]
    assert (await box.correct(mandate, returns=4)).method.source == AREA


async def test_what_was_no_call_is_refused_with_why(house, box):
    with pytest.raises(BatosError):
        await house.send("orchestrator_obj", "ask_", "What?", key="asked")
    asked = await house.journal.run(lambda: house.journal.by_key("asked"))
    error = await box.refused(box.correct(asked.mandate, returns=1))
    assert (error.code, "question" in error.message) == ("BAD_ARGUMENT", True)
    written = await house.journal.run(lambda: house.journal.by_key("hand 1"))
    assert (await box.refused(box.confirm(written.mandate))).code == "BAD_ARGUMENT"
    cloned = await house.send("box", "clone_", key="clone")
    for work in (box.confirm(cloned.mandate), box.correct(cloned.mandate, returns=1)):
        error = await box.refused(work)
        assert (error.code, "system itself" in error.message) == ("BAD_ARGUMENT", True)
    for unknown in ("zzzz", "x", ""):
        assert (await box.refused(box.confirm(unknown))).code == "UNKNOWN_CYCLE"


async def test_what_is_forgotten_is_expired(house, box):
    sent = await house.send("box", "area_")
    await box.set("box", width=3)
    later = await house.send("box", "area_", key="later")
    house.db.pack(time.time())
    house.db.cacheMinimize()
    error = await box.refused(box.confirm(sent.mandate))
    assert (error.code, "is forgotten" in error.message) == ("EXPIRED", True)
    await house.journal.run(
        lambda: house.journal._db.execute("DELETE FROM mandates WHERE mandate < ?", (later.mandate,))
    )
    for work in (box.confirm(sent.mandate), box.correct(sent.mandate, returns=1)):
        error = await box.refused(work)
        assert (error.code, error.exit_code, "keep" in error.hint) == ("EXPIRED", 2, True)
    assert (await box.refused(box.confirm(str(ULID())))).code == "UNKNOWN_CYCLE"
    assert (await box.confirm(later.mandate)).examples == 1
    await house.journal.run(lambda: house.journal.retention.prune(Limits(seconds=-1.0, mandates=100)))
    assert (await box.refused(box.confirm(later.mandate))).code == "EXPIRED"


async def test_a_method_that_answers_otherwise_by_now_is_not_made_to_owe_it(house, box):
    sent = await house.send("box", "area_")
    await box.set("box", width=5)
    await box.define("box", "def area_(self):\n    return 0\n")
    error = await box.refused(box.confirm(sent.mandate))
    assert (error.code, error.exit_code) == ("REFUSED", 4)
    assert "expected 4, got 0" in error.message
    await box.drop("box", "area_", force=True)
    assert (await box.refused(box.confirm(sent.mandate))).code == "UNKNOWN_METHOD"


async def test_what_inference_has_answered_cannot_be_repeated_and_that_is_said(house, box):
    await box.define("box", "def say_(self):\n    return self.infer_('Hello?')\n")
    house.played.rounds = [["hello"]]
    sent = await house.send("box", "say_")
    error = await box.refused(box.confirm(sent.mandate))
    assert (error.code, "infer_" in error.message) == ("REFUSED", True)


async def test_a_call_that_nothing_answers_is_learned_and_not_corrected(house, box):
    sent = await house.send("box", "area_")
    await box.drop("box", "area_", force=True)
    error = await box.refused(box.correct(sent.mandate, returns=1))
    assert (error.code, "--again" in error.hint) == ("UNKNOWN_METHOD", False)


@pytest.mark.parametrize("said", [{"slots_after": {"_secret": 1}}, {}])
async def test_a_correction_that_says_nothing_of_sense_is_refused(house, box, said):
    sent = await house.send("box", "area_")
    error = await box.refused(box.correct(sent.mandate, **said))
    assert (error.code, bool(error.hint)) == ("BAD_EXAMPLE", True)


async def test_a_learned_call_is_confirmed_by_the_method_that_it_brought_forth(house, box):
    house.played.rounds = [["def half_(self):\n    return self.width / 2\n"] * 2]
    reply = await house.send("box", "half_", key="half", examples=[Example(slots={"width": 9}, returns=4.5)])
    assert (await box.confirm(reply.mandate)).examples == 2
    house.played.rounds = [["def half_(self):\n    return 0.5 * self.width\n"] * 2]
    reply = await house.send("box", "half_", key="again", learn=Learn(again=True))
    assert (await box.refused(box.confirm(reply.mandate))).code == "BAD_ARGUMENT"


VALUES = st.integers(-3, 3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), VALUES),
        st.tuples(st.just("set"), VALUES),
        st.tuples(st.just("confirm"), st.integers(0, 5)),
    ),
    min_size=2,
    max_size=8,
)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_is_sent_and_set_each_call_is_confirmed_as_it_was(event_loop_policy_free_house, steps):
    run, house, hand = event_loop_policy_free_house
    run(_follow(house, hand, steps))


async def _follow(house, hand, steps):
    """The model is the list of calls as they were: what stood there, what was given, what came of it."""
    hand.names = getattr(hand, "names", 0) + 1
    name, count = f"counter{hand.names}", 1
    house.new(name, count=count)
    await hand.define(name, UP)
    calls, owed = [], []
    for step, number in steps:
        if step == "set":
            await hand.set(name, count=number)
            count = number
        elif step == "send":
            reply = await house.send(name, "up_", number, key=f"{name} {len(calls)}")
            after = {} if number == 0 else {"count": count + number}
            calls.append((reply.mandate, ({"count": count}, [number], count + number, after)))
            count += number
        elif calls:
            mandate, call = calls[number % len(calls)]
            await hand.confirm(mandate)
            owed += [] if call in owed else [call]
    kept = [(each["slots"], each["args"], each["returns"], each["slots_after"]) for each in owes(house, name, "up_")]
    assert kept == owed
    assert (await hand.check(name)).ok
