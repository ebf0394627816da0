"""The orchestrator's shell: verbs in, replies out, and the start.

The life of an orchestrator: 1. it takes its lock and answers `status` at once; 2. it waits for the storage server, has
the guardian judge the image if the world is older than this program, and awakens the world; 3. it takes up what the
journal holds unfinished; 4. it is ready; 5. on SIGTERM it stops thinking, and what is unfinished stays in the journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec
import structlog
from ulid import ULID

from actors.orchestrator import admission, codex, views
from actors.orchestrator.hand import calls, reading
from actors.orchestrator.hand.bundles import exporting
from actors.orchestrator.hand.checking import Checking
from actors.orchestrator.journal import packing, schema
from actors.orchestrator.journal.database import damaged
from actors.orchestrator.journal.journal import Journal
from actors.orchestrator.mandates import Mandates
from bus.client import Caller, Client
from bus.life import Actor
from bus.process.lock import hold
from bus.service import Call, Handler, stop_on_signals
from protocol import codec, verbs
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import (
    Accept,
    Accepted,
    Cancel,
    Cancelled,
    Check,
    Checked,
    Codex,
    CodexReply,
    Confirm,
    Confirmed,
    Correct,
    Created,
    Cycles,
    CyclesReply,
    Defined,
    Dropped,
    Event,
    Export,
    Exported,
    History,
    Imported,
    Judge,
    Learn,
    List,
    Listed,
    Look,
    Looked,
    Mandate,
    MandateReply,
    New,
    Pack,
    Packed,
    Proposals,
    ProposalsReply,
    Reject,
    Rejected,
    Renamed,
    Reverted,
    RevokeToken,
    SlotsSet,
    Source,
    SourceText,
    TokenRevoked,
    Versions,
    Watch,
    Watched,
)
from protocol.verbs import Reply
from world import awakening
from world.store import Store, is_lost, open_store

T = TypeVar("T")

JUDGE_S: Final = 10.0
HAND_S: Final = 25.0
"""Seconds for what a person does by hand, who waits for it: a little less than the command's patience."""
IMPORT_S: Final = 600.0
"""Seconds for a bundle: a thousand methods are judged and tried, on a slow machine."""
HAND_WHY: Final = 300
LOOK_S: Final = 1.0

_log = structlog.get_logger("orchestrator")


class Orchestrator(Actor):
    """The parts of a running orchestrator."""

    service = "orchestrator"

    def __init__(self, home: Home, caller: Caller, stop: asyncio.Event) -> None:
        super().__init__(home, "the storage server")
        self.damage: BatosError | None = None
        self._caller = caller
        self._stop = stop
        self._beside: list[asyncio.Task[None]] = []
        self._store: Store | None = None
        self._journal: Journal | None = None
        self._mandates: Mandates | None = None

    def give_up(self, error: BatosError) -> None:
        """Stop the process with `error`: no time that passes mends it, only a person does."""
        self.damage = self.damage or error
        self._stop.set()

    async def close(self) -> None:
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        if self._mandates is not None:
            await self._mandates.close()
        if self._journal is not None:
            self._journal.close()
        if self._store is not None:
            await asyncio.to_thread(self._store.close)

    async def _step(self) -> None:
        if self._journal is None:
            # First, because it needs nobody: what is wrong with it is said at once.
            self._journal = await asyncio.to_thread(Journal, self.home.journal, self.give_up)
        if self._store is None:
            self.waiting_for = "the storage server"
            self._store = await asyncio.to_thread(
                open_store, self.settings, self.home, name="orchestrator", seconds=self.retry_s * 4
            )
        store = self._store
        if await store.run(lambda: awakening.schema_version(store.db)) < awakening.CURRENT:
            self.waiting_for = "the guardian's judgement of the image"
            await self._judge_image()
        self.waiting_for = "the awakening"
        await store.run(lambda: awakening.awaken(store.db))
        mandates = Mandates(store, self._journal, self._caller, self.settings)
        taken_up = await mandates.recover()
        self._mandates, self.waiting_for = mandates, ""
        self._beside = [
            asyncio.create_task(packing.retain(self._journal, packing.limits_of(self.settings.orchestrator))),
            asyncio.create_task(self._look_through()),
            asyncio.create_task(self._journal.stay(LOOK_S)),
            asyncio.create_task(mandates.learn_speed()),
        ]
        _log.info("ready", taken_up=taken_up)

    async def _look_through(self) -> None:
        """Read all of a large journal while it is served from: what is broken in it must not wait for who comes to it."""
        path = self.home.journal
        if path.stat().st_size > schema.SMALL:
            found = await asyncio.to_thread(schema.problems, path, check="quick_check")
            if found:
                self.give_up(damaged(path, found[0]))

    async def _judge_image(self) -> None:
        """The kernel's own methods pass the same gate as any other method, or there is no world."""
        for method in awakening.image():
            request = Judge(source=method.source, kernel=True)
            verdict = await self._caller.call(verbs.JUDGE, request, seconds=JUDGE_S)
            if not verdict.accepted:
                first = verdict.violations[0]
                raise BatosError(
                    "REFUSED",
                    f"the image's {method.holder}/{method.selector} is refused: {first.rule} at line {first.line}:"
                    f" {first.message}",
                    "This installation is damaged; install it again.",
                )

    # Verbs ----------------------------------------------------------------------------------------------------

    def handlers(self) -> dict[str, Handler]:
        return {
            "mandate": self.mandate,
            "cancel": self.cancel,
            "cycles": self.cycles,
            "watch": self.watch,
            "pack": self.pack,
            "codex": self.codex,
            "new": self.new,
            "look": self.look,
            "source": self.source,
            "list": self.list,
            "history": self.history,
            "define": self._by_hand(lambda hand: f"define {hand.name}", Defined),
            "set": self._by_hand(lambda hand: f"set {hand.name} {' '.join(hand.slots)}", SlotsSet),
            "drop": self._by_hand(lambda hand: f"drop {hand.name} {hand.entry or ''}".rstrip(), Dropped),
            "rename": self._by_hand(lambda hand: f"rename {hand.name} {hand.to}", Renamed),
            "revert": self._by_hand(lambda hand: f"revert {hand.name} {hand.selector}", Reverted),
            "confirm": self.confirm,
            "correct": self.correct,
            "check": self.check,
            "export": self.export,
            "import": self._by_hand(lambda hand: f"import {hand.name}", Imported, seconds=IMPORT_S, tells=True),
            "accept": self._by_hand(lambda hand: f"accept {hand.id}", Accepted),
            "reject": self._by_hand(lambda hand: f"reject {hand.id}", Rejected),
            "proposals": self.proposals,
            "make_token": self._of_journal(admission.make),
            "tokens": self._of_journal(admission.every, durable=False),
            "revoke_token": self.revoke_token,
            "admit": self._of_journal(admission.admit, durable=False),
            "charge": self._of_journal(admission.charge),
            "status": self.status,
        }

    async def mandate(self, request: Mandate, call: Call) -> MandateReply:
        if self._mandates is None:
            raise self._not_ready()
        return await self._mandates.answer(
            request, call.envelope.idem or str(ULID()), call.partial, call.envelope.origin
        )

    async def cancel(self, request: Cancel, call: Call) -> Cancelled:
        if self._mandates is None:
            raise self._not_ready()
        return await self._mandates.cancel(request.id, call.envelope.origin)

    async def cycles(self, request: Cycles, _: Call) -> CyclesReply:
        if self._journal is None:
            raise self._not_ready()
        journal = self._journal
        found = await journal.run(lambda: views.cycles(journal, request.id, request.limit), durable=False)
        if self._mandates is None:  # the journal tells its story before the world is there
            return found
        try:
            return await self._in_world(lambda store: views.named(store, found), again=True)
        except BatosError as error:
            if not is_lost(error):
                raise
            return found

    async def watch(self, request: Watch, call: Call) -> Watched:
        if self._mandates is None:
            raise self._not_ready()
        return await self._mandates.watch(request.id, call.partial)

    async def pack(self, request: Pack, _: Call) -> Packed:
        if self._mandates is None or self._store is None or self._journal is None:
            raise self._not_ready()
        return await packing.pack(self.home, self._store, self._journal, self.settings.orchestrator, request)

    async def codex(self, request: Codex, _: Call) -> CodexReply:
        return await self._in_world(lambda store: codex.serve(store, request))

    async def new(self, request: New, call: Call) -> Created:
        key, origin = call.envelope.idem, call.envelope.origin
        return await self._in_world(lambda store: views.create(store, request, key, origin), again=bool(key))

    async def look(self, request: Look, _: Call) -> Looked:
        return await self._in_world(lambda store: views.look(store, request), again=True)

    async def source(self, request: Source, _: Call) -> SourceText:
        return await self._in_world(lambda store: views.source(store, request), again=True)

    async def list(self, request: List, _: Call) -> Listed:
        return await self._in_world(lambda store: reading.listed(store, request), again=True)

    async def history(self, request: History, _: Call) -> Versions:
        return await self._in_world(lambda store: reading.versions(store, request), again=True)

    async def confirm(self, request: Confirm, call: Call) -> Confirmed:
        if self._mandates is None or self._journal is None:
            raise self._not_ready()
        journal = self._journal
        found = await journal.run(lambda: calls.find(journal, request.mandate, call.envelope.idem), durable=False)
        known = await self._in_world(lambda store: calls.confirmed(store.db, found), again=True)
        wanted = Confirm(mandate=found.id, call=known)
        return await self._carry_out(wanted, known.receiver, f"confirm {found.id}", call, Confirmed)

    async def correct(self, request: Correct, call: Call) -> MandateReply:
        if self._mandates is None or self._journal is None:
            raise self._not_ready()
        journal = self._journal
        found = await journal.run(lambda: calls.find(journal, request.mandate, call.envelope.idem), durable=False)
        holder, example = await self._in_world(
            lambda store: calls.corrected(store.db, found, request.returns, request.slots_after), again=True
        )
        mandate = Mandate(
            target=holder,
            selector=found.mandate.selector,
            examples=[example],
            learn=Learn(again=True, corrects=True),
            seconds=request.seconds,
        )
        return await self._mandates.answer(
            mandate, call.envelope.idem or str(ULID()), call.partial, call.envelope.origin
        )

    async def check(self, request: Check, call: Call) -> Checked:
        if self._mandates is None or self._store is None:
            raise self._not_ready()
        checking = Checking(self._store, self._caller, self.settings, call.partial, lambda: not call.cancelled.is_set())
        return await checking.run(request)

    async def export(self, request: Export, _: Call) -> Exported:
        return await self._in_world(lambda store: exporting.exported(store, request), again=True)

    async def proposals(self, request: Proposals, _: Call) -> ProposalsReply:
        return await self._in_world(lambda store: reading.proposals(store, request), again=True)

    async def revoke_token(self, request: RevokeToken, _: Call) -> TokenRevoked:
        if self._mandates is None:
            raise self._not_ready()
        return await self._mandates.revoke(request.name)

    def _of_journal(self, work: Callable[[Journal, Any], Reply], *, durable: bool = True) -> Handler:
        """A verb that the journal alone answers."""

        async def serve(request: Any, _: Call) -> Reply:
            if self._journal is None:
                raise self._not_ready()
            journal = self._journal
            return await journal.run(lambda: work(journal, request), durable=durable)

        return serve

    def _by_hand(
        self, why: Callable[[Any], str], reply: type[Reply], *, seconds: float = HAND_S, tells: bool = False
    ) -> Handler:
        """A verb that a person writes into the world by: a mandate, with its result as that verb's `reply`.

        One that `tells` has partial replies, what happens on the way.
        """

        async def serve(request: Any, call: Call) -> Reply:
            tell = call.partial if tells else None
            if isinstance(request, Accept | Reject):
                beginning = request.id
                on = await self._in_world(lambda store: reading.id_of(store, beginning), again=True)
                request = msgspec.structs.replace(request, id=on)
            else:
                on = request.name
            return await self._carry_out(request, on, why(request), call, reply, seconds=seconds, tell=tell)

        return serve

    async def _carry_out(
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
        if self._mandates is None:
            raise self._not_ready()
        mandate = Mandate(target=target, selector="", intent=why[:HAND_WHY], hand=hand, seconds=seconds)
        key, origin = call.envelope.idem or str(ULID()), call.envelope.origin
        done = await self._mandates.answer(mandate, key, tell or (lambda _: None), origin)
        waits = {} if done.proposal is None else {"proposal": done.proposal}
        return codec.convert({**done.result, "tid": done.tid, **waits}, reply)

    async def _detail(self) -> dict[str, Any]:
        detail: dict[str, Any] = {}
        if self._mandates is not None and self._journal is not None:
            journal = self._journal
            detail["cycles"] = await journal.run(journal.counts, durable=False)
            detail["world"] = await self._in_world(views.world_status)
        return detail

    async def _in_world(self, work: Callable[[Store], T], *, again: bool = False) -> T:
        if self._mandates is None or self._store is None:
            raise self._not_ready()
        store = self._store
        return await store.run(lambda: work(store), again=again)


async def run(home: Home) -> None:
    """Serve the home until SIGTERM; HOME_HELD where another orchestrator holds it, and what no waiting mends."""
    home.prepare()
    stop = stop_on_signals()
    with hold(home.run / "orchestrator.lock", f"the world of {home.root}"):
        async with Client(home.bus, "orchestrator", patience=30.0) as client:
            orchestrator = Orchestrator(home, client, stop)
            await orchestrator.live(stop)
    if orchestrator.damage is not None:
        raise orchestrator.damage
