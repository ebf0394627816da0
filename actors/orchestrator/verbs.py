"""What the orchestrator is asked, verb by verb; the rooms that hold several of them give theirs as a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ulid import ULID

from actors.orchestrator import admission, codex, views
from actors.orchestrator.hand import calls, reading
from actors.orchestrator.hand.bundles import exporting
from actors.orchestrator.hand.checking import Checking
from actors.orchestrator.hand.undoing import rewind, undo
from actors.orchestrator.journal import packing
from actors.orchestrator.lineage.lineage import lineage
from actors.orchestrator.parts import Parts
from actors.orchestrator.past import diff, log, naming
from actors.orchestrator.primitives.performers import PERFORMERS
from actors.orchestrator.reasons.verbs import ReasonVerbs
from actors.orchestrator.thinking.asks import Thinking
from actors.orchestrator.thinking.overlay import Overlay
from actors.orchestrator.thinking.thought import Thought
from bus.service import Call, Handler
from protocol import names
from protocol.errors import BatosError
from protocol.messages import (
    Accepted,
    CameOf,
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
    ForgetDerived,
    ForgottenDerived,
    Imported,
    Learn,
    Lineage,
    Log,
    Logged,
    Mandate,
    MandateReply,
    New,
    Pack,
    Packed,
    PlanRewind,
    PlanUndo,
    Rejected,
    Renamed,
    Reverted,
    RevokeToken,
    Rewind,
    SlotsSet,
    TokenRevoked,
    Undo,
    Undone,
    Watch,
    Watched,
)
from world.past import moments
from world.store import Store, is_lost, snapshot

IMPORT_S: Final = 600.0
"""Seconds for a bundle: a thousand methods are judged and tried, on a slow machine."""
BACK_S: Final = 600.0
"""Seconds for what takes back: it may be all that a world has become in a month."""


class Verbs:
    """All verbs but `status`, over the parts that answer them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def handlers(self) -> dict[str, Handler]:
        parts = self._parts
        return {
            "mandate": self.mandate,
            "cancel": self.cancel,
            "cycles": self.cycles,
            "watch": self.watch,
            "pack": self.pack,
            "came_of": self.came_of,
            "forget_derived": self.forget_derived,
            "codex": self.codex,
            "new": self.new,
            "look": parts.of_world(views.look),
            "source": parts.of_world(views.source),
            "list": parts.of_world(reading.listed),
            "history": parts.of_world(reading.versions),
            "define": parts.by_hand(lambda hand: f"define {hand.name}", Defined),
            "set": parts.by_hand(lambda hand: f"set {hand.name} {' '.join(hand.slots)}", SlotsSet),
            "drop": parts.by_hand(lambda hand: f"drop {hand.name} {hand.entry or ''}".rstrip(), Dropped),
            "rename": parts.by_hand(lambda hand: f"rename {hand.name} {hand.to}", Renamed),
            "revert": parts.by_hand(lambda hand: f"revert {hand.name} {hand.selector}", Reverted),
            "confirm": self.confirm,
            "correct": self.correct,
            "check": self.check,
            "export": parts.of_world(exporting.exported),
            "import": parts.by_hand(lambda hand: f"import {hand.name}", Imported, seconds=IMPORT_S, tells=True),
            "accept": parts.by_hand(lambda hand: f"accept {hand.id}", Accepted),
            "reject": parts.by_hand(lambda hand: f"reject {hand.id}", Rejected),
            "proposals": parts.of_world(reading.proposals),
            "log": self.log,
            "diff": parts.of_world(diff.diff),
            "undo": self.undo,
            "rewind": self.rewind,
            "make_token": parts.of_journal(admission.make),
            "tokens": parts.of_journal(admission.every, durable=False),
            "revoke_token": self.revoke_token,
            "admit": parts.of_journal(admission.admit, durable=False),
            "charge": parts.of_journal(admission.charge),
            **ReasonVerbs(parts).handlers(),
        }

    async def mandate(self, request: Mandate, call: Call) -> MandateReply:
        key = call.envelope.idem or str(ULID())
        return await self._parts.mandates.answer(request, key, call.partial, call.envelope.origin)

    async def cancel(self, request: Cancel, call: Call) -> Cancelled:
        return await self._parts.mandates.cancel(request.id, call.envelope.origin)

    async def cycles(self, request: Cycles, _: Call) -> CyclesReply:
        found = await self._parts.in_journal(lambda journal: views.cycles(journal, request.id, request.limit))
        if self._parts.has_mandates is None:  # the journal tells its story before the world is there
            return found
        try:
            return await self._parts.in_world(lambda store: views.named(store, found), again=True)
        except BatosError as error:
            if not is_lost(error):
                raise
            return found

    async def watch(self, request: Watch, call: Call) -> Watched:
        return await self._parts.mandates.watch(request.id, call.partial)

    async def pack(self, request: Pack, _: Call) -> Packed:
        parts = self._parts
        return await packing.pack(parts.home, parts.store, parts.journal, parts.settings.orchestrator, request)

    async def came_of(self, request: CameOf, _: Call) -> Lineage:
        return await lineage(self._parts.store, self._parts.journal, request.doc_ids, walk=request.walk)

    async def forget_derived(self, request: ForgetDerived, call: Call) -> ForgottenDerived:
        why = f"forget what came of {', '.join(request.derived.documents)}"
        return await self._parts.carry_out(request, "memory_manager_obj", why, call, ForgottenDerived)

    async def codex(self, request: Codex, _: Call) -> CodexReply:
        return await self._parts.in_world(lambda store: codex.serve(store, request))

    async def new(self, request: New, call: Call) -> Created:
        key, origin = call.envelope.idem, call.envelope.origin
        return await self._parts.in_world(lambda store: views.create(store, request, key, origin), again=bool(key))

    async def confirm(self, request: Confirm, call: Call) -> Confirmed:
        key = call.envelope.idem
        found = await self._parts.in_journal(lambda journal: calls.find(journal, request.mandate, key))
        known = await self._parts.in_world(lambda store: calls.confirmed(store.db, found), again=True)
        wanted = Confirm(mandate=found.id, call=known)
        return await self._parts.carry_out(wanted, known.receiver, f"confirm {found.id}", call, Confirmed)

    async def correct(self, request: Correct, call: Call) -> MandateReply:
        key = call.envelope.idem
        found = await self._parts.in_journal(lambda journal: calls.find(journal, request.mandate, key))
        holder, example = await self._parts.in_world(
            lambda store: calls.corrected(store.db, found, request.returns, request.slots_after), again=True
        )
        mandate = Mandate(
            target=holder,
            selector=found.mandate.selector,
            examples=[example],
            learn=Learn(again=True, corrects=True),
            seconds=request.seconds,
        )
        return await self._parts.mandates.answer(mandate, key or str(ULID()), call.partial, call.envelope.origin)

    async def check(self, request: Check, call: Call) -> Checked:
        parts = self._parts
        checking = Checking(
            parts.store, parts.caller, parts.settings, call.partial, lambda: not call.cancelled.is_set()
        )
        return await checking.run(request)

    async def revoke_token(self, request: RevokeToken, _: Call) -> TokenRevoked:
        return await self._parts.mandates.revoke(request.name)

    async def log(self, request: Log, _: Call) -> Logged:
        of = request.cycle
        found = None if of is None else await self._parts.in_journal(lambda journal: naming.meant(journal, of))
        return await self._parts.in_world(lambda store: log.log(store, request, found), again=True)

    async def undo(self, request: PlanUndo, call: Call) -> Undone:
        tid = await self._commit_of(request.what.strip(), call.envelope.idem)
        wanted = Undo(tids=[tid], cascade=request.cascade)
        if request.dry_run:
            return await self._planned(lambda thought: undo.planned(thought, wanted))
        return await self._parts.carry_out(wanted, names.MIND, f"undo {tid}", call, Undone, seconds=BACK_S)

    async def _commit_of(self, what: str, key: str | None) -> str:
        """The transaction that `what` names: itself, a cycle's or a mandate's, or the last one."""
        parts = self._parts
        if what == naming.LAST:
            known = await parts.in_journal(lambda journal: naming.last_of(journal, key))
            if known is None:
                known = await parts.in_world(lambda store: naming.last(store.db), again=True)
            return known
        if names.is_oid(what):
            return what
        found = await parts.in_journal(lambda journal: naming.meant(journal, what))
        return await parts.in_world(lambda store: naming.commit_of(store.db, what, found), again=True)

    async def rewind(self, request: PlanRewind, call: Call) -> Undone:
        wanted = Rewind(to=request.to)
        if request.dry_run:
            return await self._planned(lambda thought: rewind.planned(thought, wanted))
        why = f"rewind to {moments.told(request.to)}" if names.is_oid(request.to) else "rewind"
        return await self._parts.carry_out(wanted, names.MIND, why, call, Undone, seconds=BACK_S)

    async def _planned(self, plan: Callable[[Thought], Thinking[Undone]]) -> Undone:
        """What is only thought through: over a world that is left as it is."""
        settings = self._parts.settings.orchestrator

        def run(store: Store) -> Undone:
            with snapshot(store.db) as connection:
                thinking = plan(Thought("plan", Overlay(connection), settings, PERFORMERS))
                while True:
                    try:
                        next(thinking)  # it pauses for others, and asks nothing
                    except StopIteration as stop:
                        return stop.value  # type: ignore[no-any-return]

        return await self._parts.in_world(run, again=True)
