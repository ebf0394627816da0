"""What a mandate has left to spend: the primitive `budget_`."""

from __future__ import annotations

from actors.orchestrator.thinking.asks import Thinking
from actors.orchestrator.thinking.thought import Sender
from protocol.codec import Value


def left(sender: Sender) -> Thinking[Value]:
    """{"seconds", "tokens"} that are left of the mandate's."""
    thought = sender.thought
    yield from ()
    return {"seconds": thought.deadline.left(), "tokens": max(0, thought.limits.tokens - thought.ledger.tokens)}
