"""The whole list of verbs: a service answers those that stand here under its name, and no others."""

from __future__ import annotations

from typing import Final

import msgspec

from protocol.messages import (
    Activate,
    ActorStatus,
    Cancel,
    Cancelled,
    CatchUp,
    CaughtUp,
    Codex,
    CodexReply,
    Created,
    Cycles,
    CyclesReply,
    Event,
    Evict,
    ExpertReply,
    Experts,
    ExpertsReply,
    Found,
    Import,
    Index,
    Indexed,
    IndexProgress,
    Infer,
    Inferred,
    Judge,
    Look,
    Looked,
    Mandate,
    MandateReply,
    New,
    Pack,
    Packed,
    Piece,
    Prefetch,
    Ran,
    Rank,
    Ranked,
    Resume,
    Resumed,
    Run,
    Search,
    Source,
    SourceText,
    StatusQuery,
    Trial,
    Tried,
    Unindex,
    Unindexed,
    Verdict,
    Watch,
    Watched,
)


class Verb(msgspec.Struct, frozen=True, kw_only=True):
    request: type[msgspec.Struct]
    reply: type[msgspec.Struct]
    partial: type[msgspec.Struct] | None = None


_STATUS: Final = Verb(request=StatusQuery, reply=ActorStatus)

VERBS: Final[dict[str, dict[str, Verb]]] = {
    "orchestrator": {
        "mandate": Verb(request=Mandate, reply=MandateReply, partial=Event),
        "cancel": Verb(request=Cancel, reply=Cancelled),
        "cycles": Verb(request=Cycles, reply=CyclesReply),
        "watch": Verb(request=Watch, reply=Watched, partial=Event),
        "pack": Verb(request=Pack, reply=Packed),
        "codex": Verb(request=Codex, reply=CodexReply),
        "new": Verb(request=New, reply=Created),
        "look": Verb(request=Look, reply=Looked),
        "source": Verb(request=Source, reply=SourceText),
        "status": _STATUS,
    },
    "inference": {
        "infer": Verb(request=Infer, reply=Inferred, partial=Piece),
        "import": Verb(request=Import, reply=ExpertReply),
        "activate": Verb(request=Activate, reply=ExpertReply),
        "prefetch": Verb(request=Prefetch, reply=ExpertsReply),
        "evict": Verb(request=Evict, reply=ExpertReply),
        "experts": Verb(request=Experts, reply=ExpertsReply),
        "status": _STATUS,
    },
    "memory": {
        "index": Verb(request=Index, reply=Indexed, partial=IndexProgress),
        "unindex": Verb(request=Unindex, reply=Unindexed),
        "search": Verb(request=Search, reply=Found),
        "rank": Verb(request=Rank, reply=Ranked),
        "catch_up": Verb(request=CatchUp, reply=CaughtUp),
        "status": _STATUS,
    },
    "guardian": {
        "judge": Verb(request=Judge, reply=Verdict),
        "run": Verb(request=Run, reply=Ran),
        "resume": Verb(request=Resume, reply=Resumed),
        "trial": Verb(request=Trial, reply=Tried),
        "status": _STATUS,
    },
    "broker": {
        "status": _STATUS,
    },
}
