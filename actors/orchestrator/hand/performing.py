"""What a person does to the world by hand, as the thought of a mandate: it reads and writes in the overlay like any other."""

from __future__ import annotations

from actors.orchestrator.hand import changing, confirming, defining, reverting, settling
from actors.orchestrator.hand.bundles import importing
from actors.orchestrator.hand.undoing import rewind, undo
from actors.orchestrator.lineage import forgetting
from actors.orchestrator.thinking.asks import Thinking
from actors.orchestrator.thinking.thought import Thought
from protocol.codec import Value
from protocol.messages import (
    Accept,
    Confirm,
    Define,
    Drop,
    ForgetDerived,
    ImportBundle,
    Reject,
    Rename,
    Revert,
    Rewind,
    SetSlots,
    Undo,
)
from protocol.messages.hand import Hand


def perform(thought: Thought, hand: Hand) -> Thinking[Value]:
    """Carry out `hand`; its reply as a plain value, without a transaction as yet."""
    match hand:
        case Define():
            return (yield from defining.define(thought, hand))
        case Confirm():
            return (yield from confirming.confirm(thought, hand))
        case SetSlots():
            return changing.set_slots(thought, hand)
        case Drop():
            return (yield from changing.drop(thought, hand))
        case Rename():
            return changing.rename(thought, hand)
        case Revert():
            return (yield from reverting.revert(thought, hand))
        case ImportBundle():
            return (yield from importing.take_in(thought, hand))
        case Accept():
            return (yield from settling.accept(thought, hand))
        case Reject():
            return settling.reject(thought, hand)
        case ForgetDerived():
            return forgetting.forget_derived(thought, hand)
        case Undo():
            return (yield from undo.undo(thought, hand))
        case Rewind():
            return (yield from rewind.rewind(thought, hand))
