"""Every message: the one typed request and the one typed reply of each verb (`protocol.verbs`).

Fields of type `Value` hold values as `protocol.codec` defines them. Structs ignore fields that they do not know,
so that a newer peer of the same major version can be understood.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from protocol.codec import Ref, Value
from protocol.errors import Failure

# Guardian -----------------------------------------------------------------------------------------------------


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """One broken rule: its stable id, the line in the source (0: the whole), and what is wrong there."""

    rule: str
    line: int
    message: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The guardian's answer on a piece of source. Of an accepted one, the method's name and its parameters' names."""

    verdict: Literal["accept", "reject"]
    violations: list[Violation] = []
    selector: str = ""
    parameters: list[str] = []

    @property
    def accepted(self) -> bool:
        return self.verdict == "accept"


class Judge(msgspec.Struct, frozen=True, kw_only=True):
    """Judge `source` by the static gates. `kernel`: it stands under kernel traits (see `protocol.names`)."""

    source: str
    kernel: bool = False
    gate: Literal["covenant", "policy", "all"] = "all"


class Send(msgspec.Struct, frozen=True, kw_only=True):
    """A message on its way out of a method: `send` calls, `read` asks for another object's slot of that name."""

    kind: Literal["send", "read"]
    receiver: Ref
    selector: str
    args: list[Value] = []
    kwargs: dict[str, Value] = {}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The reply to a method's n-th send, as a replay meets it again.

    `digest` is that of the send it answers. `changed` and `removed` are what the send did to the visible data slots
    of the object whose method sent it. With `error`, the send raises `SendFailed` there.
    """

    digest: str
    value: Value = None
    changed: dict[str, Value] = {}
    removed: list[str] = []
    error: Failure | None = None


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Run a method on a snapshot of its receiver: once from the start, with the answers that are known so far.

    `slots` are the receiver's visible data slots, inherited ones too. `seconds` bounds the processor time.
    """

    source: str
    receiver: Ref
    slots: dict[str, Value] = {}
    args: list[Value] = []
    kwargs: dict[str, Value] = {}
    answers: list[Answer] = []
    kernel: bool = False
    seconds: float = 2.0


class Done(msgspec.Struct, frozen=True, kw_only=True, tag="done"):
    """The method returned. `changed` and `removed` are its own changes, the answers' changes not among them."""

    result: Value = None
    changed: dict[str, Value] = {}
    removed: list[str] = []
    signalled: bool = False


class Effect(msgspec.Struct, frozen=True, kw_only=True, tag="effect"):
    """The method's n-th send (from 0) has no answer yet. `changed`, `removed`: its own changes so far."""

    n: int
    send: Send
    digest: str
    changed: dict[str, Value] = {}
    removed: list[str] = []


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """The run ended badly: a code of `protocol.errors`, the exception's or limit's name, a message, a line."""

    code: str
    error: str
    message: str
    line: int = 0


Outcome = Done | Effect | Failed


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    outcome: Outcome


class Example(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One example of a mandate: what the message must do to an object with these slots.

    `slots` overlay the receiver's. An absent `returns` or `slots_after` is not checked; slots that `slots_after`
    does not name must stay as they were.
    """

    slots: dict[str, Value] = {}
    args: list[Value] = []
    kwargs: dict[str, Value] = {}
    returns: Value | msgspec.UnsetType = msgspec.UNSET
    slots_after: dict[str, Value] | msgspec.UnsetType = msgspec.UNSET


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """Judge `source`, then try it in the jail on each example, and on the original message. No effect is performed."""

    source: str
    receiver: Ref
    slots: dict[str, Value] = {}
    args: list[Value] = []
    kwargs: dict[str, Value] = {}
    examples: list[Example] = []
    kernel: bool = False
    seconds: float = 2.0


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """How one example went. `message` says what was expected and what came instead."""

    passed: bool
    rule: str = ""
    message: str = ""


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """`outcome` is that of the original message; None where the source was refused before any run."""

    verdict: Literal["accept", "reject"]
    violations: list[Violation] = []
    cases: list[Case] = []
    outcome: Outcome | None = None


# Inference ----------------------------------------------------------------------------------------------------


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """How the next token is drawn. `temperature` 0 takes the likeliest."""

    temperature: float = 0.8
    top_p: float = 0.95


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One text to generate: the conversation, or a bare `prompt` to continue; then how, and within which form.

    `schema` (JSON schema) and `grammar` (llguidance's Lark dialect) exclude each other. `expert` None is the base model.
    """

    turns: list[Turn] = []
    prompt: str = ""
    expert: str | None = None
    sampling: Sampling = Sampling()
    seed: int = 0
    schema: dict[str, Any] | None = None
    grammar: str | None = None
    max_tokens: int = 256


class Infer(msgspec.Struct, frozen=True, kw_only=True):
    """Generate all rows in one batch. With `stream`, each piece of text is a PARTIAL `Piece`."""

    rows: list[Row]
    stream: bool = False


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """Text that row `row` has grown by."""

    row: int
    text: str


class Generated(msgspec.Struct, frozen=True, kw_only=True):
    """One row's text. `finish`: it ended (`stop`), `max_tokens` or the deadline cut it (`length`), or its form led nowhere

    (`stuck`: no token that the form allows is left).
    """

    text: str
    tokens: int
    finish: Literal["stop", "length", "stuck"]


class Inferred(msgspec.Struct, frozen=True, kw_only=True):
    """The rows' texts in order; `prompt_tokens` counts each distinct prompt once, as it was computed.

    `model` is the digest of the base model that wrote them.
    """

    rows: list[Generated]
    prompt_tokens: int
    seconds: float
    model: str = ""


# Orchestrator -------------------------------------------------------------------------------------------------


class Mandate(msgspec.Struct, frozen=True, kw_only=True):
    """Send `selector` to `target` (a name or an OID). `parameters` names them for a method that must be written.

    The envelope's `idem` is its key: the same key again joins or repeats the answer, it never runs twice.
    `detach`: answer as soon as it is durable. `seconds` is the mandate's own deadline from acceptance.
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
    """Progress of a mandate, streamed as PARTIAL: `accepted`, `state`, `judged`."""

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
    """How a mandate ended. `tid` is the commit that published it, None where nothing was written."""

    mandate: str
    state: str
    cycle: str | None = None
    result: Value = None
    synthesized: bool = False
    method: MethodMade | None = None
    tid: str | None = None


class New(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    parent: str | None = None
    slots: dict[str, Value] = {}


class Created(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    oid: str
    tid: str


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """Look at an object (name or OID), now or at transaction `at` (16 hex digits)."""

    target: str
    at: str | None = None


class MethodView(msgspec.Struct, frozen=True, kw_only=True):
    """A method as it is shown; a primitive has no source and no hash."""

    sha256: str | None
    author: str
    source: str | None
    verdict: str


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    name: str | None
    oid: str
    tid: str
    slots: dict[str, Value]
    parents: list[Ref]
    methods: dict[str, MethodView]


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
    """One finished effect of a cycle: where (`path`), what was sent, seconds, tokens generated."""

    path: str
    send: str
    seconds: float
    tokens: int


class CycleStory(msgspec.Struct, frozen=True, kw_only=True):
    cycle: str
    mandate: str
    state: str
    steps: list[Step]
    verdicts: list[Value]
    error: Failure | None = None


class CyclesReply(msgspec.Struct, frozen=True, kw_only=True):
    cycles: list[CycleSummary] = []
    story: CycleStory | None = None


# All actors ---------------------------------------------------------------------------------------------------


class StatusQuery(msgspec.Struct, frozen=True, kw_only=True):
    pass


class ActorStatus(msgspec.Struct, frozen=True, kw_only=True):
    """`waiting_for` says what an actor that is not ready needs. `detail` is the actor's own (values only)."""

    ready: bool
    pid: int
    uptime_s: float
    waiting_for: str = ""
    detail: dict[str, Value] = {}
