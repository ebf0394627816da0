"""One mandate while it is being thought about: its overlay, its budgets, and what came of it so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Concatenate, Final

import msgspec

from actors.orchestrator.thinking.asks import Thinking
from actors.orchestrator.thinking.cancellation import Deadline
from actors.orchestrator.thinking.overlay import Draft, Offer, Overlay
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.home import Orchestrator
from protocol.mandates import MAX_SECONDS
from protocol.messages import Example, GivenReply, Learn, Learned, MethodMade, Onward, Tried
from protocol.origin import Origin

MAX_CYCLE_DEPTH: Final = 4
MAX_TRIAL_SENDS: Final = 200
"""Sends of one case of a trial. They are not the mandate's: a bad candidate must not use up what the good one needs."""


class Message(msgspec.Struct, frozen=True):
    """A selector with its arguments, not yet sent to anybody."""

    selector: str
    args: list[Value] = []
    kwargs: dict[str, Value] = {}


class Uncaught(BatosError):  # noqa: N818  a decision, which somebody always takes up
    """What no method may catch, although it does not end the mandate."""


class Doomed(Uncaught):
    """The running cycle has doomed itself; only the cycle's own loop takes that up."""


class Proposed(Uncaught):
    """A method waits for the user's word, so that the whole mandate ends here, with nothing but this proposal.

    `offer` is the new proposal, None where it has been waiting already; `made` and `learned` tell of its method, `result` what else
    is to be said.
    """

    def __init__(
        self,
        id_: str,
        made: MethodMade,
        learned: Learned | None,
        offer: Offer | None = None,
        result: Value = None,
    ) -> None:
        super().__init__("INTERNAL", f"{made.selector} waits for its user's word as proposal {id_}")
        self.id = id_
        self.made = made
        self.learned = learned
        self.offer = offer
        self.result = result


class Untried(Uncaught):
    """A trial has come to where it cannot go on. `reason` says of which kind, `sent` what has no answer, and to whom (an OID)."""

    NO_REPLY: Final = "no reply"
    NOBODY: Final = "nobody understands it"
    BUDGET: Final = "budget"

    def __init__(self, reason: str, message: str, sent: tuple[str, str] = ("", "")) -> None:
        super().__init__("METHOD_FAILED", message)
        self.reason = reason
        self.sent = sent


@dataclass(slots=True)
class Ledger:
    """What a mandate has spent, and the cycles and the last method that came of it; the lanes of a thought share it.

    `told` are the documents of which memory has told it a passage, in order.
    """

    effects: int = 0
    tokens: int = 0
    begun: list[str] = field(default_factory=list)
    made: MethodMade | None = None
    learned: Learned | None = None
    told: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class Trialing:
    """A trial of a method on the way: what it may do, and what it has done.

    `performed` are the primitives that change the overlay alone, by verb; every other one would leave the world, and is
    answered by `replies`. `seconds` of processor time has each run. `sends` is how many it has sent, and `seen` has the OIDs
    of those that were sent to or read, in order.
    """

    performed: frozenset[str]
    replies: list[GivenReply]
    seconds: float
    sends: int = 0
    seen: dict[str, None] = field(default_factory=dict)
    answered: dict[str, int] = field(default_factory=dict)

    def spend(self) -> None:
        self.sends += 1
        if self.sends > MAX_TRIAL_SENDS:
            raise Untried(Untried.BUDGET, f"it sent more than {MAX_TRIAL_SENDS} messages")

    def reply(self, receiver: str, selector: str) -> Value:
        """The answer to the next send of `selector`, which would leave the world."""
        number = self.answered[selector] = self.answered.get(selector, 0) + 1
        fitting = [reply for reply in self.replies if reply.selector == selector]
        if number > len(fitting):
            told = f"it sent {selector}, and there is no reply number {number} to that among the example's replies"
            raise Untried(Untried.NO_REPLY, told, (selector, receiver))
        return fitting[number - 1].value


@dataclass(slots=True)
class Thought:
    """What one mandate, or a lane of it, thinks with.

    `primitives` maps verbs to their performers (`actors.orchestrator.primitives.performers`). `attempt` counts how often the
    mandate was begun anew. `contracts` are the
    parameters and examples that came with the mandate, by (OID, selector). `form` and `form_tokens` are the settings of
    that name, for methods, which read no settings. `tokens` are those of this lane, the ledger has all. `onward` is how a
    caller in the jail has gone on with the reply of the method that has just returned, until the caller is asked for;
    `guesses`: such a guess was never wrong in this thought. `trial`: what is thought now is the trial of a method, of
    which nothing lasts. `origin` is who has asked for the mandate.
    """

    mandate: str
    overlay: Overlay
    limits: Orchestrator
    primitives: Mapping[str, Performer]
    deadline: Deadline = field(default_factory=lambda: Deadline(MAX_SECONDS))
    attempt: int = 1
    seed: int = 0
    form: str = "auto"
    form_tokens: int = 400
    contracts: dict[tuple[str, str], Contract] = field(default_factory=dict)
    chain: list[RunningCycle] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    tokens: int = 0
    onward: Onward | None = None
    guesses: bool = True
    trial: Trialing | None = None
    origin: Origin | None = None

    @property
    def cycle(self) -> str | None:
        """The innermost running cycle."""
        return self.chain[-1].cycle if self.chain else None

    @property
    def state(self) -> str:
        """The state of the innermost running cycle."""
        return self.chain[-1].state if self.chain else ""

    def lane(self) -> Thought:
        """A thought beside others within this one: changes and chain of its own, one ledger for all."""
        return replace(
            self,
            overlay=self.overlay.branch(),
            chain=[replace(running) for running in self.chain],
            tokens=0,
            onward=None,
        )

    def spend_effect(self) -> None:
        if self.trial is not None:
            self.trial.spend()
            return
        self.ledger.effects += 1
        if self.ledger.effects > self.limits.effects:
            raise BatosError(
                "BUDGET_EXCEEDED",
                f"the mandate has performed {self.limits.effects} sends",
                "Does a method send in a loop that never ends? The budget is orchestrator.effects in batos.toml.",
            )

    def spend_tokens(self, tokens: int) -> None:
        self.tokens += tokens
        self.ledger.tokens += tokens
        if self.ledger.tokens > self.limits.tokens:
            raise BatosError(
                "BUDGET_EXCEEDED",
                f"the mandate has generated over {self.limits.tokens} tokens",
                "The budget is orchestrator.tokens in batos.toml.",
            )


@dataclass(slots=True, frozen=True)
class Sender:
    """Whose send a primitive performs: in which thought, on which receiver (an OID), at which place of the trace."""

    thought: Thought
    receiver: str
    path: str

    def running(self) -> RunningCycle:
        """The cycle whose context the receiver is; METHOD_FAILED where it is none."""
        for running in self.thought.chain:
            if running.context == self.receiver:
                return running
        raise BatosError("METHOD_FAILED", "only the context of a running cycle can do that")


Performer = Callable[Concatenate[Sender, ...], Thinking[Value]]
"""A generator over a sender and the message's arguments, which are bound to its signature."""


@dataclass(slots=True, frozen=True)
class Contract:
    """What a method that must be written is to be called with, and do, and what it is for.

    With `learn` the message is not to be sent. `previous` is the source of the method that is to be replaced, and `replaced` are the
    examples that it owes no longer, since they were corrected.
    """

    parameters: list[str]
    examples: list[Example]
    intent: str = ""
    learn: Learn | None = None
    previous: str = ""
    replaced: list[Example] = field(default_factory=list)


@dataclass(slots=True)
class RunningCycle:
    """A cycle on the way: whose message it answers, and its candidates so far.

    `frozen` are the slots of the other objects that a trial has read, by the candidate's sha256 and the example's digest; `tried`
    is what came of each candidate's trial, by its sha256. `draft` is the method that would be installed, had its user not the
    last word.
    """

    cycle: str
    context: str
    target: str
    selector: str
    is_question: bool = False
    state: str = "IDLE"
    attempts: int = 0
    model: str | None = None
    frozen: dict[tuple[str, str], dict[str, Value]] = field(default_factory=dict)
    tried: dict[str, Tried] = field(default_factory=dict)
    draft: Draft | None = None
