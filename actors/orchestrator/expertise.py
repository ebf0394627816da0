"""Experts: the primitive `activate_expert_`."""

from __future__ import annotations

from actors.orchestrator import arguments
from actors.orchestrator.asks import Call, Thinking
from actors.orchestrator.thought import Thought
from protocol.codec import Value
from protocol.messages import Activate, ExpertReply


def activate_expert(thought: Thought, receiver: str, path: str, name: Value) -> Thinking[Value]:
    """Bring an expert to the device; whether it is there now. What keeps it from there is raised."""
    request = Activate(name=arguments.text(name, "name"))
    reply: ExpertReply = yield Call(path=path, service="inference", verb="activate", request=request, keep=False)
    return reply.expert.tier == "hot"
