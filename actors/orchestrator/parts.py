"""The parts of a running orchestrator, as they come to be, and how its verbs use them: in the world, in the journal, as a mandate.

A verb that is asked for before its part is there is answered NOT_READY.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec
from ulid import ULID

from actors.orchestrator.hand import reading
from actors.orchestrator.journal.journal import Journal
from actors.orchestrator.mandates import Mandates
from bus.client import Caller
from bus.service import Call, Handler
from protocol import codec
from protocol.errors import BatosError
from protocol.home import Home, Settings
from protocol.messages import Accept, Event, Mandate, Reject
from protocol.verbs import Reply
from world.store import Store

T = TypeVar("T")

HAND_S: Final = 25.0
"""Seconds for what a person does by hand, who waits for it: a little less than the command's patience."""
HAND_WHY: Final = 300


class Parts:
    """`not_ready` says what an orchestrator still waits for."""

    def __init__(self, home: Home, settings: Settings, caller: Caller, not_ready: Callable[[], BatosError]) -> None:
        self.home = home
        self.settings = settings
        self.caller = caller
        self.has_store: Store | None = None
        self.has_journal: Journal | None = None
        self.has_mandates: Mandates | None = None
        self._not_ready = not_ready

    @property
    def journal(self) -> Journal:
        if self.has_journal is None:
            raise self._not_ready()
        return self.has_journal

    @property
    def mandates(self) -> Mandates:
        """There once the world is awake."""
        if self.has_mandates is None:
            raise self._not_ready()
        return self.has_mandates

    @property
    def store(self) -> Store:
        if self.has_mandates is None or self.has_store is None:
            raise self._not_ready()
        return self.has_store

    async def in_world(self, work: Callable[[Store], T], *, again: bool = False) -> T:
        """`work` on the world's thread; `again` as in `Store.run`."""
        store = self.store
        return await store.run(lambda: work(store), again=again)

    async def in_journal(self, work: Callable[[Journal], T], *, durable: bool = False) -> T:
        """`work` on the journal's thread."""
        journal = self.journal
        return await journal.run(lambda: work(journal), durable=durable)

    def of_world(self, work: Callable[[Store, Any], Reply]) -> Handler:
        """A verb that the world alone answers, and that only reads."""

        async def serve(request: Any, _: Call) -> Reply:
            return await self.in_world(lambda store: work(store, request), again=True)

        return serve

    def of_journal(self, work: Callable[[Journal, Any], Reply], *, durable: bool = True) -> Handler:
        """A verb that the journal alone answers."""

        async def serve(request: Any, _: Call) -> Reply:
            return await self.in_journal(lambda journal: work(journal, request), durable=durable)

        return serve

    def by_hand(
        self, why: Callable[[Any], str], reply: type[Reply], *, seconds: float = HAND_S, tells: bool = False
    ) -> Handler:
        """A verb that a person writes into the world by: a mandate, with its result as that verb's `reply`.

        One that `tells` has partial replies, what happens on the way.
        """

        async def serve(request: Any, call: Call) -> Reply:
            tell = call.partial if tells else None
            if isinstance(request, Accept | Reject):
                beginning = request.id
                on = await self.in_world(lambda store: reading.id_of(store, beginning), again=True)
                request = msgspec.structs.replace(request, id=on)
            else:
                on = request.name
            return await self.carry_out(request, on, why(request), call, reply, seconds=seconds, tell=tell)

        return serve

    async def carry_out(
        self,
        hand: Any,
        target: str,
        why: str,
        call: Call,
        reply: type[Reply],
        *,
        seconds: float = HAND_S,
        tell: Callable[[Event], None] | None = None,
    ) -> Reply:
        """Have `hand` done on `target` as a mandate of whoever has called, under the call's key."""
        mandate = Mandate(target=target, selector="", intent=why[:HAND_WHY], hand=hand, seconds=seconds)
        key, origin = call.envelope.idem or str(ULID()), call.envelope.origin
        done = await self.mandates.answer(mandate, key, tell or (lambda _: None), origin)
        waits = {} if done.proposal is None else {"proposal": done.proposal}
        return codec.convert({**done.result, "tid": done.tid, **waits}, reply)
