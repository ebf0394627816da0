"""Trials of methods that send: a case that the guardian alone cannot bring to its end is driven here.

Such a case is a send like any other, through the interpreter, over a layer of the overlay that is dropped afterwards: the
candidate stands there on its receiver, and the example's slots over the receiver and the other objects that it names. So
whatever is understood may be sent to, and nothing lasts but what was read. What would leave the world is answered by the
example's replies, and nobody writes what is not understood: a trial causes no cycle.
"""

from __future__ import annotations

from typing import Final

import msgspec

from actors.orchestrator.thinking.asks import Thinking
from actors.orchestrator.thinking.interpreter import send
from actors.orchestrator.thinking.overlay import Draft, Overlay
from actors.orchestrator.thinking.thought import Message, Thought, Trialing, Untried
from protocol import codec
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.examples import compare, example_value, failed_case
from protocol.messages import Case, Done, Effect, Example, Failed, Outcome, Send, Trial, Tried
from world.method import UvmMethod

PERFORMED: Final = frozenset({"clone_", "_clone_persistent_", "send_all_"})
"""The primitives that change nothing but the overlay."""
MAX_FROZEN: Final = 32
MAX_FROZEN_BYTES: Final = 1 << 16
"""Of the other objects of one example: what is more stays as it is in the world, and can change there."""

Frozen = dict[str, Value]
"""Objects by name or OID, each {"slots": {...}}, as an example keeps them."""


class Driven(msgspec.Struct, frozen=True):
    """How a case came out: its slots before, its outcome, the other objects that were read, and what it could not get over."""

    slots: dict[str, Value]
    outcome: Outcome
    others: Frozen
    untried: Untried | None = None


def complete(
    thought: Thought, trial: Trial, tried: Tried, draft: Draft, path: str
) -> Thinking[tuple[Tried, dict[str, Frozen]]]:
    """`tried` with the cases driven in which the method sends, and the objects that they read, by the example's digest.

    Once a case has failed of anything else, nothing that follows is tried.
    """
    cases: list[Case] = list(tried.cases)
    others: dict[str, Frozen] = {}
    for n, example in enumerate(trial.examples[: len(cases)]):
        if cases[n].passed:
            continue
        if any(case.rule not in {"", "TRIAL_SEND"} for case in cases):
            return msgspec.structs.replace(tried, cases=cases), others
        driven = yield from drive(thought, trial, draft, example, f"{path}.case{n}")
        cases[n] = _case(example, driven)
        if cases[n].passed:
            others[digest_of(example)] = driven.others
            continue
        untried = failed_case("TRIAL_FAILED", f"it was not tried, since case {n + 1} failed")
        cases[n + 1 :] = [case if case.passed else untried for case in cases[n + 1 :]]
    tried = msgspec.structs.replace(tried, cases=cases)
    if isinstance(tried.outcome, Effect) and all(case.passed for case in cases):
        outcome = yield from _original(thought, trial, draft, tried.outcome, f"{path}.message")
        tried = msgspec.structs.replace(tried, outcome=outcome)
    return tried, others


def _case(example: Example, driven: Driven) -> Case:
    if driven.untried is not None:
        return failed_case("TRIAL_FAILED", driven.untried.message)
    return compare(example, driven.slots, driven.outcome)


def _original(thought: Thought, trial: Trial, draft: Draft, effect: Effect, path: str) -> Thinking[Outcome]:
    """The outcome of the original message. An `Effect` is that it asks for what nobody here can answer, in good form."""
    if not trial.examples and _leaves(thought.overlay, effect.send):
        return effect
    driven = yield from drive(thought, trial, draft, Example(args=trial.args, kwargs=trial.kwargs), path)
    untried = driven.untried
    if untried is None:
        return driven.outcome
    may_ask = untried.reason == Untried.NO_REPLY or (untried.reason == Untried.NOBODY and not trial.examples)
    if not may_ask:
        return Failed(code=untried.code, error=untried.code, message=untried.message)
    selector, receiver = untried.sent
    return Effect(n=0, send=Send(kind="send", receiver=Ref(receiver), selector=selector), digest="")


def _leaves(overlay: Overlay, sent: Send) -> bool:
    """Whether a send leaves the world at once."""
    place = overlay.lookup(sent.receiver.oid, sent.selector) if sent.kind == "send" else None
    verb = place.value.primitive if place is not None and isinstance(place.value, UvmMethod) else None
    return verb is not None and verb not in PERFORMED


def drive(thought: Thought, trial: Trial, draft: Draft, example: Example, path: str) -> Thinking[Driven]:
    """Try `draft` on one example; the overlay and the thought are afterwards as they were."""
    overlay, oid = thought.overlay, trial.receiver.oid
    before = thought.trial, thought.onward, thought.guesses
    trialing = Trialing(PERFORMED, example.replies, trial.seconds)
    slots: dict[str, Value] = {}
    mark = overlay.push()
    try:
        _lay(overlay, oid, draft, example)
        slots = overlay.visible(oid, kernel=trial.kernel)
        overlay.push()
        thought.trial, thought.onward = trialing, None
        result = yield from send(thought, oid, Message(draft.selector, example.args, example.kwargs), path)
        outcome = _outcome(overlay, trial, slots, result)
        made = overlay.drop().fresh
        read = [other for other in trialing.seen if other != oid and other not in made]
        return Driven(slots, outcome, _others(overlay, read))
    except Untried as untried:
        return Driven(slots, _failed(untried), {}, untried)
    except BatosError as error:
        if error.is_fatal:
            raise
        return Driven(slots, _failed(error), {})
    finally:
        overlay.restore(mark)
        thought.trial, thought.onward, thought.guesses = before


def _lay(overlay: Overlay, oid: str, draft: Draft, example: Example) -> None:
    overlay.write(oid, {**example.slots, draft.selector: draft})
    for name, other in example.objects.items():
        overlay.write(overlay.find(name), other.slots)


def _outcome(overlay: Overlay, trial: Trial, before: dict[str, Value], result: Value) -> Done:
    after = overlay.visible(trial.receiver.oid, kernel=trial.kernel)
    changed = {name: value for name, value in after.items() if not _same(before, name, value)}
    return Done(
        result=told(overlay, result),
        changed={name: told(overlay, value) for name, value in changed.items()},
        removed=[name for name in before if name not in after],
    )


def told(overlay: Overlay, value: Value, depth: int = 0) -> Value:
    """What has come of a trial. An object that it has made, in the top layer, is told by its slots, since nothing of it is left."""
    if isinstance(value, Ref) and value.oid in overlay.made():
        seen = overlay.visible(value.oid, kernel=False) if depth < 1 else {}
        return {"a new object": told(overlay, seen, depth + 1)}
    if isinstance(value, list):
        return [told(overlay, item, depth) for item in value]
    if isinstance(value, dict):
        return {key: told(overlay, item, depth) for key, item in value.items()}
    return value


def _same(slots: dict[str, Value], name: str, value: Value) -> bool:
    return name in slots and codec.encode(slots[name]) == codec.encode(value)


def _others(overlay: Overlay, read: list[str]) -> Frozen:
    """The slots, before the message, of the other objects that it sent to or read, as an example keeps them."""
    found: Frozen = {}
    size = 0
    for oid in read:
        if overlay.is_kernel(oid):
            continue
        slots = overlay.visible(oid, kernel=False)
        size += len(codec.encode(slots))
        if len(found) == MAX_FROZEN or size > MAX_FROZEN_BYTES:
            break
        found[oid] = {"slots": slots}
    return found


def digest_of(example: Example) -> str:
    return codec.digest(example_value(example))


def frozen(overlay: Overlay, example: Example, slots: dict[str, Value], others: Frozen) -> Value:
    """The example as it is kept: with what its trial has read of the receiver (`slots`) and of other objects, as it stood there.

    So it asks for the same tomorrow, whatever becomes of them. Objects are kept by their OIDs, so that a contract outlives the
    renaming of one.
    """
    value: dict[str, Value] = example_value(example)
    if slots:
        value = {**value, "slots": {**slots, **value.get("slots", {})}}
    named = {overlay.find(name): laid for name, laid in value.get("objects", {}).items()}
    # What the example says of an object was laid over it in the trial, so what was read there has it too.
    joined = {**named, **others}
    return {**value, "objects": joined} if joined else value


def _failed(error: BatosError) -> Failed:
    """A failure as a run would tell it."""
    name = str(error.data.get("error") or error.code)
    _, found, told = error.message.partition(f"{name}: ")
    line = error.data.get("line")
    return Failed(
        code=error.code,
        error=name,
        message=told if found else error.message,
        line=line if isinstance(line, int) else 0,
    )
