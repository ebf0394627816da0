"""Whether the mind may write on an object: who says so, what follows, and that no method of any kind meets it."""

from __future__ import annotations

import pytest

from actors.orchestrator import views
from actors.orchestrator.thinking import consent
from actors.orchestrator.thinking.interpreter import send
from actors.orchestrator.thinking.thought import Message
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.home import Orchestrator, Settings
from protocol.mandates import check_mandate
from protocol.messages import (
    Done,
    Effect,
    Example,
    Infer,
    Judge,
    Learn,
    Mandate,
    New,
    OtherObject,
    Run,
    SetSlots,
    Trial,
)
from protocol.messages import Send as Sent
from tests.actors.orchestrator.hand.conftest import Hand
from world.method import UvmMethod
from world.store import commit

AREA = "def area_(self):\n    return self.width * self.height\n"
CASE = Example(slots={"width": 3, "height": 4}, returns=12)


@pytest.fixture
def box(house):
    house.new("box", width=5, height=6)
    house.played.rounds = [[AREA] * 2]
    return Hand(house)


async def learned(house, name="box", key="k", examples=(CASE,), **rest):
    return await house.send(name, "area_", key=key, examples=list(examples), **rest)


async def under(house, learning):
    """The house begins again with another setting."""
    house.settings = Settings(orchestrator=Orchestrator(learning=learning))
    await house.crash()


async def denied(house, **rest):
    with pytest.raises(BatosError) as caught:
        await learned(house, **rest)
    assert (caught.value.code, caught.value.exit_code) == ("LEARNING_DENIED", 2)
    assert house.played.asked == [], "nothing was written in vain"
    return caught.value


# Who says so ------------------------------------------------------------------------------------------------------


async def test_what_holds_its_contract_is_installed_unless_somebody_says_otherwise(house, box):
    assert (await learned(house)).synthesized


async def test_the_setting_holds_where_no_object_says_otherwise(house, box):
    await under(house, "propose")
    assert (await learned(house)).state == "PROPOSED"
    await under(house, "deny")
    await box.set("box", _learning="auto")
    house.played.rounds = [[AREA] * 2]
    assert (await learned(house, key="k2")).synthesized


async def test_it_is_inherited_and_the_nearest_says_it(house, box):
    await box.set("box", _learning="deny")
    views.create(house.store, New(name="crate", parent="box"))
    error = await denied(house, name="crate")
    assert "box has _learning = deny" in error.message
    assert "batos set crate _learning=propose" in error.hint
    await box.set("crate", _learning="auto")
    assert (await learned(house, name="crate", key="k2")).synthesized


async def test_a_world_may_deny(house, box):
    await under(house, "deny")
    error = await denied(house)
    assert "under [orchestrator] in batos.toml" in error.message
    assert "batos define box FILE" in error.hint
    await denied(house, key="k2", learn=Learn())


@pytest.mark.parametrize("name", ["traits_obj", "orchestrator_obj", "persona_traits", "pLLM_obj"])
async def test_what_is_the_systems_own_is_the_users_alone(house, box, name):
    error = await denied(house, name=name)
    assert "the system's own" in error.message
    assert f"batos define {name} FILE" in error.hint


async def test_it_is_dropped_like_any_other_slot_of_a_persona_too(house, box):
    await box.set("box", _learning="deny")
    await box.drop("box", "_learning")
    await box.set("BRICK", _learning="propose")
    await box.drop("BRICK", "_learning")
    assert "_learning" not in house.look("BRICK").slots
    assert (await learned(house)).synthesized


async def test_a_parent_of_the_users_and_a_persona_learn_like_anybody(house, box):
    views.create(house.store, New(name="crate", parent="box"))
    assert (await learned(house)).synthesized
    house.played.rounds = [["def area_(self):\n    return 12\n"] * 2]
    assert (await learned(house, name="BRICK", key="k2", examples=[Example(returns=12)])).synthesized


async def test_a_method_that_reads_it_in_time_loses_to_the_word_of_the_user(house, box):
    """It counts as read: what was said while a method was written holds for that method."""

    async def write():
        await house.store.run(say)
        return [AREA] * 2

    def say():
        with commit(house.db, user="test", description="set box _learning") as connection:
            connection.root()["objects"]["box"].set_slot("_learning", "propose")

    house.played.rounds = [write]
    assert (await learned(house)).state == "PROPOSED"
    assert len(house.played.asked) == 1


@pytest.mark.parametrize("sends", ["self.clone_().area_()", "self.area_([self.clone_()])"])
async def test_what_the_message_itself_makes_has_nothing_that_could_wait(house, box, sends):
    await box.define("box", f"def twin_(self):\n    return {sends}\n")
    with pytest.raises(BatosError, match="made by this very message") as caught:
        await house.send("box", "twin_")
    assert caught.value.code == "LEARNING_DENIED"


async def test_what_a_trial_has_made_is_told_and_not_referred_to(house, box):
    """The clone stands in a slot while the nested message is thought about, and goes with the mandate."""
    await box.define(
        "box", "def keep_(self):\n    self.twin = self.clone_()\n    self._p_changed = True\n    return self.seen_()\n"
    )
    house.played.rounds = [["def seen_(self):\n    return self.twin\n"] * 2]
    reply = await house.send("box", "keep_")
    assert reply.state == "PROPOSED"
    (one,) = await box.proposals()
    assert one.result["returns"] == {"a new object": {}}
    assert set(house.look("box").slots) == {"width", "height"}


# No method meets it -----------------------------------------------------------------------------------------------

READS = "def area_(self):\n    return self._learning\n"
WRITES = "def area_(self):\n    self._learning = 'auto'\n    self._p_changed = True\n"
HOSTILE = [
    READS,
    WRITES,
    "def area_(self):\n    del self._learning\n    self._p_changed = True\n",
    "def area_(self, other):\n    return other._learning\n",
    "def area_(self):\n    return getattr(self, '_learning')\n",
    "def area_(self):\n    return '{0._learning}'.format(self)\n",
]


@pytest.mark.parametrize("source", HOSTILE)
@pytest.mark.parametrize("kernel", [False, True])
async def test_the_guardian_refuses_each_source_that_names_it(jail, source, kernel):
    assert not (await jail.run(Judge(source=source, kernel=kernel))).accepted


@pytest.mark.parametrize("source", [READS, WRITES, HOSTILE[4]])
@pytest.mark.parametrize("selector", ["area_", "recall_", "infer_"])
async def test_a_run_does_not_meet_it_even_past_the_gate(house, box, source, selector):
    """`infer_` is a selector of the kernel's: such a method runs as kernel source wherever it stands."""
    await box.set("box", _learning="deny")
    with commit(house.db, user="test", description="past the gate") as connection:
        method = UvmMethod(selector, source=source.replace("area_", selector))
        connection.root()["objects"]["box"].set_slot(selector, method)
    before = house.db.lastTransaction()
    with pytest.raises(BatosError) as caught:
        await house.send("box", selector)
    assert caught.value.code in {"REFUSED", "METHOD_FAILED"}
    assert house.db.lastTransaction() == before


@pytest.mark.parametrize("source", [READS, WRITES])
async def test_a_trial_does_not_meet_it(house, box, source):
    await box.set("box", _learning="propose")
    house.played.rounds = [[source] * 2] * 4
    with pytest.raises(BatosError) as caught:
        await learned(house, examples=[Example(returns="propose")])
    assert caught.value.code == "NOT_SYNTHESIZED"


@pytest.mark.parametrize(
    "example",
    [
        Example(slots={"_learning": "auto"}, returns=1),
        Example(slots_after={"_learning": "auto"}),
        Example(objects={"box": OtherObject(slots={"_learning": "auto"})}, returns=1),
    ],
)
async def test_an_example_neither_gives_nor_asks_for_it(house, box, example):
    with pytest.raises(BatosError) as caught:
        await learned(house, examples=[example])
    assert caught.value.code == "BAD_EXAMPLE"


def test_the_overlay_takes_it_from_no_run_whatever_the_jail_says(script, make, think):
    here = make("here", methods=["area_", "drop_"], _learning="deny")
    script.methods["area_"] = lambda run: Done(changed={"_learning": "auto"}, signalled=True)
    script.methods["drop_"] = lambda run: Done(removed=["_learning"], signalled=True)
    thought = think()
    for selector in ("area_", "drop_"):
        with pytest.raises(BatosError) as caught:
            script.drive(send(thought, here, Message(selector), "m"))
        assert caught.value.code == "REFUSED"
    assert consent.learning(thought.overlay, here, "auto") == "deny"
    assert not thought.overlay.changes().slots


def test_another_object_does_not_read_it(script, make, think):
    here, other = make("here", methods=["area_"]), make("other", _learning="deny")
    read = Sent(kind="read", receiver=Ref(other), selector="_learning", args=[])
    script.methods["area_"] = lambda run: (
        Done(result=run.answers[0].error.code) if run.answers else Effect(n=0, send=read, digest="d", changed={})
    )
    assert script.drive(send(think(), here, Message("area_"), "m")) == "METHOD_FAILED"


def test_no_snapshot_has_it(script, make, think):
    here = make("here", width=1, _learning="deny", _tmp_synthesis_data={})
    overlay = think().overlay
    assert overlay.visible(here, kernel=False) == {"width": 1}
    assert overlay.visible(here, kernel=True) == {"width": 1, "_tmp_synthesis_data": {}}


async def test_no_run_no_trial_and_no_prompt_is_shown_it(house, box, monkeypatch):
    seen = []

    def spied(answer):
        def spy(request):
            seen.append(request)
            return answer(request)

        return spy

    for who in (("guardian", "run"), ("guardian", "trial"), ("guardian", "probe"), ("inference", "infer")):
        monkeypatch.setitem(house.bus.handlers, who, spied(house.bus.handlers[who]))
    await box.set("box", _learning="propose")
    house.new("pen", holds=Ref(house.look("box").oid))
    await learned(house)
    house.played.rounds = [["def area_(self):\n    return self.holds.width\n"] * 2]
    await learned(house, name="pen", key="k2", examples=[Example(returns=5)])
    assert {type(request) for request in seen} >= {Run, Trial, Infer}
    assert "_learning" not in str(seen)


def test_it_has_three_values():
    with pytest.raises(BatosError, match="_learning is one of auto, propose, deny"):
        check_mandate(Mandate(target="box", selector="", hand=SetSlots(name="box", slots={"_learning": 1})))


async def test_a_new_object_has_none(house):
    with pytest.raises(BatosError) as caught:
        house.new("pen", _learning="auto")
    assert caught.value.code == "BAD_NAME"
