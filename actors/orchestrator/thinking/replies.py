"""What a mandate is answered with, once its thought has come to its end: as yet without a transaction."""

from __future__ import annotations

import msgspec

from actors.orchestrator.journal.journal import MandateRow
from actors.orchestrator.thinking.overlay import Draft
from actors.orchestrator.thinking.thought import Proposed, Thought
from protocol.codec import Value
from protocol.messages import Mandate, MandateReply


def complete(thought: Thought, row: MandateRow, mandate: Mandate, result: Value) -> MandateReply:
    """With its result, and the method that was written for it where that is published, or was asked for itself."""
    drafts = [
        value.sha256
        for slots in thought.overlay.changes().slots.values()
        for value in slots.values()
        if isinstance(value, Draft)
    ]
    made, learned = thought.ledger.made, thought.ledger.learned
    is_published = made is not None and made.sha256 in drafts
    if not is_published and mandate.learn is None:
        made = learned = None
    return MandateReply(
        mandate=row.mandate,
        cycle=_first(thought),
        state="COMPLETE",
        result=result,
        synthesized=is_published,
        method=made,
        learned=learned,
    )


def proposed(thought: Thought, row: MandateRow, proposal: Proposed) -> MandateReply:
    """The end of a mandate that the user has the last word on: the overlay holds nothing now but the proposal."""
    if proposal.offer is not None:
        thought.overlay.offer(msgspec.structs.replace(proposal.offer, body=row.body))
    return MandateReply(
        mandate=row.mandate,
        cycle=_first(thought),
        state="PROPOSED",
        result=proposal.result,
        method=proposal.made,
        learned=proposal.learned,
        proposal=proposal.id,
    )


def _first(thought: Thought) -> str | None:
    return thought.ledger.begun[0] if thought.ledger.begun else None
