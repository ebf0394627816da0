"""A cycle: one run of the Prototypal State Machine, for a message that its receiver does not understand.

The machine itself stands in the world: six state prototypes, whose `_process_synthesis_` is method source like any
other. What is left here is the loop that sends that message until the context has reached COMPLETE or FAILED, and the
guards that no source may replace: depth, repetition, and that a cycle answers the message that it was started for.

A cycle within a mandate shares the mandate's overlay and its one transaction: the method it installs, the answer to
the original message and whatever else the mandate changed are published together, or not at all.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from actors.orchestrator.asks import Begin, Ended, Entered, Thinking
from actors.orchestrator.interpreter import send
from actors.orchestrator.overlay import Draft
from actors.orchestrator.primitives import example_value
from actors.orchestrator.thought import MAX_CYCLE_DEPTH, Contract, Doomed, Message, RunningCycle, Thought
from protocol import codec
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.messages import MethodMade
from world.method import UvmMethod

MAX_TRANSITIONS: Final = 16
"""A machine that has not ended after this many states never will."""


def think(thought: Thought, receiver: str, path: str, command: Value) -> Thinking[Value]:
    """The primitive `_orc_start_cognitive_cycle_`: a method for the reified message `command`, then its answer."""
    target, message = _unpacked(receiver, command)
    selector = message["selector"]
    if len(thought.chain) >= MAX_CYCLE_DEPTH:
        raise BatosError("CYCLE_REPEATS", f"a chain of over {MAX_CYCLE_DEPTH} cycles, each caused by the one before")
    if any((running.target, running.selector) == (target, selector) for running in thought.chain):
        raise BatosError("CYCLE_REPEATS", f"the cycle for {selector} has caused itself")
    cycle = cycle_id(thought.mandate, path)
    thought.begun.append(cycle)
    context = yield from _begin(thought, cycle, target, message, path)
    running = RunningCycle(cycle=cycle, context=context, target=target, selector=selector)
    thought.chain.append(running)
    try:
        yield from _process(thought, running, path)
    except BatosError as error:
        yield Ended(cycle=cycle, code=error.code, message=error.message)
        if isinstance(error, Doomed):
            raise BatosError(error.code, error.message, error.hint, **error.data) from error
        raise
    finally:
        thought.chain.pop()
    place = thought.overlay.lookup(target, selector)
    if place is None or not isinstance(place.value, (Draft, UvmMethod)):
        raise BatosError("CYCLE_FAILED", f"the cycle came to COMPLETE without a method for {selector}", cycle=cycle)
    answer = yield from send(thought, target, Message(selector, message["args"], message["kwargs"]), f"{path}.answer")
    # After the answer, which may have caused cycles of its own: the outermost cycle has the last word.
    thought.made = MethodMade(selector=selector, sha256=place.value.sha256 or "", attempts=running.attempts)
    return answer


def _begin(thought: Thought, cycle: str, target: str, message: dict[str, Any], path: str) -> Thinking[str]:
    """The cycle's context, in the world for everybody to see, and in the overlay to work with."""
    overlay = thought.overlay
    contract = thought.contracts.get((target, message["selector"]))
    slots = overlay.visible(target, kernel=False)
    message = {
        "selector": message["selector"],
        "parameters": _parameters(message, contract),
        "args": message["args"],
        "kwargs": message["kwargs"],
        "slots": slots,
        "examples": [example_value(example) for example in contract.examples] if contract else [],
    }
    message["seed"] = _seed(thought.seed, message)
    brief = {"type": "unhandled_message", "selector": message["selector"], "args": message["args"]}
    data: dict[str, Value] = {"mission_brief": brief, "target": Ref(target), "message": message}
    states = overlay.own(overlay.root_oid("psm_prototypes_obj"))
    context: Ref = yield Begin(cycle=cycle, path=path, target=Ref(target), selector=message["selector"], slots=data)
    parents = {"synthesis_state*": states["IDLE"], "parent*": Ref(overlay.root_oid("cycle_traits"))}
    overlay.add({**parents, **data}, oid=context.oid, keep=False)
    return context.oid


def _process(thought: Thought, running: RunningCycle, path: str) -> Thinking[None]:
    """Send `_process_synthesis_` from state to state; the two last states are sent it once, then it is over."""
    for _ in range(MAX_TRANSITIONS):
        state = _state(thought, running.context)
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


def _unpacked(receiver: str, command: Value) -> tuple[str, dict[str, Any]]:
    match command:
        case {
            "command": "initiate_cognitive_cycle",
            "target_oid": Ref() as target,
            "mission_brief": {
                "type": "unhandled_message",
                "selector": str(),
                "args": list(),
                "kwargs": dict(),
            } as message,
        } if target.oid == receiver:
            return target.oid, message
    raise BatosError("METHOD_FAILED", "_orc_start_cognitive_cycle_: the command is not a message to this object")


def _parameters(message: dict[str, Any], contract: Contract | None) -> list[str]:
    """The names that the method is to have: those that were given, else `arg1 …`, then the keywords."""
    given = contract.parameters if contract else []
    positional = [given[n] if n < len(given) else f"arg{n + 1}" for n in range(len(message["args"]))]
    rest = given[len(positional) :]
    return [*positional, *rest, *(name for name in message["kwargs"] if name not in given)]


def _seed(seed: int, message: dict[str, Any]) -> int:
    """A number that depends on the question alone, so that a fresh world repeats itself."""
    parts = [seed, message["selector"], message["slots"], message["examples"]]
    return int.from_bytes(hashlib.sha256(codec.encode(parts)).digest()[:6], "big")


def cycle_id(mandate: str, path: str) -> str:
    """A cycle's id: the same for the same mandate and place, so that a restart continues the cycle it began."""
    return "c" + hashlib.sha256(f"{mandate} {path}".encode()).hexdigest()[:20]
