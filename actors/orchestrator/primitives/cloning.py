"""Copies of objects: the primitives `clone_` and `_clone_persistent_`."""

from __future__ import annotations

from actors.orchestrator.thinking.asks import Thinking
from actors.orchestrator.thinking.thought import Sender
from protocol.codec import Value


def clone(sender: Sender) -> Thinking[Value]:
    """A copy of the receiver, by the rules of `UvmObject`; it is stored when the mandate is published."""
    yield from ()  # a generator like every primitive
    return sender.thought.overlay.clone(sender.receiver)
