"""A trial leaves the overlay as it was, whatever the candidate does and however it ends."""

from __future__ import annotations

import copy

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.orchestrator.primitives import trials
from actors.orchestrator.thinking.overlay import Draft
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.messages import Done, Effect, Example, Failed, GivenReply, OtherObject, Send, Trial

EXAMPLE = Example(
    slots={"a": 5}, objects={"other": OtherObject(slots={"b": 7})}, replies=[GivenReply(selector="infer_")], returns=1
)
SENDS = st.lists(
    st.sampled_from(["clone_", "up_", "infer_", "remember_", "nothing_", "tried_", "fail_", "b", "none"]), max_size=4
)


@pytest.fixture
def world(db, make, script, think):
    """`here` refers to `other`, which counts up in `up_` and fails in `fail_`; a thought over both."""
    other = make("other", b=1, methods=["up_", "fail_"])
    here = make("here", a=1, other=Ref(other))
    script.methods["up_"] = lambda run: Done(result=1, changed={"b": run.slots["b"] + 1}, signalled=True)
    script.methods["fail_"] = lambda _: Failed(code="METHOD_FAILED", error="ValueError", message="no", line=2)
    thought = think()
    thought.overlay.write(here, {"a": 2})
    thought.overlay.visible(other, kernel=False)
    return thought, here, other


def draft():
    return Draft(selector="tried_", source="tried", sha256="s", parameters=[], author="c", model=None, examples=[])


def sending(to, sends):
    """A method that sends these one after the other, and changes its own slot as it goes."""

    def run(request):
        n = len(request.answers)
        if n == len(sends):
            return Done(result=n, changed={"a": n + 100}, signalled=True)
        kind = "send" if sends[n].endswith("_") else "read"
        receiver = request.receiver if sends[n] in {"clone_", "infer_", "remember_", "tried_"} else Ref(to)
        send = Send(kind=kind, receiver=receiver, selector=sends[n], args=["x"] if sends[n] == "remember_" else [])
        return Effect(n=n, send=send, digest=f"digest {n}", changed={"a": n})

    return run


def image(overlay):
    return [(layer.slots, layer.fresh, layer.outbox) for layer in copy.deepcopy(overlay._layers)]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SENDS)
def test_nothing_of_a_trial_lasts(world, script, sends):
    thought, here, other = world
    script.methods["tried"] = sending(other, sends)
    before = image(thought.overlay)
    state = (thought.trial, thought.onward, thought.guesses, thought.ledger.effects, thought.tokens)
    trial = Trial(source="tried", receiver=Ref(here))
    driven = script.drive(trials.drive(thought, trial, draft(), EXAMPLE, "m.0"))
    assert image(thought.overlay) == before
    assert (thought.trial, thought.onward, thought.guesses, thought.ledger.effects, thought.tokens) == state
    assert driven.slots["a"] == 5
    if isinstance(driven.outcome, Done):
        assert driven.outcome.changed == {"a": len(sends) + 100}


def test_what_it_has_read_is_told_as_it_stood_before(world, script):
    thought, here, other = world
    script.methods["tried"] = sending(other, ["up_", "clone_"])
    driven = script.drive(trials.drive(thought, Trial(source="tried", receiver=Ref(here)), draft(), EXAMPLE, "m.0"))
    assert driven.others == {other: {"slots": {"b": 7}}}
    assert driven.outcome.result == 2


def test_what_is_fatal_ends_the_trial_too_and_leaves_nothing(world, script):
    thought, here, other = world

    def late(_run):
        raise BatosError("TIMEOUT", "late")

    script.methods["up_"] = late
    script.methods["tried"] = sending(other, ["up_"])
    before = image(thought.overlay)
    with pytest.raises(BatosError, match="late"):
        script.drive(trials.drive(thought, Trial(source="tried", receiver=Ref(here)), draft(), EXAMPLE, "m.0"))
    assert image(thought.overlay) == before
    assert thought.trial is None


def test_an_object_that_is_not_there_is_the_cases_failure(world, script):
    thought, here, _ = world
    example = Example(objects={"nobody": OtherObject()}, returns=1)
    driven = script.drive(trials.drive(thought, Trial(source="tried", receiver=Ref(here)), draft(), example, "m.0"))
    assert driven.outcome.code == "UNKNOWN_OBJECT"


def test_replies_answer_in_order_by_selector(world, script):
    thought, here, other = world
    answers = []

    def tried(run):
        answers.append([answer.value for answer in run.answers])
        return sending(other, ["infer_", "remember_", "infer_"])(run)

    script.methods["tried"] = tried
    said = [("infer_", 1), ("infer_", 2), ("remember_", 3)]
    example = Example(replies=[GivenReply(selector=selector, value=value) for selector, value in said], returns=3)
    # A primitive is still called as it takes it.
    thought.primitives = {**thought.primitives, "infer_": lambda _sender: None}
    driven = script.drive(trials.drive(thought, Trial(source="tried", receiver=Ref(here)), draft(), example, "m.0"))
    assert answers[-1] == [1, 3, 2]
    assert driven.outcome.result == 3


def test_a_users_own_word_for_what_is_not_understood_is_sent_in_a_trial_too(world, script):
    thought, here, other = world
    proxy = msgspec.structs.replace(draft(), selector="_doesNotUnderstand_", source="proxy")
    thought.overlay.write(other, {proxy.selector: proxy})
    script.methods["proxy"] = lambda run: Done(result=run.args[0])
    script.methods["tried"] = sending(other, ["nothing_"])
    driven = script.drive(trials.drive(thought, Trial(source="tried", receiver=Ref(here)), draft(), EXAMPLE, "m.0"))
    assert driven.outcome.result == 1
