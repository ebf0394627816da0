"""Sends side by side: replies in order, texts in one batch, changes merged where they do not meet."""

from __future__ import annotations

import pytest

from actors.orchestrator.thinking.interpreter import send
from actors.orchestrator.thinking.thought import Message
from protocol import verbs
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.messages import Done, Effect, Failed, Generated, Inferred, Send


@pytest.fixture
def actors(make, script):
    """Three objects that ask for a text and keep it, and what the script's model says: each row's own prompt back."""

    def asking(run):
        if not run.answers:
            message = Send(kind="send", receiver=run.receiver, selector="infer_", args=[run.args[0]])
            return Effect(n=0, send=message, digest="d")
        if run.answers[0].error is not None:
            return Failed(code="SEND_FAILED", error="SendFailed", message=run.answers[0].error.message)
        text = run.answers[0].value
        return Done(result=text, changed={"said": text}, signalled=True)

    def failing(run):
        raise BatosError("METHOD_FAILED", "it cannot")

    def infer(request):
        rows = [Generated(text=row.turns[0].content.upper(), tokens=3, finish="stop") for row in request.rows]
        return Inferred(rows=rows, prompt_tokens=1, seconds=0.1)

    def shared(run):
        return (
            Effect(n=0, send=Send(kind="send", receiver=run.args[0], selector="ask_", args=["x"]), digest="d")
            if not run.answers
            else Done(result=1)
        )

    script.methods = {"ask_": asking, "fail_": failing, "pass_on_": shared}
    script.others["infer"] = infer
    return [make(name, methods=["ask_", "fail_", "pass_on_"], said="") for name in ("a", "b", "c")]


def at_once(thought, receiver, sends):
    return send(thought, receiver, Message("send_all_", [sends]), "m")


def batches(script):
    return [len(ask.request.rows) for ask in script.asked if getattr(ask, "verb", None) is verbs.INFER]


def test_texts_of_all_lanes_are_one_batch_and_replies_keep_their_order(actors, script, think):
    thought = think()
    sends = [[Ref(oid), "ask_", [f"q{n}"], {}] for n, oid in enumerate(actors)]
    assert script.drive(at_once(thought, actors[0], sends)) == ["Q0", "Q1", "Q2"]
    assert batches(script) == [3]
    assert [thought.overlay.own(oid)["said"] for oid in actors] == ["Q0", "Q1", "Q2"]
    assert thought.ledger.tokens == thought.tokens == 9


def test_each_row_has_its_own_voice(actors, script, think):
    script.drive(at_once(think(), actors[0], [[Ref(oid), "ask_", ["q"], {}] for oid in actors]))
    [call] = [ask for ask in script.asked if getattr(ask, "verb", None) is verbs.INFER]
    assert [voice.name for voice in call.voices] == ["a", "b", "c"]
    assert call.request.stream


def test_two_lanes_that_write_the_same_slot_are_refused_and_nothing_is_kept(actors, script, think):
    thought = think()
    sends = [[Ref(actors[0]), "ask_", ["one"], {}], [Ref(actors[1]), "pass_on_", [Ref(actors[0])], {}]]
    with pytest.raises(BatosError) as caught:
        script.drive(at_once(thought, actors[2], sends))
    assert caught.value.code == "CONFLICTING_LANES"
    assert thought.overlay.own(actors[0])["said"] == ""
    assert thought.overlay.changes().slots == {}


def test_a_lane_that_fails_fails_all_of_them(actors, script, think):
    thought = think()
    with pytest.raises(BatosError, match="it cannot"):
        script.drive(
            at_once(thought, actors[0], [[Ref(actors[0]), "ask_", ["q"], {}], [Ref(actors[1]), "fail_", [], {}]])
        )
    assert thought.overlay.changes().slots == {}
    assert batches(script) == []


def test_a_lane_may_fail_by_itself_and_what_it_changed_goes(actors, script, think):
    def late(run):
        if not run.answers:
            return Effect(n=0, send=Send(kind="send", receiver=run.receiver, selector="ask_", args=["x"]), digest="d")
        raise BatosError("METHOD_FAILED", "it cannot any more")

    script.methods["fail_"] = late
    thought = think()
    sends = [[Ref(actors[0]), "ask_", ["q"], {}], [Ref(actors[1]), "fail_", [], {}]]
    found = script.drive(send(thought, actors[0], Message("send_all_", [sends, True]), "m"))
    assert found == [{"result": "Q"}, {"error": "it cannot any more"}]
    assert thought.overlay.own(actors[0])["said"] == "Q"
    assert thought.overlay.own(actors[1])["said"] == ""
    assert batches(script) == [2]


def test_an_error_of_the_batch_reaches_every_lane(actors, script, think):
    def infer(_request):
        raise BatosError("GENERATION_FAILED", "no memory")

    script.others["infer"] = infer
    with pytest.raises(BatosError, match="no memory"):
        script.drive(at_once(think(), actors[0], [[Ref(oid), "ask_", ["q"], {}] for oid in actors]))


def test_a_row_that_has_failed_fails_its_own_lane_with_its_own_words(actors, script, think):
    told = []

    def infer(request):
        bad = Generated(text="", tokens=0, finish="failed", reason="no form", code="BAD_CONSTRAINT", hint="Simpler.")
        rows = [
            bad if row.turns[0].content == "q1" else Generated(text="T", tokens=3, finish="stop")
            for row in request.rows
        ]
        return Inferred(rows=rows, prompt_tokens=1, seconds=0.1)

    def asking(run):
        if not run.answers:
            message = Send(kind="send", receiver=run.receiver, selector="infer_", args=[run.args[0]])
            return Effect(n=0, send=message, digest="d")
        answer = run.answers[0]
        told.append(None if answer.error is None else answer.error.message)
        return Done(result=None if answer.error else answer.value)

    script.others["infer"] = infer
    script.methods["ask_"] = asking
    sends = [[Ref(oid), "ask_", [f"q{n}"], {}] for n, oid in enumerate(actors)]
    assert script.drive(at_once(think(), actors[0], sends)) == ["T", None, "T"]
    assert [(one is None) or ("no form" in one) for one in told] == [True] * 3
    assert batches(script) == [3]


def test_more_rows_than_a_batch_holds_are_asked_for_in_turn(actors, script, think, monkeypatch):
    monkeypatch.setattr("actors.orchestrator.primitives.lanes.MAX_ROWS", 2)
    sends = [[Ref(oid), "ask_", ["q"], {}] for oid in actors]
    assert script.drive(at_once(think(), actors[0], sends)) == ["Q", "Q", "Q"]
    assert batches(script) == [2, 1]


@pytest.mark.parametrize(
    "sends", [None, "x", [[1, "ask_", [], {}]], [["a"]], [[None, "slot", [], {}]], [[None, "ask_", {}, {}]], [[]] * 17]
)
def test_what_is_no_list_of_sends_is_refused(actors, script, think, sends):
    with pytest.raises(BatosError) as caught:
        script.drive(at_once(think(), actors[0], sends))
    assert caught.value.code == "METHOD_FAILED"


def test_no_sends_have_no_replies(actors, script, think):
    assert script.drive(at_once(think(), actors[0], [])) == []


def test_an_effect_budget_counts_all_lanes(actors, script, think):
    with pytest.raises(BatosError) as caught:
        script.drive(at_once(think(effects=2), actors[0], [[Ref(oid), "ask_", ["q"], {}] for oid in actors]))
    assert caught.value.code == "BUDGET_EXCEEDED"
