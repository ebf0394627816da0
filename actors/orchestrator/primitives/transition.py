"""From state to state: the primitives `become_` and `doom_`."""

from __future__ import annotations

from actors.orchestrator.primitives import arguments
from actors.orchestrator.thinking.asks import Thinking
from actors.orchestrator.thinking.thought import Doomed, Thought
from protocol.codec import Value
from protocol.errors import BatosError


def become(thought: Thought, receiver: str, path: str, name: Value) -> Thinking[Value]:
    """Enter the state `name`: the context's `synthesis_state*` becomes that prototype."""
    running = arguments.running(thought, receiver)
    states = thought.overlay.own(thought.overlay.root_oid("psm_prototypes_obj"))
    if name not in states:
        raise BatosError("METHOD_FAILED", f"become_: there is no state {name!r}, only {', '.join(states)}")
    yield from ()
    thought.overlay.write(running.context, {"synthesis_state*": states[name]})
    return None


def doom(thought: Thought, receiver: str, path: str, error: Value) -> Thinking[Value]:
    """End the cycle badly; nothing of it is published."""
    running = arguments.running(thought, receiver)
    yield from ()
    code = "CYCLE_FAILED" if running.is_question else "NOT_SYNTHESIZED"
    raise Doomed(code, f"{running.selector}: {error}", "See `batos cycle show`.", cycle=running.cycle)
