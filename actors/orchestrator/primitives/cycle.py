"""A cycle: one run of the Prototypal State Machine, for a message that nobody understands, or for a question.

The machine itself stands in the world: six state prototypes, whose `_process_synthesis_` is method source like any
other. What is left here is the loop that sends that message until the context has reached COMPLETE or FAILED, and the
guards that no source may replace: depth, repetition, and that a cycle answers what it was started for.

A cycle within a mandate shares the mandate's overlay and its one transaction: the method it installs, the answer to
the original message and whatever else the mandate changed are published together, or not at all.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import Final

import msgspec

from actors.orchestrator.journal.told import named_in
from actors.orchestrator.primitives.recollection import sourced
from actors.orchestrator.thinking import consent
from actors.orchestrator.thinking.asks import Begin, Chosen, Ended, Entered, Thinking
from actors.orchestrator.thinking.interpreter import send
from actors.orchestrator.thinking.overlay import Draft, Memo
from actors.orchestrator.thinking.surroundings import objects_in_reach, understood
from actors.orchestrator.thinking.thought import (
    MAX_CYCLE_DEPTH,
    Contract,
    Doomed,
    Message,
    Proposed,
    RunningCycle,
    Sender,
    Thought,
)
from protocol import codec
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.examples import example_value
from protocol.messages import Learned, MethodMade
from world.method import UvmMethod

MAX_TRANSITIONS: Final = 16
"""A machine that has not ended after this many states never will."""


class Unhandled(msgspec.Struct, frozen=True):
    """A mission: the message that the object `target` did not understand."""

    target: str
    selector: str
    args: list[Value]
    kwargs: dict[str, Value]


class Question(msgspec.Struct, frozen=True):
    """A mission: what was asked of the mind itself."""

    target: str
    selector: str
    query: str
    manner: dict[str, Value] = {}
    """How it is to be answered, as the mission states it: `way`, `turns`, `answers`."""


def think(sender: Sender, command: Value) -> Thinking[Value]:
    """The primitive `_orc_start_cognitive_cycle_`: run a cycle for the reified `command`, and answer it.

    For a message that was not understood, the cycle ends with a method, and the answer is the method's; for a question
    the cycle ends with the answer itself, {"answer", "facets", "sources"}. Proposed where the method may only be proposed.
    """
    thought, path = sender.thought, sender.path
    brief = _unpacked(sender.receiver, command)
    if len(thought.chain) >= MAX_CYCLE_DEPTH:
        raise BatosError("CYCLE_REPEATS", f"a chain of over {MAX_CYCLE_DEPTH} cycles, each caused by the one before")
    if any((running.target, running.selector) == (brief.target, brief.selector) for running in thought.chain):
        raise BatosError("CYCLE_REPEATS", f"the cycle for {brief.selector} has caused itself")
    if isinstance(brief, Unhandled):
        consent.check(thought, brief.target, brief.selector, [brief.args, brief.kwargs])
    cycle = cycle_id(thought.mandate, path)
    thought.ledger.begun.append(cycle)
    context = yield from _begin(thought, cycle, brief, path)
    running = RunningCycle(
        cycle=cycle,
        context=context,
        target=brief.target,
        selector=brief.selector,
        is_question=isinstance(brief, Question),
    )
    thought.chain.append(running)
    try:
        yield from _process(thought, running, path)
        if isinstance(brief, Question):
            return _answer(thought, running, brief)
        learned = _learned(thought, running)
        passes = consent.is_passing(thought, brief.target, brief.selector)
        is_installed = learned.installed and running.draft is None and not passes
        yield Chosen(cycle=cycle, sha256=learned.sha256, is_installed=is_installed)
    except Proposed:
        raise  # of a cycle within this one, which says all that is to be said
    except BatosError as error:
        yield Ended(cycle=cycle, code=error.code, message=error.message)
        if isinstance(error, Doomed):
            raise BatosError(error.code, error.message, error.hint, **error.data) from error
        raise
    finally:
        thought.chain.pop()
    if running.draft is not None:
        raise _proposed(thought, running, running.draft, learned, brief)
    contract = thought.contracts.get((brief.target, brief.selector))
    if contract is None or contract.learn is None:
        try:
            return (yield from _send_again(thought, running, brief, learned, path))
        except Proposed:
            yield Chosen(cycle=cycle, sha256=learned.sha256, is_installed=False)
            raise
    thought.ledger.made = _made(running, learned)
    thought.ledger.learned = learned
    return None


def _learned(thought: Thought, running: RunningCycle) -> Learned:
    """What the cycle has left in its context's slot `learned`."""
    found = thought.overlay.own(running.context).get("learned")
    if found is None:
        raise BatosError(
            "CYCLE_FAILED", f"the cycle came to COMPLETE without a method for {running.selector}", cycle=running.cycle
        )
    contract = thought.contracts.get((running.target, running.selector))
    return msgspec.structs.replace(codec.convert(found, Learned), replaced=contract.replaced if contract else [])


def _made(running: RunningCycle, learned: Learned) -> MethodMade:
    return MethodMade(
        selector=running.selector,
        sha256=learned.sha256,
        attempts=running.attempts,
        source=learned.source,
        origin=learned.origin,
    )


def _proposed(thought: Thought, running: RunningCycle, draft: Draft, learned: Learned, brief: Unhandled) -> Proposed:
    """The end of a mandate whose method is not to stand without its user's word."""
    learned = msgspec.structs.replace(learned, installed=False, reason=consent.REASON)
    offer = consent.offered(thought, running, draft, {"args": brief.args, "kwargs": brief.kwargs})
    return Proposed(offer.id, _made(running, learned), learned, offer)


def _send_again(
    thought: Thought, running: RunningCycle, brief: Unhandled, learned: Learned, path: str
) -> Thinking[Value]:
    """The original message, which the cycle's method now understands."""
    place = thought.overlay.lookup(brief.target, brief.selector)
    if place is None or not isinstance(place.value, (Draft, UvmMethod)):
        raise BatosError(
            "CYCLE_FAILED", f"the cycle came to COMPLETE without a method for {brief.selector}", cycle=running.cycle
        )
    message = Message(brief.selector, brief.args, brief.kwargs)
    answer = yield from send(thought, brief.target, message, f"{path}.answer")
    # After the answer, which may have caused cycles of its own: the outermost cycle has the last word.
    thought.ledger.made = _made(running, learned)
    thought.ledger.learned = learned
    return answer


def _answer(thought: Thought, running: RunningCycle, brief: Question) -> Value:
    """What the cycle has left in its context's slot `answer`; memory is to have it too."""
    answer = thought.overlay.own(running.context).get("answer")
    if not isinstance(answer, dict) or not isinstance(answer.get("answer"), str):
        raise BatosError("CYCLE_FAILED", "the cycle came to COMPLETE without an answer", cycle=running.cycle)
    if answer.get("refused"):
        return answer  # there is nothing to be remembered of it
    metadata: dict[str, Value] = {
        "kind": "answer",
        "question": brief.query,
        "cycle": running.cycle,
        "mandate": thought.mandate,
    }
    # What the machine's states name as sources is what the answer is made from; of all that was told, most was left aside.
    told = named_in(answer) if "sources" in answer else thought.ledger.told
    said = f"{brief.query}\n\n{answer['answer']}"
    thought.overlay.remember(Memo(f"answer:{running.cycle}", said, sourced(metadata, told)))
    return answer


def _begin(thought: Thought, cycle: str, brief: Unhandled | Question, path: str) -> Thinking[str]:
    """The cycle's context, in the world for everybody to see, and in the overlay to work with."""
    overlay = thought.overlay
    data = _asked(thought, brief) if isinstance(brief, Question) else _unhandled(thought, brief)
    data["codex"] = Ref(overlay.root_oid("codex_obj"))
    states = overlay.own(overlay.root_oid("psm_prototypes_obj"))
    context: Ref = yield Begin(
        cycle=cycle,
        path=path,
        target=Ref(brief.target),
        selector=brief.selector,
        slots=data,
        is_shared=isinstance(brief, Unhandled),
    )
    parents = {"synthesis_state*": states["IDLE"], "parent*": Ref(overlay.root_oid("cycle_traits"))}
    overlay.add({**parents, **data}, oid=context.oid, keep=False)
    return context.oid


def _asked(thought: Thought, brief: Question) -> dict[str, Value]:
    mission: dict[str, Value] = {**brief.manner, "type": "question", "query": brief.query}
    return {"mission_brief": mission, "target": Ref(brief.target), "seed": _seed([thought.seed, brief.query])}


def _unhandled(thought: Thought, brief: Unhandled) -> dict[str, Value]:
    contract = thought.contracts.get((brief.target, brief.selector)) or Contract([], [])
    slots = thought.overlay.visible(brief.target, kernel=False)
    examples = [example_value(example) for example in contract.examples]
    others = objects_in_reach(thought.overlay, brief.target, [slots, brief.args, brief.kwargs, examples])
    learn = contract.learn
    intent, previous = consent.asked(thought, brief.target, brief.selector)
    message: dict[str, Value] = {
        "selector": brief.selector,
        "parameters": _parameters(brief, contract),
        "args": brief.args,
        "kwargs": brief.kwargs,
        "slots": slots,
        "examples": examples,
        "selectors": understood(thought.overlay, brief.target, brief.selector),
        "objects": others,
        "names": _names(thought, [slots, brief.args, brief.kwargs, examples, others]),
        "seed": _seed([thought.seed, brief.selector, slots, examples, intent]),
        "intent": intent,
        "previous": previous,
        "is_standing": bool(contract.previous),
        "candidates": list(learn.candidates) if learn else [],
        "is_sent": learn is None,
        "is_dry": learn is not None and learn.dry_run,
        "is_strict": learn is not None and learn.strict,
        "form": thought.form,
        "form_tokens": thought.form_tokens,
    }
    mission: dict[str, Value] = {"type": "unhandled_message", "selector": brief.selector, "args": brief.args}
    if contract.intent:
        mission["intent_string"] = contract.intent
    return {"mission_brief": mission, "target": Ref(brief.target), "message": message}


def _process(thought: Thought, running: RunningCycle, path: str) -> Thinking[None]:
    """Send `_process_synthesis_` from state to state; the two last states are sent it once, then it is over."""
    for _ in range(MAX_TRANSITIONS):
        state = _state(thought, running.context)
        running.state = state
        yield Entered(cycle=running.cycle, state=state)
        yield from send(thought, running.context, Message("_process_synthesis_"), f"{path}.{state}")
        if state == "COMPLETE":
            return
        if state == "FAILED":
            raise BatosError("CYCLE_FAILED", "the cycle came to FAILED without a diagnosis", cycle=running.cycle)
        if _state(thought, running.context) == state:
            raise BatosError("CYCLE_FAILED", f"the state {state} did not lead to another one", cycle=running.cycle)
    raise BatosError("CYCLE_FAILED", f"no end after {MAX_TRANSITIONS} states", cycle=running.cycle)


def _state(thought: Thought, context: str) -> str:
    here = thought.overlay.own(context)["synthesis_state*"]
    states = thought.overlay.own(thought.overlay.root_oid("psm_prototypes_obj"))
    return next(name for name, state in states.items() if state == here)


def _unpacked(receiver: str, command: Value) -> Unhandled | Question:
    match command:
        case {"command": "initiate_cognitive_cycle", "target_oid": Ref() as target, "mission_brief": brief} if (
            target.oid == receiver
        ):
            match brief:
                case {"type": "unhandled_message", "selector": str(), "args": list(), "kwargs": dict()}:
                    return Unhandled(target.oid, brief["selector"], brief["args"], brief["kwargs"])
                case {"type": "question", "query": str() as query, **manner}:
                    return Question(target.oid, "ask_", query, {str(name): value for name, value in manner.items()})
    raise BatosError("METHOD_FAILED", "_orc_start_cognitive_cycle_: the command is not a message to this object")


def _parameters(brief: Unhandled, contract: Contract) -> list[str]:
    """The names that the method is to have: those that were given, else `arg1 …`, then the keywords.

    Where no message is sent, its examples tell how many there are.
    """
    given = contract.parameters
    places = max([len(brief.args), *(len(example.args) for example in contract.examples)])
    positional = [given[n] if n < len(given) else f"arg{n + 1}" for n in range(places)]
    rest = given[len(positional) :]
    return [*positional, *rest, *(name for name in brief.kwargs if name not in given)]


def _names(thought: Thought, value: Value) -> list[Value]:
    """[[reference, name], …] of the named objects that `value` refers to: a method in the jail cannot learn of a name."""
    found: dict[str, list[Value]] = {}  # by OID: many slots may refer to one object
    todo: list[Value] = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, Ref):
            with suppress(BatosError):  # whoever writes a reference by hand may refer to nothing
                found[item.oid] = [item, thought.overlay.name(item.oid)]
        elif isinstance(item, list):
            todo.extend(item)
        elif isinstance(item, dict):
            todo.extend(item.values())
    return [pair for pair in found.values() if pair[1]]


def _seed(parts: list[Value]) -> int:
    """A number that depends on the question alone, so that a fresh world repeats itself."""
    return int.from_bytes(hashlib.sha256(codec.encode(parts)).digest()[:6], "big")


def cycle_id(mandate: str, path: str) -> str:
    """A cycle's id: the same for the same mandate and place, so that a restart continues the cycle it began."""
    return "c" + hashlib.sha256(f"{mandate} {path}".encode()).hexdigest()[:20]
