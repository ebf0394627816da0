"""What a thought asks of the world outside it.

Thinking (`interpreter`, `cycle`) is a generator that knows no socket, no database write and no clock. It yields one of
these; whoever drives it performs it and sends the reply in. So a test can be that driver, and a restarted
orchestrator can answer from its journal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeVar

import msgspec

from actors.orchestrator.journal.journal import Answered
from protocol import codec
from protocol.codec import Ref, Value
from protocol.messages import Event, Piece
from protocol.verbs import AnyVerb, Partial, Reply, Request, Verb

T = TypeVar("T")


class Voice(msgspec.Struct, frozen=True):
    """Who speaks a row: an object's name or "", within which cycle, in which of its states."""

    name: str
    cycle: str | None
    state: str


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """Candidates are about to be drawn: in which round (from 1) and which form, how many, and the tokens that are left."""

    cycle: str
    round: int
    form: str
    rows: int
    tokens_left: int


class RemoteCall(msgspec.Struct, frozen=True, kw_only=True):
    """Ask another actor; answered with its typed reply. `keep`: a reply that is never computed twice (journaled).

    `voices` are told with the pieces of a text while it grows: a name for each row, and none for a row nobody follows.
    `drawing` is told where the reply is not there already.
    """

    path: str
    verb: AnyVerb
    request: Any
    keep: bool
    voices: tuple[Voice | None, ...] = ()
    drawing: Drawing | None = None


class Together(msgspec.Struct, frozen=True):
    """Ask for all of these at once, and tell how many have their reply; answered with the replies, in order."""

    calls: tuple[RemoteCall, ...]


class Begin(msgspec.Struct, frozen=True, kw_only=True):
    """A cycle begins: make its context visible to everybody; answered with the context's `Ref`.

    `is_shared`: another mandate's cycle for the same message does for this one too.
    """

    cycle: str
    path: str
    target: Ref
    selector: str
    slots: dict[str, Value]
    is_shared: bool = True


class Entered(msgspec.Struct, frozen=True, kw_only=True):
    """A cycle is now in `state`."""

    cycle: str
    state: str


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """The guardian has answered on a candidate. `problem` is empty where it passed."""

    cycle: str
    sha256: str
    verdict: str
    problem: str
    source: str


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """Where the model with this digest begins on the ladder of forms: known from now on, whatever becomes of the mandate."""

    digest: str
    found: dict[Any, Value]


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """Of a cycle's candidates this is the best; `is_installed`: it has been put on the object."""

    cycle: str
    sha256: str
    is_installed: bool


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """How many seconds the mandate has left, as a method is told; kept like a reply, for whoever thinks this again."""

    path: str


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """Much is being read: let others come to the world's thread, and see whether this is still wanted and in time."""


class SentBy(msgspec.Struct, frozen=True, kw_only=True):
    """Which methods have sent `selector`, as far as the journal goes back; answered with their own selectors."""

    selector: str


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """A cycle ended badly; the diagnosis is kept whatever becomes of the mandate."""

    cycle: str
    code: str
    message: str


def call(
    verb: Verb[Request, Reply, Partial],
    request: Request,
    *,
    path: str,
    keep: bool,
    voices: tuple[Voice | None, ...] = (),
    drawing: Drawing | None = None,
) -> Thinking[Reply]:
    """Ask another actor, and have its reply by the verb's type."""
    reply: Reply = yield RemoteCall(path=path, verb=verb, request=request, keep=keep, voices=voices, drawing=drawing)
    return reply


def call_all(verb: Verb[Request, Reply, Partial], requests: Sequence[Request], *, path: str) -> Thinking[list[Reply]]:
    """Ask another actor for many things that do not depend on each other; what a crash has lost is asked again."""
    calls = [
        RemoteCall(path=f"{path}{number}", verb=verb, request=request, keep=False)
        for number, request in enumerate(requests)
    ]
    replies: list[Reply] = yield Together(tuple(calls))
    return replies


def reply_key(mandate: str, ask: RemoteCall | Left) -> str:
    """Under which key the journal keeps the reply: the same mandate, place and request have the same one."""
    asked = ["", "left", None] if isinstance(ask, Left) else [ask.verb.service, ask.verb.name, ask.request]
    return hashlib.sha256(f"{mandate} {ask.path} ".encode() + codec.pack(asked)).hexdigest()


def follower(mandate: str, voices: Sequence[Voice | None], tell: Callable[[Event], None]) -> Callable[[Piece], None]:
    """Tells each piece of text with its voice, and where in that text it stands: a lost one begins again."""
    at = [0] * len(voices)

    def follow(piece: Piece) -> None:
        voice = voices[piece.row]
        if voice is None:
            return
        detail: dict[str, Value] = {"voice": voice.name, "row": piece.row, "at": at[piece.row], "text": piece.text}
        at[piece.row] += len(piece.text)
        tell(Event(event="piece", mandate=mandate, cycle=voice.cycle, state=voice.state, detail=detail))

    return follow


Ask = RemoteCall | Together | Begin | Entered | Judged | Chosen | Placed | Left | Pause | SentBy | Ended | Answered
Thinking = Generator[Ask, Any, T]
