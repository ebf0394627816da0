"""The whole list of verbs: a service answers those that stand here under its name, and no others.

A verb carries the types of its request, its reply and its partial replies, so that a caller's code is checked against them:
`await client.call(verbs.LOOK, Look(target="box"), seconds=5)` is a `Looked`.
"""

from __future__ import annotations

from typing import Any, Final, Generic, Never, TypeVar

import msgspec

from protocol.errors import BatosError
from protocol.messages import (
    Accept,
    Accepted,
    Activate,
    ActorStatus,
    BaseModel,
    BaseModelReply,
    Cancel,
    Cancelled,
    CatchUp,
    CaughtUp,
    Check,
    Checked,
    CheckProgress,
    Codex,
    CodexReply,
    Confirm,
    Confirmed,
    Correct,
    Created,
    Cycles,
    CyclesReply,
    Define,
    Defined,
    Documents,
    DocumentsReply,
    Drop,
    Dropped,
    Embed,
    Embedded,
    Event,
    Evict,
    ExpertReply,
    Experts,
    ExpertsReply,
    Export,
    Exported,
    Found,
    GiveExpert,
    History,
    Import,
    ImportBundle,
    Imported,
    Index,
    Indexed,
    IndexProgress,
    Infer,
    Inferred,
    Judge,
    List,
    Listed,
    Look,
    Looked,
    Mandate,
    MandateReply,
    New,
    Pack,
    Packed,
    Passages,
    PassagesReply,
    Piece,
    Prefetch,
    Probe,
    Probed,
    Proposals,
    ProposalsReply,
    Ran,
    Rank,
    Ranked,
    Reject,
    Rejected,
    Rename,
    Renamed,
    Resume,
    Resumed,
    Revert,
    Reverted,
    Run,
    Search,
    SetSlots,
    SlotsSet,
    Source,
    SourceText,
    StatusQuery,
    Trial,
    Tried,
    Unindex,
    Unindexed,
    Verdict,
    Versions,
    Watch,
    Watched,
)

Request = TypeVar("Request", bound=msgspec.Struct)
Reply = TypeVar("Reply", bound=msgspec.Struct)
Partial = TypeVar("Partial", bound=msgspec.Struct)


class Verb(msgspec.Struct, Generic[Request, Reply, Partial], frozen=True):
    """What `service` can be asked for under `name`: the types of the request, of the reply, and of what comes before it."""

    service: str
    name: str
    request: type[Request]
    reply: type[Reply]
    partial: type[Partial] | None = None


AnyVerb = Verb[Any, Any, Any]


def _plain(service: str, name: str, request: type[Request], reply: type[Reply]) -> Verb[Request, Reply, Never]:
    """A verb without partial replies."""
    return Verb(service, name, request, reply)


MANDATE: Final = Verb("orchestrator", "mandate", Mandate, MandateReply, Event)
CANCEL: Final = _plain("orchestrator", "cancel", Cancel, Cancelled)
CYCLES: Final = _plain("orchestrator", "cycles", Cycles, CyclesReply)
WATCH: Final = Verb("orchestrator", "watch", Watch, Watched, Event)
PACK: Final = _plain("orchestrator", "pack", Pack, Packed)
CODEX: Final = _plain("orchestrator", "codex", Codex, CodexReply)
NEW: Final = _plain("orchestrator", "new", New, Created)
LOOK: Final = _plain("orchestrator", "look", Look, Looked)
SOURCE: Final = _plain("orchestrator", "source", Source, SourceText)
DEFINE: Final = _plain("orchestrator", "define", Define, Defined)
SET: Final = _plain("orchestrator", "set", SetSlots, SlotsSet)
DROP: Final = _plain("orchestrator", "drop", Drop, Dropped)
RENAME: Final = _plain("orchestrator", "rename", Rename, Renamed)
REVERT: Final = _plain("orchestrator", "revert", Revert, Reverted)
CONFIRM: Final = _plain("orchestrator", "confirm", Confirm, Confirmed)
CORRECT: Final = Verb("orchestrator", "correct", Correct, MandateReply, Event)
CHECK: Final = Verb("orchestrator", "check", Check, Checked, CheckProgress)
EXPORT: Final = _plain("orchestrator", "export", Export, Exported)
IMPORT_BUNDLE: Final = Verb("orchestrator", "import", ImportBundle, Imported, Event)
ACCEPT: Final = _plain("orchestrator", "accept", Accept, Accepted)
REJECT: Final = _plain("orchestrator", "reject", Reject, Rejected)
PROPOSALS: Final = _plain("orchestrator", "proposals", Proposals, ProposalsReply)
LIST: Final = _plain("orchestrator", "list", List, Listed)
HISTORY: Final = _plain("orchestrator", "history", History, Versions)

INFER: Final = Verb("inference", "infer", Infer, Inferred, Piece)
IMPORT: Final = _plain("inference", "import", Import, ExpertReply)
GIVE_EXPERT: Final = _plain("inference", "give", GiveExpert, ExpertReply)
ACTIVATE: Final = _plain("inference", "activate", Activate, ExpertReply)
PREFETCH: Final = _plain("inference", "prefetch", Prefetch, ExpertsReply)
EVICT: Final = _plain("inference", "evict", Evict, ExpertReply)
EXPERTS: Final = _plain("inference", "experts", Experts, ExpertsReply)
MODEL: Final = _plain("inference", "model", BaseModel, BaseModelReply)

INDEX: Final = Verb("memory", "index", Index, Indexed, IndexProgress)
UNINDEX: Final = _plain("memory", "unindex", Unindex, Unindexed)
DOCUMENTS: Final = _plain("memory", "documents", Documents, DocumentsReply)
SEARCH: Final = _plain("memory", "search", Search, Found)
RANK: Final = _plain("memory", "rank", Rank, Ranked)
EMBED: Final = _plain("memory", "embed", Embed, Embedded)
PASSAGES: Final = _plain("memory", "passages", Passages, PassagesReply)
CATCH_UP: Final = _plain("memory", "catch_up", CatchUp, CaughtUp)

JUDGE: Final = _plain("guardian", "judge", Judge, Verdict)
RUN: Final = _plain("guardian", "run", Run, Ran)
RESUME: Final = _plain("guardian", "resume", Resume, Resumed)
TRIAL: Final = _plain("guardian", "trial", Trial, Tried)
PROBE: Final = _plain("guardian", "probe", Probe, Probed)

STATUS: Final = {
    service: _plain(service, "status", StatusQuery, ActorStatus)
    for service in ("orchestrator", "inference", "memory", "guardian", "broker")
}
"""What every service answers, and the broker too."""

_ALL: Final[tuple[AnyVerb, ...]] = (
    MANDATE,
    CANCEL,
    CYCLES,
    WATCH,
    PACK,
    CODEX,
    NEW,
    LOOK,
    SOURCE,
    DEFINE,
    SET,
    DROP,
    RENAME,
    REVERT,
    CONFIRM,
    CORRECT,
    CHECK,
    EXPORT,
    IMPORT_BUNDLE,
    ACCEPT,
    REJECT,
    PROPOSALS,
    LIST,
    HISTORY,
    INFER,
    IMPORT,
    GIVE_EXPERT,
    ACTIVATE,
    PREFETCH,
    EVICT,
    EXPERTS,
    MODEL,
    INDEX,
    UNINDEX,
    DOCUMENTS,
    SEARCH,
    RANK,
    EMBED,
    PASSAGES,
    CATCH_UP,
    JUDGE,
    RUN,
    RESUME,
    TRIAL,
    PROBE,
    *STATUS.values(),
)
VERBS: Final = {service: {verb.name: verb for verb in _ALL if verb.service == service} for service in STATUS}


def find_verb(service: str, name: str) -> AnyVerb:
    """What `service` takes and gives for `name`; UNKNOWN_VERB where it does not know it."""
    found = VERBS.get(service, {}).get(name)
    if found is None:
        raise BatosError("UNKNOWN_VERB", f"{service or 'no service'} has no verb {name[:100]!r}")
    return found
