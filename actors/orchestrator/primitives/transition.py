"""From state to state: the primitives `become_` and `doom_`."""

from __future__ import annotations

from actors.orchestrator.thinking.asks import Thinking
from actors.orchestrator.thinking.thought import Doomed, Sender
from protocol.codec import Value
from protocol.errors import BatosError


def become(sender: Sender, name: Value) -> Thinking[Value]:
    """Enter the state `name`: the context's `synthesis_state*` becomes that prototype."""
    running = sender.running()
    states = sender.thought.overlay.own(sender.thought.overlay.root_oid("psm_prototypes_obj"))
    if name not in states:
        raise BatosError("METHOD_FAILED", f"become_: there is no state {name!r}, only {', '.join(states)}")
    yield from ()
    sender.thought.overlay.write(running.context, {"synthesis_state*": states[name]})
    return None


def doom(sender: Sender, error: Value) -> Thinking[Value]:
    """End the cycle badly; nothing of it is published."""
    running = sender.running()
    yield from ()
    code = "CYCLE_FAILED" if running.is_question else "NOT_SYNTHESIZED"
    raise Doomed(
        code, f"{running.selector}: {error}", f"See `batos cycle show {running.cycle[:8]}`.", cycle=running.cycle
    )
