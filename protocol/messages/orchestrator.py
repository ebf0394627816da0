"""What the orchestrator is asked, and what it answers: mandates and their progress, and looks at the world."""

from __future__ import annotations

import msgspec

from protocol.codec import Ref, Value
from protocol.failure import Failure
from protocol.messages.guardian import Example
from protocol.messages.hand import Hand


class Learn(msgspec.Struct, frozen=True, kw_only=True):
    """Write the method of a message, and do not send the message.

    `again`: the message is understood already, and a better method is wanted: what the old one's examples ask for must still
    hold, and the examples of the methods that send it, unless `drop_contract`. `corrects`: an old example that a new one
    contradicts was wrong, and goes. `dry_run`: install nothing. `strict`: install nothing where methods that hold all examples answer otherwise
    somewhere. `candidates` are sources that are judged before any is written.
    """

    again: bool = False
    dry_run: bool = False
    strict: bool = False
    candidates: list[str] = []
    drop_contract: bool = False
    corrects: bool = False


class Mandate(msgspec.Struct, frozen=True, kw_only=True):
    """Send `selector` to `target` (a name or an OID); with `learn`, only have its method written; with `hand`, do that instead.

    `parameters` are the names of the method's parameters, `intent` says what it is for, in a sentence; both are used where
    the method must be written first. `detach`: answer as soon as the mandate is durable.

    The envelope's `idem` is the mandate's key. A second request with the same key joins the mandate or repeats its answer; no
    key is published twice. A mandate that failed for a passing reason (a conflict, a deadline, a lost store) is attempted
    again when its key comes again. A key is forgotten with its mandate (`orchestrator.keep` in batos.toml).

    `seconds` is the time that the mandate may take from its acceptance, on the monotonic clock; None is what the orchestrator
    finds right. Time during which the system is down does not count. No other bound of time ends it.

    A message that nobody understands, and that nothing is said of, is MISSPELT where the target understands one that is written
    almost like it. With `new` it is meant as it is written. One that has ended PROPOSED is answered with its result once the
    proposal is accepted; with `wait` the answer waits for the user's word.
    """

    target: str
    selector: str
    parameters: list[str] = []
    args: list[Value] = []
    kwargs: dict[str, Value] = {}
    examples: list[Example] = []
    intent: str = ""
    learn: Learn | None = None
    detach: bool = False
    seconds: float | None = None
    hand: Hand | None = None
    new: bool = False
    wait: bool = False


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Progress of a mandate. `event` is one of `accepted`, `joined`, `state`, `drawing`, `judged`, `sent`, `piece`, `progress`.

    `state`: a cycle has come to this state. `judged`: a candidate has its verdict. `sent`: a method's send has its answer.
    `drawing`: candidates are about to be written; `detail` has the `round` (from 1; 0 while the model is placed), the `form`,
    how many `rows`, the `tokens_left` and `seconds_left` of the mandate, and `tokens_per_s`, None where no speed is known.
    `piece`: a text that is being generated has grown; `detail` has its `voice` (the name of the object that speaks, or ""),
    `row` and `text`. `progress`: of many things that are asked together so many are `done`, `of` so many; `what` is the verb.
    """

    event: str
    mandate: str
    cycle: str | None = None
    state: str | None = None
    detail: dict[str, Value] = {}


class MethodMade(msgspec.Struct, frozen=True, kw_only=True):
    """A method that the mandate has published, or with `dry_run` would have: how many candidates were judged for it.

    `origin` names the method of the world that was adopted (`box.area_`); empty: it was written.
    """

    selector: str
    sha256: str
    attempts: int
    source: str = ""
    origin: str = ""


class GroupAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the methods whose likeliest one has this hash do on one input of a `Doubt`."""

    sha256: str
    outcome: Value


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """An input on which methods that all hold the contract do not do the same. The first answer is the chosen method's.

    An outcome is {"returns", "changed"?, "removed"?}, {"raises": name} or {"sends": selector, …}.
    """

    slots: dict[str, Value] = {}
    args: list[Value] = []
    kwargs: dict[str, Value] = {}
    answers: list[GroupAnswer]


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Candidates that did the same on every input that was tried: how many, the likeliest, and what they did.

    `cases` are examples, ready to be a contract: the inputs that tell the groups apart come first.
    """

    count: int
    sha256: str
    source: str
    cases: list[Example]


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """What a cycle found out about the method that it wrote, in its context's slot `learned`.

    `groups` are the candidates that hold the contract, by behaviour, the chosen one first. `installed` is False for a dry run,
    where no example was given to learn by, in doubt where the mandate was strict, and of a proposal; `reason` says which.
    `replaced` are the examples that a correction has taken out of the contract.
    """

    source: str
    sha256: str
    installed: bool
    reason: str = ""
    origin: str = ""
    doubts: list[Doubt] = []
    groups: list[Group] = []
    replaced: list[Example] = []


class MandateReply(msgspec.Struct, frozen=True, kw_only=True):
    """How a mandate ended. `tid` is the commit that published it, None where nothing was written.

    `synthesized`: a method was written for it. `remembered`: whatever it left for memory can be found by a search.
    `learned`: what is known of that method, beside what it does. Where the `state` is PROPOSED, nothing but the `proposal` of that
    method is published, and it waits for the user's word.
    """

    mandate: str
    state: str
    cycle: str | None = None
    result: Value = None
    synthesized: bool = False
    method: MethodMade | None = None
    learned: Learned | None = None
    tid: str | None = None
    remembered: bool = False
    proposal: str | None = None


class New(msgspec.Struct, frozen=True, kw_only=True):
    """Make an object. The envelope's `idem` is the key: a second request with the same key repeats the answer."""

    name: str
    parent: str | None = None
    slots: dict[str, Value] = {}


class Created(msgspec.Struct, frozen=True, kw_only=True):
    """The object that was made, and its commit."""

    name: str
    oid: str
    tid: str


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """Look at an object, now or as it was at transaction `at` (16 hex digits). `target` is a name, an OID, or `root`.

    A moment is a transaction too: what counts is the last one that is not after it.

    The reply is one page: at most `limit` entries, beginning after the entry called `after`. The entries of an object are its
    slots and methods, those of the root are the objects.
    """

    target: str
    at: str | None = None
    after: str | None = None
    limit: int = 100


class MethodView(msgspec.Struct, frozen=True, kw_only=True):
    """A method as it is shown; a primitive has no source and no hash. `origin` as in `MethodMade`."""

    sha256: str | None
    author: str
    source: str | None
    verdict: str
    intent: str = ""
    origin: str = ""


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """One page of an object. `next`: the page goes on after the entry of this name; None: this was the last.

    `names` are those of the objects that the page refers to, by their OIDs.
    """

    name: str | None
    oid: str
    tid: str
    slots: dict[str, Value]
    parents: list[Ref]
    methods: dict[str, MethodView]
    next: str | None = None
    names: dict[str, str] = {}


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Find the method that `target` (a name or an OID) runs when it is sent `selector`, now or `at` a moment as in `Look`."""

    target: str
    selector: str
    at: str | None = None


class SourceText(msgspec.Struct, frozen=True, kw_only=True):
    """A method found by lookup; `holder` is the object that it stands on."""

    selector: str
    holder: str
    method: MethodView


class Cycles(msgspec.Struct, frozen=True, kw_only=True):
    """List the newest cycles; with `id` (of a cycle or a mandate), tell the whole story of that one instead."""

    id: str | None = None
    limit: int = 50


class CycleSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One line about a cycle. `started` is Unix time; `seconds` is how long it took, or has taken so far.

    `name` is what its object is called, as long as it has a name; `question` is what was asked, where it answers one. `asked_by` is
    whoever has asked for its mandate: `user:lena`, `mcp:claude-code`.
    """

    cycle: str
    mandate: str
    target: str
    selector: str
    state: str
    started: float
    seconds: float
    name: str = ""
    question: str = ""
    asked_by: str = ""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One finished send of a cycle: its place in the cycle (`path`), what was sent, in which `state` of the cycle.

    `tokens` counts those that were generated for it; `size` is that of the reply, in bytes.
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
    """A cycle from its beginning. `caused` are the cycles that its own sends have started, in the same mandate.

    A verdict is {"sha256", "verdict", "problem", "source", "chosen", "installed"}: one candidate is the chosen one, unless the cycle
    has failed; `installed` is False for it where nothing was to be installed. `asked_by` is as in `CycleSummary`. Where it
    `is_expired`, of the message, of how it failed and of the candidates the digests alone are kept.
    """

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
    name: str = ""
    question: str = ""
    asked_by: str = ""
    is_expired: bool = False


class CyclesReply(msgspec.Struct, frozen=True, kw_only=True):
    """The list where no `id` was given, the `story` where one was."""

    cycles: list[CycleSummary] = []
    story: CycleStory | None = None


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """Follow a mandate to its end. `id` is the mandate's or that of one of its cycles. Its earlier events come first."""

    id: str


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """How the mandate that was watched has ended: with a result, or with an error.

    Where a method was written, `learned` is what is known of it; `intent` and `parameters` are the mandate's own. `is_sent`
    is False where it was only to be learned.
    """

    mandate: str
    cycle: str | None
    state: str
    error: Failure | None = None
    result: Value = None
    learned: Learned | None = None
    intent: str = ""
    parameters: list[str] = []
    is_sent: bool = True
    proposal: str | None = None


class Cancel(msgspec.Struct, frozen=True, kw_only=True):
    """Stop a mandate wherever it is; it fails as CANCELLED. `id` is the mandate's or that of one of its cycles."""

    id: str


class Cancelled(msgspec.Struct, frozen=True, kw_only=True):
    """How the mandate has ended. `cancelled` is False where it had ended by itself before the request came."""

    mandate: str
    cycle: str | None
    state: str
    cancelled: bool


class Codex(msgspec.Struct, frozen=True, kw_only=True):
    """Read the world's codex; with `text` (TOML), put that in its place."""

    text: str | None = None


class CodexReply(msgspec.Struct, frozen=True, kw_only=True):
    """The codex as it now stands, and the personas that it names.

    `forgotten` are the facets whose methods were removed because their pillar has changed. `tid` is the commit, None where
    nothing has changed.
    """

    text: str
    personas: list[str]
    forgotten: list[str] = []
    tid: str | None = None
