"""A question to the mind: the mandate that asks it, the conversation that it is within, and the answer that comes back.

A question is a message like any other: `ask_`, sent to the mind itself.
"""

from __future__ import annotations

from typing import Any, Final, Literal, Protocol

import msgspec

from batos import reaching
from protocol import names, verbs
from protocol.codec import Ref, Value, convert
from protocol.envelope import MAX_KEY
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Look, Mandate, MandateReply, New
from protocol.names import MIND
from protocol.verbs import Partial, Reply, Request, Verb

THREADS: Final = "thread_traits"
"""What an object that keeps a conversation inherits from."""
MAX_CHARACTERS: Final = 4000


class Facet(msgspec.Struct, frozen=True):
    """A partial answer. `expert` is the expert that spoke for the persona, None its base model."""

    persona: str
    facet: str
    query: str
    answer: str
    expert: str | None = None


class Dropped(msgspec.Struct, frozen=True):
    """A lane that came to nothing, and why."""

    lane: str
    why: str


class Citation(msgspec.Struct, frozen=True, kw_only=True):
    """Where a sentence of the answer (its characters `at` to `to`) stands: characters `start` to `end` of a passage.

    Nothing of that where no passage supports it.
    """

    sentence: str
    at: int
    to: int
    supported: bool
    doc_id: str | None = None
    chunk_oid: str | None = None
    chunk_index: int | None = None
    start: int | None = None
    end: int | None = None


class Nearest(msgspec.Struct, frozen=True, kw_only=True):
    """What comes nearest to a question that the documents do not answer: characters `start` to `end` of a passage."""

    text: str
    doc_id: str
    chunk_oid: str
    chunk_index: int
    start: int
    end: int


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What `ask` came to. `bypassed`: so simple a question that no cycle was needed. Detached, it has no answer yet;
    nor where a facet is proposed.

    `way` is plain or deep, and `lane` whose text the answer is. `refused`: the documents do not say, and `nearest` is what comes nearest to
    it. `unknown` are numbers and names of the answer that stand in no passage.
    """

    mandate: str
    cycle: str | None
    state: str
    answer: str | None = None
    way: str | None = None
    lane: str | None = None
    refused: bool = False
    nearest: Nearest | None = None
    facets: list[Facet] = []
    dropped: list[Dropped] = []
    sources: list[dict[str, Any]] = []
    citations: list[Citation] = []
    unknown: list[str] = []
    thread: str | None = None
    tid: str | None = None
    seconds: float = 0.0
    bypassed: bool = False
    remembered: bool = False
    proposal: str | None = None


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How a question is to be answered: which way, within which thread, and whether earlier answers are sources too."""

    way: Literal["auto", "plain", "deep"] = "auto"
    thread: str | None = None
    answers: bool = False


class Ask(Protocol):
    """Whatever asks the system one request: a command over a home, a program's or a door's line."""

    async def __call__(self, verb: Verb[Request, Reply, Partial], request: Request, *, key: str = "") -> Reply:
        """The typed reply; raises BatosError."""


def question_of(text: str, manner: Manner, *, detach: bool = False) -> Mandate:
    """The mandate that asks `text`, still without its thread; USAGE or TOO_LARGE for what is no question."""
    if not text.strip():
        raise BatosError("USAGE", "the question is empty", 'Ask something: batos ask "What is known about X?"')
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise BatosError("USAGE", "the question is not valid Unicode", "Give it in UTF-8.")
    if len(text) > MAX_CHARACTERS:
        raise BatosError(
            "TOO_LARGE",
            f"a question of {len(text)} characters, the limit is {MAX_CHARACTERS}",
            "Remember the text with `batos remember`, and ask about it.",
        )
    if manner.thread is not None:
        names.check_object(manner.thread)
    kwargs: dict[str, Value] = {} if manner.way == "auto" else {"way": manner.way}
    if manner.answers:
        kwargs["answers"] = True
    return Mandate(target=MIND, selector="ask_", args=[text], kwargs=kwargs, detach=detach)


async def within_thread(ask: Ask, mandate: Mandate, thread: str, key: str) -> Mandate:
    """The question within the object that keeps this conversation, made where there is none yet.

    NAME_TAKEN where that name is something else's.
    """
    try:
        made = await ask(
            verbs.NEW, New(name=thread, parent=THREADS, slots={"turns": []}), key=f"{key[: MAX_KEY - 7]}-thread"
        )
        oid = made.oid
    except BatosError as error:
        if error.code != "NAME_TAKEN":
            raise
        looked = await ask(verbs.LOOK, Look(target=thread))
        if THREADS not in [looked.names.get(parent.oid) for parent in looked.parents]:
            hint = "Give the thread another name."
            raise BatosError("NAME_TAKEN", f"{thread} is an object that keeps no conversation", hint) from error
        oid = looked.oid
    return msgspec.structs.replace(mandate, kwargs={**mandate.kwargs, "thread": Ref(oid)})


def answer_of(reply: MandateReply, thread: str | None, seconds: float, home: Home) -> Answer:
    """The answer that a mandate came to; METHOD_FAILED where the world's own `ask_` gives something else."""
    has_answer = reply.state == "COMPLETE"
    facts = {
        "mandate": reply.mandate,
        "cycle": reply.cycle,
        "state": reply.state,
        "tid": reply.tid,
        "seconds": round(seconds, 3),
        "remembered": reply.remembered,
        "proposal": reply.proposal,
        "thread": thread,
    }
    try:
        return convert({**(_found(reply.result) if has_answer else {}), **facts}, Answer)
    except BatosError as error:
        raise BatosError(
            "METHOD_FAILED",
            f"ask_ was answered with what is no answer: {error.message}",
            f"See the method: {reaching.command(home, 'source', MIND, 'ask_')}",
            mandate=reply.mandate,
        ) from error


def _found(result: Value) -> dict[str, Any]:
    if not isinstance(result, dict) or not isinstance(result.get("answer"), str):
        raise BatosError("BAD_VALUE", 'there is no text called "answer"')
    return result
