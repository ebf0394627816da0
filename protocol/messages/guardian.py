"""What the guardian is asked, and what it answers: verdicts, runs, trials."""

from __future__ import annotations

from typing import Literal

import msgspec

from protocol.codec import Ref, Value
from protocol.failure import Failure


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """One broken rule: its stable id, the line in the source (0: the whole), and what is wrong there."""

    rule: str
    line: int
    message: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The guardian's answer on a piece of source. `selector` and `parameters` are the method's, where it was accepted."""

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


class Awaiting(msgspec.Struct, frozen=True, kw_only=True):
    """The run that waits, under `suspended`, for the result of another one as the answer to its send `digest`.

    `shared`: both have the same receiver, so what the one changes of its slots is part of the answer.
    """

    suspended: str
    digest: str
    shared: bool


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Run a method on a snapshot of its receiver, from its beginning, with the answers that its sends have so far.

    `slots` are the receiver's visible data slots, inherited ones too. `seconds` bounds the processor time. With `suspend`,
    the run may be kept alive at a send and continued by `Resume`. Otherwise, and where it was dropped, it is run again.
    Where this run returns, the run named by `then` is continued with what its answer should be; see `Onward`.
    """

    source: str
    receiver: Ref
    slots: dict[str, Value] = {}
    args: list[Value] = []
    kwargs: dict[str, Value] = {}
    answers: list[Answer] = []
    kernel: bool = False
    seconds: float = 2.0
    suspend: bool = False
    then: Awaiting | None = None


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
    """How a run came out.

    `suspended`, with an effect, is the token under which it waits for the answer; it can be used once. `onward`, with a
    result, is what the run that waited for that result has come to since.
    """

    outcome: Outcome
    suspended: str = ""
    onward: Onward | None = None


class Onward(msgspec.Struct, frozen=True, kw_only=True):
    """How the run that waited under `suspended` has gone on, given the answer whose frame has the sha256 `answer`, in hex.

    A guess, which saves a question. It counts only where the answer is that very one; otherwise the run is to be run again.
    """

    suspended: str
    answer: str
    ran: Ran


class Resume(msgspec.Struct, frozen=True, kw_only=True):
    """Continue the run that waits under the token `suspended`, with the answer to its send; `then` as in a `Run`."""

    suspended: str
    answer: Answer
    then: Awaiting | None = None


class Resumed(msgspec.Struct, frozen=True, kw_only=True):
    """`ran` is None where that run is gone, for whatever reason. The caller then runs it again, with all its answers."""

    ran: Ran | None = None


class OtherObject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another object as it stands in an example: `slots` replace its own of the same names, its methods are those it has."""

    slots: dict[str, Value] = {}


class GivenReply(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a send of `selector` is answered in a trial, where the world is left for the answer."""

    selector: str
    value: Value = None


class Example(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One example of a mandate: what the message must do to an object with these slots.

    `slots` replace the receiver's of the same names. An absent `returns` or `slots_after` is not checked; slots that `slots_after`
    does not name must stay as they were.

    `objects` are the others that the method may send to, by name or OID; one that is not named here stands as in the world.
    A send that would leave the world (`infer_`, `recall_`, …) is answered by `replies` alone: the n-th one of a selector by
    the n-th reply with that selector.
    """

    slots: dict[str, Value] = {}
    args: list[Value] = []
    kwargs: dict[str, Value] = {}
    objects: dict[str, OtherObject] = {}
    replies: list[GivenReply] = []
    returns: Value | msgspec.UnsetType = msgspec.UNSET
    slots_after: dict[str, Value] | msgspec.UnsetType = msgspec.UNSET


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """Judge `source`, then try it in the jail on each example and, where it `is_sent`, on the original message.

    No effect is performed: a case in which the method sends fails as TRIAL_SEND, whatever the example's `objects` and
    `replies`. The orchestrator then tries that case itself.

    With `is_judged` the source has passed the gates before, so it is only tried: it stands in the world, or is about to.

    `seconds` bounds the processor time of each try. It is less than a `Run` has, so that a method that passes its trial does
    not fail later because the machine is slower at that moment.
    """

    source: str
    receiver: Ref
    slots: dict[str, Value] = {}
    args: list[Value] = []
    kwargs: dict[str, Value] = {}
    examples: list[Example] = []
    is_sent: bool = True
    is_judged: bool = False
    kernel: bool = False
    seconds: float = 1.25


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """How one example went. `message` says in few words what was expected and what came instead."""

    passed: bool
    rule: str = ""
    message: str = ""


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """`outcome` is that of the original message; None where there is none, or the source was refused before any run.

    `selector` and `parameters` are as in a `Verdict`.
    """

    verdict: Literal["accept", "reject"]
    violations: list[Violation] = []
    cases: list[Case] = []
    outcome: Outcome | None = None
    selector: str = ""
    parameters: list[str] = []


class ProbeInput(msgspec.Struct, frozen=True, kw_only=True):
    """What a method is probed with: `slots` replace the receiver's of the same names."""

    slots: dict[str, Value] = {}
    args: list[Value] = []
    kwargs: dict[str, Value] = {}


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """Run every one of `sources` on every one of `inputs`, to see what they do, not whether that is right.

    `slots` are the receiver's. `seconds` bounds the processor time of a run, `total` the wall-clock time of all of them; what
    comes last stays undone, and all inputs before it are done for every source.
    """

    sources: list[str]
    receiver: Ref
    slots: dict[str, Value] = {}
    inputs: list[ProbeInput] = []
    kernel: bool = False
    seconds: float = 0.5
    total: float = 20.0


class ProbedSource(msgspec.Struct, frozen=True, kw_only=True):
    """What one source did, input by input, as far as there was time. One that the gates refuse has no outcomes.

    An outcome is {"returns", "changed"?, "removed"?}, {"raises": name}, {"sends": selector, "to", "args", "kwargs"?} for
    a first send, which is not performed, or in the place of a large one {"digest": sha256}. A source that has used up its
    processor time once is run no further: it raises LIMIT_TIME from there on.
    """

    verdict: Literal["accept", "reject"]
    violations: list[Violation] = []
    outcomes: list[dict[str, Value]] = []


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """`sources` are in the order of the request's. `inputs` says how many of the inputs there was time for."""

    sources: list[ProbedSource]
    inputs: int
