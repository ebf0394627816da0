"""Runs that have gone on unasked: what was guessed counts where it is right, and costs one more run where it is not."""

from __future__ import annotations

import pytest

from actors.orchestrator.thinking.asks import RemoteCall
from actors.orchestrator.thinking.interpreter import send
from actors.orchestrator.thinking.thought import Message
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.messages import Done, Effect, Failed, Resume
from protocol.messages import Send as Sent


def effect(run, selector, *, to=None, changed=None):
    sent = Sent(kind="send", receiver=to or run.receiver, selector=selector)
    return Effect(n=len(run.answers), send=sent, digest=f"digest {len(run.answers)}", changed=changed or {})


def outer(to=None, sends=3):
    """So many sends, each of which changes the receiver; then what came of them."""

    def run(request):
        if len(request.answers) < sends:
            return effect(request, "inner_", to=to, changed={"mine": len(request.answers)})
        told = [answer.value if answer.error is None else answer.error.code for answer in request.answers]
        return Done(result=[told, request.answers[-1].changed], changed={"mine": 3}, signalled=True)

    return run


def count(run):
    return Done(result=run.slots["a"] + 1, changed={"a": run.slots["a"] + 1}, signalled=True)


def asked(script, source):
    return [
        "resume" if isinstance(ask.request, Resume) else f"run {len(ask.request.answers)}"
        for ask in script.asked
        if isinstance(ask, RemoteCall) and getattr(ask.request, "source", source) == source
    ]


def story(script, make, think, *, ahead, inner, to_parent=False, sends=3):
    parent = make(f"above{ahead}", inherited=1, a=10, methods=["inner_"])
    here = make(f"here{ahead}", parent=parent, a=0, methods=["outer_"])
    script.methods.update(outer_=outer(Ref(parent) if to_parent else None, sends), inner_=inner)
    script.keeps, script.ahead = True, ahead
    script.asked.clear()
    thought = think()
    return script.drive(send(thought, here, Message("outer_"), "m")), dict(thought.overlay.own(here)), thought


def test_a_caller_that_went_on_is_not_asked_for(script, make, think):
    slow = story(script, make, think, ahead=False, inner=count)[:2]
    assert asked(script, "outer_") == ["run 0", "resume", "resume", "resume"]
    fast = story(script, make, think, ahead=True, inner=count)[:2]
    assert asked(script, "outer_") == ["run 0"]
    assert fast[0] == slow[0] == [[1, 2, 3], {"a": 3}]
    assert [fast[1][name] for name in ("a", "mine")] == [slow[1][name] for name in ("a", "mine")] == [3, 3]


def test_a_wrong_guess_is_replayed_and_not_made_again(script, make, think):
    """The other object that is sent to is one that the caller inherits from: its change is the caller's to see."""

    def change(run):
        return Done(result=run.slots["inherited"], changed={"inherited": run.slots["inherited"] + 1}, signalled=True)

    slow = story(script, make, think, ahead=False, inner=change, to_parent=True)[:2]
    fast, slots, thought = story(script, make, think, ahead=True, inner=change, to_parent=True)
    assert asked(script, "outer_") == ["run 0", "run 1", "resume", "resume"]
    assert fast == slow[0] == [[1, 2, 3], {"inherited": 4}]
    assert slots["mine"] == 3
    assert not thought.guesses


def test_what_failed_has_gone_nowhere(script, make, think):
    failed = Failed(code="METHOD_FAILED", error="ValueError", message="no")
    found = story(script, make, think, ahead=True, inner=lambda _: failed, sends=1)[0]
    assert found == [["METHOD_FAILED"], {}]
    assert asked(script, "outer_") == ["run 0", "resume"]


def test_a_guess_does_not_outlive_its_send(script, make, think):
    """The guess is right as far as the guardian knows, but the change that it comes with is not allowed."""
    gone = Done(result=1, removed=["inherited"], signalled=True)
    found = story(script, make, think, ahead=True, inner=lambda _: gone, sends=2)[0]
    assert found == [["METHOD_FAILED", "METHOD_FAILED"], {}]
    with pytest.raises(BatosError):
        script.drive(send(think(), script.asked[0].request.receiver.oid, Message("inner_"), "m"))
