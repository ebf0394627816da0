"""What a person does to the world by hand, as the thought of a mandate: it reads and writes in the overlay like any other."""

from __future__ import annotations

from actors.orchestrator.hand import defining
from actors.orchestrator.thinking.asks import Thinking
from actors.orchestrator.thinking.thought import Thought
from protocol.codec import Value
from protocol.messages import Define
from protocol.messages.hand import Hand


def perform(thought: Thought, hand: Hand) -> Thinking[Value]:
    """Carry out `hand`; its reply as a plain value, without a transaction as yet."""
    match hand:
        case Define():
            return defining.define(thought, hand)
    raise NotImplementedError
