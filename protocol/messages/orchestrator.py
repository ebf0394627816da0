"""What the orchestrator is asked, and what it answers: mandates and their progress, and looks at the world."""

from __future__ import annotations

import msgspec

from protocol.codec import Ref, Value
from protocol.failure import Failure
from protocol.messages.guardian import Example


class Mandate(msgspec.Struct, frozen=True, kw_only=True):
    """Send `selector` to `target` (a name or an OID). `parameters` names them for a method that must be written.

    The envelope's `idem` is its key: the same key again joins it or repeats its answer, and is never published twice. What
    has failed of the moment (a conflict, a deadline, a lost store) is attempted again under its key; a key is forgotten
    with its mandate (`orchestrator.keep` in batos.toml). `detach`: answer as soon as it is durable.

    `seconds` is the mandate's own time from acceptance, on the monotonic clock; what the system is down does not count.
    """

    target: str
    selector: str
    parameters: list[str] = []
    args: list[Value] = []
    kwargs: dict[str, Value] = {}
    examples: list[Example] = []
    detach: bool = False
    seconds: float = 90.0


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Progress of a mandate, streamed as PARTIAL: `accepted`, `state`, `judged`, `sent`, `piece`.

    `sent`: a method's send has its answer; `piece`: a text that is being generated has grown, `detail` has its
    `voice` (the name of the object that speaks, or ""), `row` and `text`.
    """

    event: str
    mandate: str
    cycle: str | None = None
    state: str | None = None
    detail: dict[str, Value] = {}


class MethodMade(msgspec.Struct, frozen=True, kw_only=True):
    selector: str
    sha256: str
    attempts: int


class MandateReply(msgspec.Struct, frozen=True, kw_only=True):
    """How a mandate ended. `tid` is the commit that published it, None where nothing was written.

    `remembered`: what there was to remember of it can be found by a search.
    """

    mandate: str
    state: str
    cycle: str | None = None
    result: Value = None
    synthesized: bool = False
    method: MethodMade | None = None
    tid: str | None = None
    remembered: bool = False


class New(msgspec.Struct, frozen=True, kw_only=True):
    """Make an object of the user. The envelope's `idem` is its key: the same key again repeats the answer."""

    name: str
    parent: str | None = None
    slots: dict[str, Value] = {}


class Created(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    oid: str
    tid: str


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """Look at an object (name or OID; `root` or its OID: the root), now or at transaction `at` (16 hex digits).

    A page: at most `limit` entries (slots and methods; of the root, objects), those after the one called `after`.
    """

    target: str
    at: str | None = None
    after: str | None = None
    limit: int = 100


class MethodView(msgspec.Struct, frozen=True, kw_only=True):
    """A method as it is shown; a primitive has no source and no hash."""

    sha256: str | None
    author: str
    source: str | None
    verdict: str


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """One page of an object. `next`: the page goes on after the entry of this name; None: this was the last."""

    name: str | None
    oid: str
    tid: str
    slots: dict[str, Value]
    parents: list[Ref]
    methods: dict[str, MethodView]
    next: str | None = None


class Source(msgspec.Struct, frozen=True, kw_only=True):
    target: str
    selector: str


class SourceText(msgspec.Struct, frozen=True, kw_only=True):
    """A method found by lookup; `holder` is the object that it stands on."""

    selector: str
    holder: str
    method: MethodView


class Cycles(msgspec.Struct, frozen=True, kw_only=True):
    """All cycles, newest first; with `id` (of a cycle or a mandate) the whole story of one."""

    id: str | None = None
    limit: int = 50


class CycleSummary(msgspec.Struct, frozen=True, kw_only=True):
    cycle: str
    mandate: str
    target: str
    selector: str
    state: str
    started: float
    seconds: float


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One finished effect of a cycle: where (`path`), in which state, what was sent, seconds, tokens generated.

    `size` is that of the reply, in bytes.
    """

    path: str
    send: str
    seconds: float
    tokens: int
    state: str = ""
    size: int = 0


class Stay(msgspec.Struct, frozen=True, kw_only=True):
    """How long a cycle was in one of its states."""

    state: str
    seconds: float


class CycleStory(msgspec.Struct, frozen=True, kw_only=True):
    """A cycle from its beginning; `caused` are the cycles that its own sends have begun, in the same mandate."""

    cycle: str
    mandate: str
    state: str
    steps: list[Step]
    verdicts: list[Value]
    error: Failure | None = None
    target: str = ""
    selector: str = ""
    seconds: float = 0.0
    states: list[Stay] = []
    caused: list[str] = []


class CyclesReply(msgspec.Struct, frozen=True, kw_only=True):
    cycles: list[CycleSummary] = []
    story: CycleStory | None = None


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """Follow a mandate (its id, or that of one of its cycles) to its end; what it has told so far comes first."""

    id: str


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """How what was watched has ended, and with which result."""

    mandate: str
    cycle: str | None
    state: str
    error: Failure | None = None
    result: Value = None


class Cancel(msgspec.Struct, frozen=True, kw_only=True):
    """End a mandate (its id, or that of one of its cycles) badly, wherever it is."""

    id: str


class Cancelled(msgspec.Struct, frozen=True, kw_only=True):
    """How the mandate has ended. `cancelled`: by this request or an earlier one; False: it had its own end already."""

    mandate: str
    cycle: str | None
    state: str
    cancelled: bool


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """Forget what is older than `keep` (such as `30d`; None: as configured). Not `really`: only say what that would be."""

    keep: str | None = None
    really: bool = False


class PackedWorld(msgspec.Struct, frozen=True, kw_only=True):
    """`before`: Unix time; no moment before it can be looked at any more. The file's size, in bytes."""

    before: float
    bytes_before: int
    bytes_after: int


class PackedJournal(msgspec.Struct, frozen=True, kw_only=True):
    """`mandates`: how many are forgotten with their keys, those that ended `before` (Unix time) or were too many."""

    before: float
    mandates: int
    bytes_before: int
    bytes_after: int


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    world: PackedWorld
    journal: PackedJournal


class Codex(msgspec.Struct, frozen=True, kw_only=True):
    """The codex: with `text` (TOML) that becomes the world's, without it is read."""

    text: str | None = None


class CodexReply(msgspec.Struct, frozen=True, kw_only=True):
    """The codex as it now stands, the personas it names, and what changed: facets whose methods went with it.

    `tid` is its commit, None where nothing has changed.
    """

    text: str
    personas: list[str]
    forgotten: list[str] = []
    tid: str | None = None
