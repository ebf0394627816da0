"""`replay`: a mandate's thought once more, as a restart would think it, but with the journal alone to answer and nothing to come of it.

It is the session that thinks mandates (`thinking.session`), over the moment that was read then. Each reply of inference, memory and
the guardian is taken from the journal by its key; what the guardian was asked without being kept runs in the jail again, which
comes to the same. Whatever else a thought asks for has no effect: no context stands in the world, no trace is written. An expert that it
has brought to the device counts as there. What has no reply is where it stops.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from actors.orchestrator.hand import proving
from actors.orchestrator.hand.splitting import Part
from actors.orchestrator.journal.journal import Answered, Journal
from actors.orchestrator.reasons.trying import open_past
from actors.orchestrator.thinking.asks import (
    Ask,
    Begin,
    Chosen,
    Ended,
    Entered,
    Judged,
    Left,
    Pause,
    Placed,
    RemoteCall,
    Thinking,
    reply_key,
)
from actors.orchestrator.thinking.overlay import Draft, Overlay
from actors.orchestrator.thinking.session import Session
from protocol import codec
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.messages import Activate, Evict, ExpertReply, ExpertsReply, ExpertView
from protocol.messages.reasons import Difference, OtherSource, ReplayedStep

NOTHING: Final = "nothing"


class Unanswered(Exception):  # noqa: N818  no failure of what is thought: nobody knows how it goes on
    """The thought asks for what the journal has no reply to."""

    def __init__(self, ask: RemoteCall) -> None:
        super().__init__(ask.path)
        self.ask = ask


class Asked(msgspec.Struct, frozen=True):
    """What the thought has asked at a place, and the reply that the journal had to it, under `key`."""

    ask: RemoteCall
    key: str
    reply: Any


class Replaying(Session):
    """A session that changes nothing. `compare` beforehand; then `think`; `steps`, `asked` and `difference` say how it went.

    `is_refused` where one of the other sources may not stand, so that it was not thought at all.
    """

    steps: list[ReplayedStep]
    asked: list[Asked]
    difference: Difference | None

    def compare(self, then: Sequence[Answered], sources: Sequence[OtherSource] = ()) -> None:
        """What its trace was `then`, and the methods that are to stand in the place of others."""
        self.steps, self.asked, self.difference = [], [], None
        self.is_refused = False
        self._then = {step.path: step.send for step in then}
        self._sources = sources

    @property
    def missing(self) -> str | None:
        """The first place of the trace of then at which nothing was sent now."""
        seen = {step.path for step in self.steps}
        return next((path for path in self._then if path not in seen), None)

    def sent_then(self, path: str) -> str:
        """What was sent at a place then, in words."""
        return self._then.get(path, NOTHING)

    def _open(self) -> Overlay:
        """Over the world as it was read then."""
        assert self.row.read is not None, "who has read nothing has not thought"
        return Overlay(open_past(self._store.db, self._manager, bytes.fromhex(self.row.read)))

    def _begin(self) -> Thinking[Value]:
        return self._with_sources(super()._begin())

    def _with_sources(self, thinking: Thinking[Value]) -> Thinking[Value]:
        """Let the other methods stand, which pass the gates like any method, and think on."""
        overlay = self.thought.overlay
        self.is_refused = bool(self._sources)
        for number, other in enumerate(self._sources):
            oid = overlay.find(other.name)
            passed = yield from proving.gated(self.thought, oid, [Part(other.source, 1)], f"m.with{number}")
            method = passed[0]
            if method.selector != other.selector:
                raise BatosError(
                    "BAD_ARGUMENT",
                    f"the source for {other.name}.{other.selector} defines {method.selector}",
                    f"Say --with {other.name}.{method.selector}=FILE.",
                )
            draft = Draft(
                selector=method.selector,
                source=method.source,
                sha256=method.sha256,
                parameters=method.parameters,
                author="replay",
                model=None,
                examples=[],
                lasts=False,
            )
            overlay.write(oid, {method.selector: draft})
        self.is_refused = False
        return (yield from thinking)

    def _trace(self, ask: Answered) -> None:
        self.steps.append(ReplayedStep(path=ask.path, send=ask.send, state=ask.state, size=ask.size, tokens=ask.tokens))
        if self.difference is None and self.sent_then(ask.path) != ask.send:
            self.difference = Difference(path=ask.path, then=self.sent_then(ask.path), now=ask.send)

    async def _perform(self, ask: Ask) -> Any:
        match ask:
            case Begin():
                return Ref(self.thought.overlay.connection.new_oid().hex())
            case Entered() | Judged() | Chosen() | Placed() | Ended() | Pause():
                return None
        return await super()._perform(ask)

    async def _left(self, ask: Left) -> float:
        kept = await self._kept(reply_key(self.row.mandate, ask))
        return self.deadline.left() if kept is None else float(codec.decode(kept))

    async def _call(self, ask: RemoteCall) -> Any:
        key = reply_key(self.row.mandate, ask)
        kept = await self._kept(key) if ask.keep else None
        if kept is not None:
            reply = codec.unpack(kept, ask.verb.reply)
            self.asked.append(Asked(ask, key, reply))
            return reply
        if ask.verb.service == "guardian":
            return await self._ask(ask)
        if not ask.keep:
            return _done(ask)
        raise Unanswered(ask)

    async def _kept(self, key: str) -> bytes | None:
        journal: Journal = self._journal
        return await journal.run(lambda: journal.reply(key), durable=False)


def _done(ask: RemoteCall) -> ExpertReply | ExpertsReply:
    """What an actor answers that does what it was asked: of these nothing is kept, since nothing hangs on it but that it was done."""
    if not isinstance(ask.request, Activate | Evict):
        return ExpertsReply(experts=[])
    tier: Literal["hot", "cold"] = "hot" if isinstance(ask.request, Activate) else "cold"
    view = ExpertView(name=ask.request.name, sha256="", tier=tier, bytes=0, rank=0, base_model="")
    return ExpertReply(expert=view, seconds=0.0)
