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
    Admit,
    Admitted,
    BaseModel,
    BaseModelReply,
    Bisect,
    Bisected,
    BisectProgress,
    CameOf,
    Cancel,
    Cancelled,
    CatchUp,
    CaughtUp,
    Charge,
    Charged,
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
    Diff,
    DiffReply,
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
    ForgetDerived,
    ForgottenDerived,
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
    Lineage,
    List,
    Listed,
    Log,
    Logged,
    Look,
    Looked,
    MakeToken,
    Mandate,
    MandateReply,
    New,
    Pack,
    Packed,
    Passages,
    PassagesReply,
    Piece,
    PlanRewind,
    PlanUndo,
    Prefetch,
    Probe,
    Probed,
    Proposals,
    ProposalsReply,
    Ran,
    Rank,
    Ranked,
    Reasons,
    Reject,
    Rejected,
    Rename,
    Renamed,
    Replay,
    Replayed,
    Resume,
    Resumed,
    Revert,
    Reverted,
    RevokeToken,
    Run,
    Search,
    SetSlots,
    SlotsSet,
    Source,
    SourceText,
    StatusQuery,
    TokenRevoked,
    Tokens,
    TokensReply,
    TokenView,
    Trial,
    Tried,
    Undone,
    Unindex,
    Unindexed,
    Verdict,
    Versions,
    Watch,
    Watched,
    Why,
)
from protocol.origin import Right

Request = TypeVar("Request", bound=msgspec.Struct)
Reply = TypeVar("Reply", bound=msgspec.Struct)
Partial = TypeVar("Partial", bound=msgspec.Struct)


class Verb(msgspec.Struct, Generic[Request, Reply, Partial], frozen=True):
    """What `service` can be asked for under `name`: the types of the request, of the reply, and of what comes before it.

    `right` is what whoever asks must have, None where nothing is needed; a request may need more (`protocol.checks.rights`).
    """

    service: str
    name: str
    right: Right | None
    request: type[Request]
    reply: type[Reply]
    partial: type[Partial] | None = None


AnyVerb = Verb[Any, Any, Any]


def _plain(
    service: str, name: str, right: Right | None, request: type[Request], reply: type[Reply]
) -> Verb[Request, Reply, Never]:
    """A verb without partial replies."""
    return Verb(service, name, right, request, reply)


# A question is a mandate, and whoever asks has it followed and cancelled. What a mandate causes asks under its origin: the guardian
# has no world, and an expert that is brought to the device is none that was chosen for good.
MANDATE: Final = Verb("orchestrator", "mandate", "ask", Mandate, MandateReply, Event)
CANCEL: Final = _plain("orchestrator", "cancel", "ask", Cancel, Cancelled)
CYCLES: Final = _plain("orchestrator", "cycles", "ask", Cycles, CyclesReply)
WATCH: Final = Verb("orchestrator", "watch", "ask", Watch, Watched, Event)
PACK: Final = _plain("orchestrator", "pack", "install", Pack, Packed)
CAME_OF: Final = _plain("orchestrator", "came_of", "ask", CameOf, Lineage)
FORGET_DERIVED: Final = _plain("orchestrator", "forget_derived", "install", ForgetDerived, ForgottenDerived)
CODEX: Final = _plain("orchestrator", "codex", "ask", Codex, CodexReply)
NEW: Final = _plain("orchestrator", "new", "send", New, Created)
LOOK: Final = _plain("orchestrator", "look", "ask", Look, Looked)
SOURCE: Final = _plain("orchestrator", "source", "ask", Source, SourceText)
DEFINE: Final = _plain("orchestrator", "define", "propose", Define, Defined)
SET: Final = _plain("orchestrator", "set", "install", SetSlots, SlotsSet)
DROP: Final = _plain("orchestrator", "drop", "install", Drop, Dropped)
RENAME: Final = _plain("orchestrator", "rename", "install", Rename, Renamed)
REVERT: Final = _plain("orchestrator", "revert", "propose", Revert, Reverted)
CONFIRM: Final = _plain("orchestrator", "confirm", "install", Confirm, Confirmed)
CORRECT: Final = Verb("orchestrator", "correct", "propose", Correct, MandateReply, Event)
CHECK: Final = Verb("orchestrator", "check", "ask", Check, Checked, CheckProgress)
EXPORT: Final = _plain("orchestrator", "export", "ask", Export, Exported)
IMPORT_BUNDLE: Final = Verb("orchestrator", "import", "install", ImportBundle, Imported, Event)
ACCEPT: Final = _plain("orchestrator", "accept", "install", Accept, Accepted)
REJECT: Final = _plain("orchestrator", "reject", "install", Reject, Rejected)
PROPOSALS: Final = _plain("orchestrator", "proposals", "ask", Proposals, ProposalsReply)
LIST: Final = _plain("orchestrator", "list", "ask", List, Listed)
HISTORY: Final = _plain("orchestrator", "history", "ask", History, Versions)
BISECT: Final = Verb("orchestrator", "bisect", "ask", Bisect, Bisected, BisectProgress)
REPLAY: Final = _plain("orchestrator", "replay", "ask", Replay, Replayed)
WHY: Final = _plain("orchestrator", "why", "ask", Why, Reasons)
LOG: Final = _plain("orchestrator", "log", "ask", Log, Logged)
DIFF: Final = _plain("orchestrator", "diff", "ask", Diff, DiffReply)
UNDO: Final = _plain("orchestrator", "undo", "install", PlanUndo, Undone)
REWIND: Final = _plain("orchestrator", "rewind", "install", PlanRewind, Undone)

MAKE_TOKEN: Final = _plain("orchestrator", "make_token", "install", MakeToken, TokenView)
TOKENS: Final = _plain("orchestrator", "tokens", "install", Tokens, TokensReply)
REVOKE_TOKEN: Final = _plain("orchestrator", "revoke_token", "install", RevokeToken, TokenRevoked)
ADMIT: Final = _plain("orchestrator", "admit", "install", Admit, Admitted)
CHARGE: Final = _plain("orchestrator", "charge", "install", Charge, Charged)

INFER: Final = Verb("inference", "infer", "ask", Infer, Inferred, Piece)
IMPORT: Final = _plain("inference", "import", "install", Import, ExpertReply)
GIVE_EXPERT: Final = _plain("inference", "give", "install", GiveExpert, ExpertReply)
ACTIVATE: Final = _plain("inference", "activate", "ask", Activate, ExpertReply)
PREFETCH: Final = _plain("inference", "prefetch", "ask", Prefetch, ExpertsReply)
EVICT: Final = _plain("inference", "evict", "install", Evict, ExpertReply)
EXPERTS: Final = _plain("inference", "experts", "ask", Experts, ExpertsReply)
MODEL: Final = _plain("inference", "model", "ask", BaseModel, BaseModelReply)

INDEX: Final = Verb("memory", "index", "send", Index, Indexed, IndexProgress)
UNINDEX: Final = _plain("memory", "unindex", "install", Unindex, Unindexed)
DOCUMENTS: Final = _plain("memory", "documents", "ask", Documents, DocumentsReply)
SEARCH: Final = _plain("memory", "search", "ask", Search, Found)
RANK: Final = _plain("memory", "rank", "ask", Rank, Ranked)
EMBED: Final = _plain("memory", "embed", "ask", Embed, Embedded)
PASSAGES: Final = _plain("memory", "passages", "ask", Passages, PassagesReply)
CATCH_UP: Final = _plain("memory", "catch_up", "ask", CatchUp, CaughtUp)

JUDGE: Final = _plain("guardian", "judge", "ask", Judge, Verdict)
RUN: Final = _plain("guardian", "run", "ask", Run, Ran)
RESUME: Final = _plain("guardian", "resume", "ask", Resume, Resumed)
TRIAL: Final = _plain("guardian", "trial", "ask", Trial, Tried)
PROBE: Final = _plain("guardian", "probe", "ask", Probe, Probed)

STATUS: Final = {
    service: _plain(service, "status", None, StatusQuery, ActorStatus)
    for service in ("orchestrator", "inference", "memory", "guardian", "broker")
}
"""What every service answers, and the broker too."""

_ALL: Final[tuple[AnyVerb, ...]] = (
    MANDATE,
    CANCEL,
    CYCLES,
    WATCH,
    PACK,
    CAME_OF,
    FORGET_DERIVED,
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
    BISECT,
    REPLAY,
    WHY,
    LOG,
    DIFF,
    UNDO,
    REWIND,
    MAKE_TOKEN,
    TOKENS,
    REVOKE_TOKEN,
    ADMIT,
    CHARGE,
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
