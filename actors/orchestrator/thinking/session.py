"""Driving a thought: advance its generator on the world's thread, perform what it asks, send the answer in.

A `Session` is one mandate's thinking: a connection that shows one moment of the world, the overlay over it, and the
generator. What `RemoteCall` brings back is kept in the journal under the hash of mandate, path and request before the thought
sees it, if it must never be computed twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, Final

import msgspec
import transaction

from actors.orchestrator import publish
from actors.orchestrator.deadlines import Measured
from actors.orchestrator.journal.journal import Answered, Journal, MandateRow
from actors.orchestrator.thinking import replies
from actors.orchestrator.thinking.asks import (
    Ask,
    Begin,
    Chosen,
    Drawing,
    Ended,
    Entered,
    Judged,
    Left,
    Pause,
    Placed,
    RemoteCall,
    SentBy,
    Thinking,
    Together,
    follower,
    reply_key,
)
from actors.orchestrator.thinking.cancellation import Cancellation, Deadline, late
from actors.orchestrator.thinking.claims import Claims
from actors.orchestrator.thinking.contracts import contract_of
from actors.orchestrator.thinking.intents import Intents
from actors.orchestrator.thinking.interpreter import NOT_UNDERSTOOD, send
from actors.orchestrator.thinking.overlay import Layer, Overlay
from actors.orchestrator.thinking.thought import Message, Performer, Proposed, Thought
from bus.again import Again
from bus.client import Caller
from protocol import codec
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.failure import Failure
from protocol.home import Settings
from protocol.messages import BaseModelReply, Event, Found, Inferred, Mandate, MandateReply
from protocol.messages.hand import Hand
from world import root as world_root
from world.store import Store, moment_of
from world.values import oid_of

AT_ONCE: Final = 16
"""Questions of one thought that are on their way together: enough to keep every worker of the guardian busy."""
MOST_POSTED: Final = 64
"""Pieces of one thought's trace that may be on their way to the journal."""


class Session:
    """One mandate's thinking. `think` once, then `changes`; `close` in any case."""

    def __init__(
        self,
        row: MandateRow,
        tell: Callable[[Event], None],
        cancellation: Cancellation,
        deadline: Deadline,
        *,
        store: Store,
        journal: Journal,
        caller: Caller,
        settings: Settings,
        claims: Claims,
        intents: Intents,
        primitives: Mapping[str, Performer],
        by_hand: Callable[[Thought, Hand], Thinking[Value]],
        measured: Measured,
    ) -> None:
        self.row = row
        self.cancellation = cancellation
        self.deadline = deadline
        self.is_committing = False  # from when on it may be in the world
        self.mandate = codec.unpack(row.body, Mandate)
        self.origin = row.origin
        self._store, self._journal, self._caller = store, journal, caller
        self._settings = settings
        self._claims, self._intents = claims, intents
        self._primitives = primitives
        self._by_hand = by_hand
        self._measured = measured
        self._tell = tell
        self._manager = transaction.TransactionManager(explicit=True)
        self._thought: Thought | None = None
        self._stepped = time.monotonic()
        self._posted: list[Future[None]] = []
        self._traced: list[Event] = []

    @property
    def thought(self) -> Thought:
        if self._thought is None:
            raise BatosError("INTERNAL", "the thought was never begun")
        return self._thought

    @property
    def begun(self) -> list[str]:
        """The cycles that were begun, in order."""
        return [] if self._thought is None else self._thought.ledger.begun

    async def think(self) -> MandateReply:
        """Think the mandate through; its reply, as yet without a transaction. Raises what ended it badly."""
        thinking = await self._store.run(self._begin)
        answer: Any = None
        error: BatosError | None = None
        while True:
            try:
                step = await self._store.run(partial(self._advance, thinking, answer, error))
            except Proposed as proposed:
                await self._written(0)
                return replies.proposed(self.thought, self.row, proposed)
            finally:
                self._tell_traced()
            if isinstance(step, _Result):
                await self._written(0)
                return replies.complete(self.thought, self.row, self.mandate, step.value)
            answer, error = None, None
            try:
                answer = await self._perform(step)
            except BatosError as raised:
                error = raised

    def changes(self) -> Layer:
        return self.thought.overlay.changes()

    @property
    def read(self) -> str:
        """The transaction (16 hex digits) whose world this thought has seen, or "" before it has begun."""
        return "" if self._thought is None else moment_of(self._thought.overlay.connection)

    async def doom(self) -> None:
        """Doom the cycle's transaction: whatever should still try to commit it will fail."""
        if self._thought is not None:
            await self._store.run(lambda: self._manager.get().doom())

    async def close(self) -> None:
        if self._thought is not None:
            await self._store.run(self._release)

    def _open(self) -> Overlay:
        """Over the world as it is."""
        connection = self._store.db.open(self._manager)
        self._manager.begin()
        return Overlay(connection)

    def _begin(self) -> Thinking[Value]:
        overlay = self._open()
        self._thought = Thought(
            self.row.mandate,
            overlay,
            self._settings.orchestrator,
            self._primitives,
            deadline=self.deadline,
            attempt=self.row.attempt,
            seed=self._settings.inference.seed,
            form=self._settings.inference.form,
            form_tokens=self._settings.inference.form_tokens,
            origin=self.origin,
        )
        mandate = self.mandate
        if mandate.hand is not None:
            return self._by_hand(self._thought, mandate.hand)
        target = oid_of(world_root.resolve(overlay.connection, mandate.target))
        self._thought.contracts[target, mandate.selector] = contract_of(overlay, target, mandate)
        message = Message(mandate.selector, mandate.args, mandate.kwargs)
        if mandate.learn is not None:
            message = Message(NOT_UNDERSTOOD, [message.selector, message.args, message.kwargs])
        return send(self._thought, target, message, "m")

    def _release(self) -> None:
        self._manager.abort()
        self.thought.overlay.connection.close()

    def _advance(self, thinking: Thinking[Value], answer: Any, error: BatosError | None) -> Ask | _Result:
        """Go on to what has to be waited for, on the world's thread. A piece of the trace is written without a stop."""
        while True:
            try:
                ask = thinking.send(answer) if error is None else thinking.throw(error)
            except StopIteration as stop:
                return _Result(stop.value)
            if not isinstance(ask, Answered):
                return ask
            self._trace(ask)
            answer, error = None, None

    def _trace(self, ask: Answered) -> None:
        seconds, self._stepped = time.monotonic() - self._stepped, time.monotonic()
        self._note(lambda: self._journal.step(self.row.mandate, ask, seconds))
        spent: dict[str, Value] = {
            "send": ask.send,
            "size": ask.size,
            "tokens": ask.tokens,
            "seconds": round(seconds, 3),
        }
        self._traced.append(
            Event(event="sent", mandate=self.row.mandate, cycle=ask.cycle, state=ask.state, detail=spent)
        )

    def _tell_traced(self) -> None:
        traced, self._traced = self._traced, []
        for event in traced:
            self._tell(event)

    # Performing -----------------------------------------------------------------------------------------------

    async def _perform(self, ask: Ask) -> Any:
        journal = self._journal
        mandate = self.row.mandate
        match ask:
            case RemoteCall():
                return await self._call(ask)
            case Together():
                return await self._together(ask.calls)
            case Begin():
                if ask.is_shared:
                    self._claims.take(ask.target.oid, ask.selector, mandate)
                self._note(lambda: journal.begin(ask.cycle, mandate, ask.path, ask.target.oid, ask.selector))
                await self._written(0)  # who finds the context in the world finds its cycle here
                db = self._store.db
                return await self._store.run(lambda: publish.begin(db, mandate, ask))
            case Entered():
                self._note(lambda: journal.enter(ask.cycle, ask.state))
                self._tell(Event(event="state", mandate=mandate, cycle=ask.cycle, state=ask.state))
            case Judged():
                self._note(lambda: journal.judged(ask.cycle, ask.sha256, ask.verdict, ask.problem, ask.source))
                detail = {
                    "sha256": ask.sha256,
                    "verdict": ask.verdict,
                    "problem": ask.problem,
                    "source": ask.source,
                }
                self._tell(Event(event="judged", mandate=mandate, cycle=ask.cycle, detail=detail))
            case Placed():
                await self._place(ask)
            case Chosen():
                self._note(lambda: journal.choose(ask.cycle, ask.sha256, is_installed=ask.is_installed))
            case Left():
                return await self._left(ask)
            case Pause():
                self.cancellation.check()
                if self.deadline.left() <= 0:
                    raise late(self.deadline, "all of the world was looked through")
            case SentBy():
                return await journal.run(lambda: journal.finding.senders(ask.selector), durable=False)
            case Ended():
                failure = codec.pack(Failure(ask.code, ask.message))
                self._note(lambda: journal.fail(ask.cycle, failure))
                self._tell(Event(event="state", mandate=mandate, cycle=ask.cycle, state="FAILED"))
        return None

    async def _place(self, ask: Placed) -> None:
        """Another mandate may be placing the same model: then either's word will do."""
        db = self._store.db
        try:
            await self._store.run(lambda: publish.place(db, ask.digest, ask.found))
        except BatosError as error:
            if error.code != "CONFLICT":
                raise

    def _note(self, work: Callable[[], None]) -> None:
        """Have a piece of the trace written, and what time is left; from any thread.

        Nobody waits for it: what is asked of the journal later comes after it, and the thought's end waits for all of it. A
        crash that takes it along has the thought begin again, which writes it again.
        """
        journal, left = self._journal, self.deadline.left()

        def both() -> None:
            work()
            journal.spend(self.row.mandate, left)

        self._posted.append(journal.post(both))

    async def _written(self, most: int) -> None:
        """Wait until at most so many pieces of the trace are on their way; raises what has become of the others."""
        first, self._posted = self._posted[: len(self._posted) - most], self._posted[len(self._posted) - most :]
        await self._journal.written(first)

    async def _call(self, ask: RemoteCall) -> Any:
        """The reply to a call: from the journal where it is there, else from the actor, however often it is lost."""
        self.cancellation.check()
        if len(self._posted) > MOST_POSTED:
            await self._written(MOST_POSTED // 2)
        journal = self._journal
        key = reply_key(self.row.mandate, ask)
        if ask.keep:
            kept = await journal.run(lambda: journal.reply(key), durable=False)
            if kept is not None:
                return codec.unpack(kept, ask.verb.reply)
            if self.begun:
                # A cycle that must think anew may take minutes. Nobody waits so long for a turn.
                self._intents.release(self.row.mandate)
        if ask.drawing is not None:
            self._tell_drawing(ask.drawing)
        reply = await self._ask(ask)
        if isinstance(reply, Inferred) and self.origin is not None and (token := self.origin.token):
            spent = sum(row.tokens for row in reply.rows)
            self._note(lambda: journal.tokens.spend(token, spent))
        if isinstance(reply, Inferred | BaseModelReply):
            self._measured.speed = reply.speed
        if ask.keep:
            await journal.run(lambda: self._keep(key, reply))
        return reply

    async def _left(self, ask: Left) -> float:
        """What was told before, where this is thought again: who was late then is late now."""
        journal, key = self._journal, reply_key(self.row.mandate, ask)
        kept = await journal.run(lambda: journal.reply(key), durable=False)
        if kept is not None:
            return float(codec.decode(kept))
        left = self.deadline.left()
        self._note(lambda: journal.keep(key, self.row.mandate, codec.encode(left)))
        return left

    def _keep(self, key: str, reply: Any) -> None:
        """On the journal's thread: a reply, and of which documents it tells."""
        self._journal.keep(key, self.row.mandate, codec.pack(reply))
        if isinstance(reply, Found):
            self._journal.told.note(self.row.mandate, (hit.doc_id for hit in reply.hits))

    async def _together(self, calls: Sequence[RemoteCall]) -> list[Any]:
        room, done = asyncio.Semaphore(AT_ONCE), 0

        async def one(call: RemoteCall) -> Any:
            nonlocal done
            async with room:
                reply = await self._call(call)
            done += 1
            detail: dict[str, Value] = {"what": call.verb.name, "done": done, "of": len(calls)}
            self._tell(Event(event="progress", mandate=self.row.mandate, detail=detail))
            return reply

        tasks = [asyncio.create_task(one(call)) for call in calls]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:  # the first that fails ends the others
                task.cancel()

    def _tell_drawing(self, drawing: Drawing) -> None:
        speed = self._measured.speed
        detail: dict[str, Value] = {
            "round": drawing.round,
            "form": drawing.form,
            "rows": drawing.rows,
            "tokens_left": drawing.tokens_left,
            "seconds_left": round(self.deadline.left(), 1),
            "tokens_per_s": (speed.many if drawing.rows > 1 else speed.one) or None,
        }
        self._tell(Event(event="drawing", mandate=self.row.mandate, cycle=drawing.cycle, detail=detail))

    async def _ask(self, ask: RemoteCall) -> Any:
        """The actor's reply. Where nothing was done, or nothing that is not repeatable, it is asked until the deadline."""

        async def attempt(left: float) -> Any:
            self.cancellation.check()
            calling = self._caller.call(
                ask.verb,
                ask.request,
                seconds=left,
                causation=self.row.mandate,
                on_partial=follower(self.row.mandate, ask.voices, self._tell) if ask.voices else None,
                origin=self.origin,
            )
            return await self.cancellation.unless(calling)

        try:
            return await Again(self.deadline.left(), is_patient=True).answer(attempt)
        except TimeoutError:
            self.cancellation.check()
            raise late(self.deadline, f"{ask.verb.service} had answered") from None


class _Result(msgspec.Struct, frozen=True):
    value: Value
