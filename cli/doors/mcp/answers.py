"""What tools give where the protocol's own reply is not what an agent wants to read."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from cli.calls.asking import Citation
from protocol.codec import Value
from protocol.messages import Doubt, MandateReply, MethodMade, Proposal, ProposalsReply


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """How a message ended. `result` is what the method returned. `tid` is the commit. What there is none of is left out.

    `state` is COMPLETE, or PROPOSED: then the method waits for the user's word under the id `proposal`. `doubts` are inputs on
    which other methods that hold the examples answer differently.
    """

    mandate: str
    state: str
    result: Value = None
    synthesized: bool = False
    cycle: str | UnsetType = UNSET
    method: MethodMade | UnsetType = UNSET
    proposal: str | UnsetType = UNSET
    doubts: list[Doubt] | UnsetType = UNSET
    tid: str | UnsetType = UNSET


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A page of proposals."""

    proposals: list[Proposal]
    next: str | None = None


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """An answer. `text` has a mark at each sentence, and beneath them the passages; `answer` is the text alone."""

    mandate: str
    state: str
    text: str
    answer: str | None = None
    refused: bool = False
    way: str | None = None
    citations: list[Citation] = []
    sources: list[dict[str, Any]] = []
    unknown: list[str] = []
    thread: str | None = None
    proposal: str | None = None
    tid: str | None = None


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """The document that is forgotten, all parts of it."""

    doc_id: str
    chunks: int
    tid: str


def sent_of(reply: MandateReply) -> Sent:
    """A message's end, without what only a learning tells."""
    doubts = reply.learned.doubts if reply.learned is not None else []
    return Sent(
        mandate=reply.mandate,
        state=reply.state,
        result=reply.result,
        synthesized=reply.synthesized,
        cycle=reply.cycle or UNSET,
        method=reply.method or UNSET,
        proposal=reply.proposal or UNSET,
        doubts=doubts or UNSET,
        tid=reply.tid or UNSET,
    )


def waiting_of(reply: ProposalsReply) -> Waiting:
    return Waiting(proposals=reply.proposals, next=reply.next)
