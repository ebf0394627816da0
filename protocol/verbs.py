"""The whole list of verbs: a service answers those that stand here under its name, and no others."""

from __future__ import annotations

from typing import Final

import msgspec

from protocol.messages import (
    ActorStatus,
    Created,
    Cycles,
    CyclesReply,
    Event,
    Infer,
    Inferred,
    Judge,
    Look,
    Looked,
    Mandate,
    MandateReply,
    New,
    Piece,
    Ran,
    Run,
    Source,
    SourceText,
    StatusQuery,
    Trial,
    Tried,
    Verdict,
)


class Verb(msgspec.Struct, frozen=True, kw_only=True):
    request: type[msgspec.Struct]
    reply: type[msgspec.Struct]
    partial: type[msgspec.Struct] | None = None


_STATUS: Final = Verb(request=StatusQuery, reply=ActorStatus)

VERBS: Final[dict[str, dict[str, Verb]]] = {
    "orchestrator": {
        "mandate": Verb(request=Mandate, reply=MandateReply, partial=Event),
        "cycles": Verb(request=Cycles, reply=CyclesReply),
        "new": Verb(request=New, reply=Created),
        "look": Verb(request=Look, reply=Looked),
        "source": Verb(request=Source, reply=SourceText),
        "status": _STATUS,
    },
    "inference": {
        "infer": Verb(request=Infer, reply=Inferred, partial=Piece),
        "status": _STATUS,
    },
    "guardian": {
        "judge": Verb(request=Judge, reply=Verdict),
        "run": Verb(request=Run, reply=Ran),
        "trial": Verb(request=Trial, reply=Tried),
        "status": _STATUS,
    },
    "broker": {
        "status": _STATUS,
    },
}
