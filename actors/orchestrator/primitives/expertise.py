"""Experts: the primitives `activate_expert_` and `prefetch_`, and the seed's `load_adapter`, `set_adapter`, `delete_adapter`.

Rows choose their expert by name, and without one the base model speaks, so there is no adapter that is set for all. To
set one means that the rows that name it next find it on the device.
"""

from __future__ import annotations

from actors.orchestrator.primitives import arguments
from actors.orchestrator.thinking.asks import Thinking, call
from actors.orchestrator.thinking.thought import Sender
from protocol import verbs
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.messages import Activate, Evict, Prefetch


def activate_expert(sender: Sender, name: Value) -> Thinking[Value]:
    """Bring an expert to the device; whether it is there now. What keeps it from there is raised."""
    request = Activate(name=arguments.text(name, "name"))
    reply = yield from call(verbs.ACTIVATE, request, path=sender.path, keep=False)
    return reply.expert.tier == "hot"


def prefetch(sender: Sender, names: Value) -> Thinking[Value]:
    """Say which experts this cycle is going to use, in which order; nobody waits until they are there."""
    if not isinstance(names, list):
        raise BatosError("METHOD_FAILED", f"prefetch_: experts are a list of names, not a {type(names).__name__}")
    request = Prefetch(plan=sender.thought.cycle or "", experts=[arguments.text(name, "name") for name in names])
    yield from call(verbs.PREFETCH, request, path=sender.path, keep=False)
    return None


def delete_adapter(sender: Sender, name: Value) -> Thinking[Value]:
    """Free an expert's slot and its memory, never the world's copy; whether it is cold now. BUSY where it is pinned."""
    request = Evict(name=arguments.text(name, "name"))
    reply = yield from call(verbs.EVICT, request, path=sender.path, keep=False)
    return reply.expert.tier == "cold"
