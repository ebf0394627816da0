"""What a mandate has left to spend: the primitive `budget_`."""

from __future__ import annotations

from actors.orchestrator.thinking.asks import Left, Thinking
from actors.orchestrator.thinking.thought import Sender
from protocol.codec import Value


def left(sender: Sender) -> Thinking[Value]:
    """{"seconds", "tokens"} that are left of the mandate's."""
    thought = sender.thought
    seconds: float = yield Left(path=sender.path)
    return {"seconds": seconds, "tokens": max(0, thought.limits.tokens - thought.ledger.tokens)}
