"""Sends and effects: who sees which change when, and what is left of it."""

from __future__ import annotations

import pytest

from actors.orchestrator.publish import Publication, is_empty, publish
from actors.orchestrator.thinking import interpreter
from actors.orchestrator.thinking.asks import RemoteCall
from actors.orchestrator.thinking.interpreter import send
from actors.orchestrator.thinking.thought import Message
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.messages import Done, Effect, Failed, Resume, Run
from protocol.messages import Send as Sent


def effect(run, selector, *, to=None, changed=None, args=(), kind="send"):
    """The effect at the place that the run has come to."""
    sent = Sent(kind=kind, receiver=to or run.receiver, selector=selector, args=list(args))
    return Effect(n=len(run.answers), send=sent, digest=f"digest {len(run.answers)}", changed=changed or {})


def slots_of(thought, oid):
    return {name: value for name, value in thought.overlay.own(oid).items() if not name.endswith("*")}


def test_a_method_changes_its_receiver(script, make, think):
    counter = make("counter", count=1, methods=["up_"])
    script.methods["up_"] = lambda run: Done(result=2, changed={"count": run.slots["count"] + 1}, signalled=True)
    thought = think()
    assert script.drive(send(thought, counter, Message("up_"), "m")) == 2
    assert slots_of(thought, counter)["count"] == 2


def test_a_delegated_method_runs_with_the_original_receiver(script, make, think):
    parent = make("parent", methods=["up_"], count=10, step=5)
    child = make("child", parent=parent, count=1)
    script.methods["up_"] = lambda run: Done(changed={"count": run.slots["count"] + run.slots["step"]}, signalled=True)
    thought = think()
    script.drive(send(thought, child, Message("up_"), "m"))
    assert slots_of(thought, child)["count"] == 6
    assert slots_of(thought, parent)["count"] == 10


def test_unfinished_changes_are_visible_to_the_nested_send_and_its_changes_to_the_method(script, make, think):
    here = make("here", a=1, b=1, methods=["outer_", "inner_"])
    seen = []

    def outer(run):
        if not run.answers:
            return effect(run, "inner_", changed={"a": 2})
        seen.append(run.answers[0])
        return Done(changed={"a": 2}, signalled=True)

    def inner(run):
        assert run.slots == {"a": 2, "b": 1}
        return Done(result="r", changed={"b": run.slots["a"] + 40}, signalled=True)

    script.methods.update(outer_=outer, inner_=inner)
    thought = think()
    script.drive(send(thought, here, Message("outer_"), "m"))
    assert slots_of(thought, here) == slots_of(thought, here) | {"a": 2, "b": 42}
    assert (seen[0].value, seen[0].changed, seen[0].removed) == ("r", {"b": 42}, [])


def test_what_was_unfinished_and_taken_back_is_not_written(script, make, think):
    here = make("here", a=1, methods=["outer_", "inner_"])
    script.methods["outer_"] = lambda run: Done() if run.answers else effect(run, "inner_", changed={"a": 9})
    script.methods["inner_"] = lambda _: Done()
    thought = think()
    script.drive(send(thought, here, Message("outer_"), "m"))
    assert slots_of(thought, here)["a"] == 1


def test_a_failed_send_is_rolled_back_and_raises_in_its_caller(script, make, think):
    here = make("here", a=1, methods=["outer_", "middle_", "inner_"])

    def outer(run):
        if not run.answers:
            return effect(run, "middle_")
        assert run.answers[0].error.code == "METHOD_FAILED"
        return Done(result="caught", changed={"c": 3}, signalled=True)

    def middle(run):
        if not run.answers:
            return effect(run, "inner_")
        return Failed(code="METHOD_FAILED", error="ValueError", message="no", line=3)

    script.methods.update(outer_=outer, middle_=middle)
    script.methods["inner_"] = lambda _: Done(changed={"a": 2}, signalled=True)
    thought = think()
    assert script.drive(send(thought, here, Message("outer_"), "m")) == "caught"
    assert slots_of(thought, here)["a"] == 1
    assert slots_of(thought, here)["c"] == 3


def test_a_failure_names_selector_line_and_error(script, make, think):
    here = make("here", methods=["bad_"])
    script.methods["bad_"] = lambda _: Failed(code="METHOD_FAILED", error="KeyError", message="'x'", line=2)
    thought = think()
    with pytest.raises(BatosError, match="bad_ at line 2: KeyError: 'x'") as caught:
        script.drive(send(thought, here, Message("bad_"), "m"))
    assert caught.value.data["line"] == 2
    assert is_empty(thought.overlay.changes())


def test_another_object_is_read_by_an_effect(script, make, think):
    other = make("other", width=7)
    here = make("here", other=None, methods=["look_"])

    def look(run):
        if not run.answers:
            return effect(run, "width", to=Ref(other), kind="read")
        return Done(result=run.answers[0].value)

    script.methods["look_"] = look
    assert script.drive(send(think(), here, Message("look_"), "m")) == 7


@pytest.mark.parametrize("slot", ["parent*", "_tmp_synthesis_data", "missing", "look_"])
def test_what_is_no_data_slot_cannot_be_read(script, make, think, slot):
    other = make("other", methods=["look_"])
    here = make("here", methods=["look_"])

    def look(run):
        if not run.answers:
            return effect(run, slot, to=Ref(other), kind="read")
        return Done(result=run.answers[0].error.code)

    script.methods["look_"] = look
    assert script.drive(send(think(), here, Message("look_"), "m")) == "METHOD_FAILED"


def test_the_same_replay_gets_the_same_first_snapshot(script, make, think):
    here = make("here", a=1, methods=["outer_", "inner_"])
    snapshots = []

    def outer(run):
        snapshots.append(dict(run.slots))
        return Done() if len(run.answers) == 3 else effect(run, "inner_")

    script.methods["outer_"] = outer
    script.methods["inner_"] = lambda run: Done(changed={"a": run.slots["a"] + 1}, signalled=True)
    thought = think()
    script.drive(send(thought, here, Message("outer_"), "m"))
    assert snapshots == [{"a": 1}] * 4
    assert slots_of(thought, here)["a"] == 4


def test_a_send_in_a_loop_without_end_exhausts_its_budget(script, make, think):
    here = make("here", methods=["outer_", "inner_"])
    script.methods["outer_"] = lambda run: effect(run, "inner_")
    script.methods["inner_"] = lambda _: Done()
    with pytest.raises(BatosError, match="performed 10 sends"):
        script.drive(send(think(effects=10), here, Message("outer_"), "m"))


def test_a_send_that_sends_itself_without_end_is_too_deep(script, make, think):
    here = make("here", methods=["again_"])
    script.methods["again_"] = lambda run: effect(run, "again_")
    with pytest.raises(BatosError, match="deeper than 8"):
        script.drive(send(think(depth=8), here, Message("again_"), "m"))


def test_an_inherited_slot_cannot_be_deleted_from_the_heir(script, make, think):
    parent = make("parent", x=1)
    child = make("child", parent=parent, y=1, methods=["drop_"])
    script.methods["drop_"] = lambda _: Done(removed=["y"], signalled=True)
    thought = think()
    script.drive(send(thought, child, Message("drop_"), "m"))
    assert "y" not in slots_of(thought, child)
    script.methods["drop_"] = lambda _: Done(removed=["x"], signalled=True)
    with pytest.raises(BatosError, match="'x' is inherited"):
        script.drive(send(think(), child, Message("drop_"), "m"))


def test_a_clone_is_an_object_before_it_is_stored_and_the_same_one_after(script, make, think, db, stored):
    make("friend")
    here = make("here", items=[1, [2]], methods=["twin_"])

    def twin(run):
        if not run.answers:
            return effect(run, "clone_")
        return Done(changed={"twin": run.answers[0].value}, result=run.answers[0].value, signalled=True)

    script.methods["twin_"] = twin
    thought = think()
    made = script.drive(send(thought, here, Message("twin_"), "m"))
    assert thought.overlay.visible(made.oid, kernel=False) == {"items": [1, [2]]}
    publication = Publication(
        mandate="m1",
        selector="twin_",
        changes=thought.overlay.changes(),
        reads=thought.overlay.reads,
        cycles=[],
        reply=b"",
        finished=[],
    )
    publish(db, publication)
    twin = stored("here")["twin"]
    assert twin._p_oid.hex() == made.oid
    assert twin._name is None


def test_a_wrong_call_of_a_primitive_is_the_methods_failure(script, make, think):
    here = make("here")
    with pytest.raises(BatosError, match="infer_: missing a required argument: 'query'"):
        script.drive(send(think(), here, Message("infer_"), "m"))


@pytest.mark.parametrize(
    ("kwargs", "problem"),
    [
        ({"query": 3}, "a str or a list of turns"),
        ({"query": [3]}, "not a valid Row"),
        ({"query": "q", "n": 0}, "n must be 1 to 64"),
        ({"query": "q", "n": 2, "sampling": [{}]}, "1 samplings for 2 texts"),
        ({"query": "q", "seed": "x"}, "seed must be an int"),
        ({"query": "q", "max_tokens": "many"}, "not a valid Row"),
    ],
)
def test_a_senseless_question_to_the_model_is_the_methods_failure(script, make, think, kwargs, problem):
    here = make("here")
    with pytest.raises(BatosError, match=problem) as caught:
        script.drive(send(think(), here, Message("infer_", [], kwargs), "m"))
    assert caught.value.code == "METHOD_FAILED"


def test_a_primitive_of_cycles_refuses_who_is_no_context(script, make, think, db):
    from world.store import snapshot
    from world.values import oid_of

    with snapshot(db) as connection:
        state = oid_of(connection.root()["psm_prototypes_obj"].IDLE)
    with pytest.raises(BatosError, match="only the context of a running cycle"):
        script.drive(send(think(), state, Message("become_", ["COMPLETE"]), "m"))


def test_kernel_source_is_kernel_and_the_users_is_not(script, make, think):
    here = make("here", methods=["mine_"])
    script.methods["mine_"] = lambda _: Done()
    script.drive(send(think(), here, Message("mine_"), "m"))
    run = next(ask.request for ask in script.asked if isinstance(ask, RemoteCall))
    assert run.kernel is False


def test_an_object_without_the_kernels_parents_understands_nothing_else(script, make, think, db):
    from world.store import commit
    from world.uvm import UvmObject
    from world.values import oid_of

    with commit(db, user="test", description="orphan") as connection:
        orphan = UvmObject("orphan")
        connection.add(orphan)
        connection.root()["objects"]["orphan"] = orphan
        oid = oid_of(orphan)
    with pytest.raises(BatosError, match="inherits no _doesNotUnderstand_"):
        script.drive(send(think(), oid, Message("area_"), "m"))


# Runs that wait -------------------------------------------------------------------------------------------------


def asked_of(script, source):
    """What the guardian was asked for runs of `source`: the number of answers of a run, or that of a resumed one."""
    told = []
    for ask in script.asked:
        request = getattr(ask, "request", None)
        if isinstance(request, Run) and request.source == source:
            told.append(("run", len(request.answers)))
        elif isinstance(request, Resume):
            told.append(("resume", request.answer.value))
    return told


def three(run):
    """Three sends, each of which changes the receiver, and the sum of what came."""
    if len(run.answers) < 3:
        return effect(run, "inner_", changed={"mine": len(run.answers)})
    return Done(result=[answer.value for answer in run.answers], changed={"mine": 3}, signalled=True)


@pytest.mark.parametrize(
    ("loses", "asked"),
    [
        (set(), [("run", 0), ("resume", 1), ("resume", 2), ("resume", 3)]),
        ({1}, [("run", 0), ("resume", 1), ("resume", 2), ("run", 2), ("resume", 3)]),
        ({0, 1, 2}, [("run", 0), ("resume", 1), ("run", 1), ("resume", 2), ("run", 2), ("resume", 3), ("run", 3)]),
    ],
)
def test_a_run_that_waits_is_gone_on_with_and_a_lost_one_run_again(script, make, think, loses, asked):
    here = make("here", a=0, methods=["outer_", "inner_"])
    script.methods["outer_"] = three
    script.methods["inner_"] = lambda run: Done(
        result=run.slots["a"] + 1, changed={"a": run.slots["a"] + 1}, signalled=True
    )
    script.keeps, script.loses = True, loses
    thought = think()
    assert script.drive(send(thought, here, Message("outer_"), "m")) == [1, 2, 3]
    assert slots_of(thought, here) | {"a": 3, "mine": 3} == slots_of(thought, here)
    assert asked_of(script, "outer_") == asked


def test_without_one_that_waits_every_send_is_a_replay(script, make, think):
    here = make("here", methods=["outer_", "inner_"])
    script.methods.update(outer_=three, inner_=lambda _: Done(result=1))
    script.drive(send(think(), here, Message("outer_"), "m"))
    assert asked_of(script, "outer_") == [("run", n) for n in range(4)]


@pytest.mark.parametrize("keeps", [True, False])
def test_a_run_with_its_answers_must_fit_a_frame_whether_it_is_run_again_or_not(
    script, make, think, monkeypatch, keeps
):
    monkeypatch.setattr(interpreter, "MAX_RUN", 5000)
    here = make("here", methods=["outer_", "inner_"])
    script.methods["outer_"] = lambda run: Done() if len(run.answers) == 9 else effect(run, "inner_")
    script.methods["inner_"] = lambda _: Done(result="x" * 1000)
    script.keeps = keeps
    with pytest.raises(BatosError, match="the answers to its 5 sends come to") as caught:
        script.drive(send(think(), here, Message("outer_"), "m"))
    assert caught.value.code == "TOO_LARGE"


# What a send did to its sender ----------------------------------------------------------------------------------


def answer_of(script, make, think, change, **slots):
    """The answer to the one send of a method, whose nested one does `change` to other objects and to its own."""
    parent = make("above", inherited=1, deep=[1])
    here = make("here", parent=parent, a=1, methods=["outer_", "inner_"], **slots)
    seen = []

    def outer(run):
        if not run.answers:
            return effect(run, "inner_", changed={"mine": 1})
        seen.append(run.answers[0])
        return Done(changed={"mine": 1}, signalled=True)

    script.methods.update(outer_=outer, inner_=lambda _: change(thought, here, parent) or Done())
    thought = think()
    script.drive(send(thought, here, Message("outer_"), "m"))
    return seen[0]


@pytest.mark.parametrize(
    ("change", "did"),
    [
        (lambda t, here, parent: None, ({}, [])),
        (lambda t, here, parent: t.overlay.write(here, {"a": 1}), ({}, [])),
        (lambda t, here, parent: t.overlay.write(here, {"a": True}), ({"a": True}, [])),
        (lambda t, here, parent: t.overlay.write(parent, {"inherited": 2}), ({"inherited": 2}, [])),
        (lambda t, here, parent: t.overlay.write(parent, {}, ["deep"]), ({}, ["deep"])),
        (lambda t, here, parent: t.overlay.write(here, {"inherited": 5}, ["a"]), ({"inherited": 5}, ["a"])),
        (lambda t, here, parent: t.overlay.write(here, {"parent*": None}), ({}, ["inherited", "deep"])),
        (lambda t, here, parent: t.overlay.add({"a": 2, "inherited": 2}) and None, ({}, [])),
    ],
)
def test_the_answer_says_what_the_send_did_to_what_the_method_sees(script, make, think, change, did):
    answer = answer_of(script, make, think, change)
    assert (answer.changed, answer.removed) == did


def test_a_change_that_cannot_be_written_leaves_no_layer_behind(script, make, think):
    parent = make("parent", x=1)
    child = make("child", parent=parent, methods=["outer_", "drop_"])
    send_ = Sent(kind="send", receiver=Ref(child), selector="drop_")

    def drop(run):
        return Effect(n=0, send=send_, digest="d", removed=["x"]) if not run.answers else Done()

    def outer(run):
        if not run.answers:
            return effect(run, "drop_", changed={"mine": 1})
        return Done(result=run.answers[0].error.code, changed={"mine": 1}, signalled=True)

    script.methods.update(outer_=outer, drop_=drop)
    thought = think()
    assert script.drive(send(thought, child, Message("outer_"), "m")) == "METHOD_FAILED"
    assert thought.overlay.changes().slots == {child: {"mine": 1}}
