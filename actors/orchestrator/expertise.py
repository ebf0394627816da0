"""Experts: the primitives `activate_expert_`, and the seed's `load_adapter`, `set_adapter`, `delete_adapter`.

Rows choose their expert by name, and without one the base model speaks, so there is no adapter that is set for all. To
set one means that the rows that name it next find it on the device.
"""

from __future__ import annotations

from actors.orchestrator import arguments
from actors.orchestrator.asks import Call, Thinking
from actors.orchestrator.thought import Thought
from protocol.codec import Value
from protocol.messages import Activate, Evict, ExpertReply


def activate_expert(thought: Thought, receiver: str, path: str, name: Value) -> Thinking[Value]:
    """Bring an expert to the device; whether it is there now. What keeps it from there is raised."""
    request = Activate(name=arguments.text(name, "name"))
    reply: ExpertReply = yield Call(path=path, service="inference", verb="activate", request=request, keep=False)
    return reply.expert.tier == "hot"


def delete_adapter(thought: Thought, receiver: str, path: str, name: Value) -> Thinking[Value]:
    """Free an expert's slot and its memory, never the world's copy; whether it is cold now. BUSY where it is pinned."""
    request = Evict(name=arguments.text(name, "name"))
    reply: ExpertReply = yield Call(path=path, service="inference", verb="evict", request=request, keep=False)
    return reply.expert.tier == "cold"
