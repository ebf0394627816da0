"""What the orchestrator is asked, verb by verb; the rooms that hold several of them give theirs as a table."""

from __future__ import annotations

from typing import Final

from ulid import ULID

from actors.orchestrator import admission, codex, views
from actors.orchestrator.hand import calls, reading
from actors.orchestrator.hand.bundles import exporting
from actors.orchestrator.hand.checking import Checking
from actors.orchestrator.journal import packing
from actors.orchestrator.lineage.lineage import lineage
from actors.orchestrator.parts import Parts
from bus.service import Call, Handler
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
    Mandate,
    MandateReply,
    New,
    Pack,
    Packed,
    Rejected,
    Renamed,
    Reverted,
    RevokeToken,
    SlotsSet,
    TokenRevoked,
    Watch,
    Watched,
)
from world.store import is_lost

IMPORT_S: Final = 600.0
"""Seconds for a bundle: a thousand methods are judged and tried, on a slow machine."""


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
            "make_token": parts.of_journal(admission.make),
            "tokens": parts.of_journal(admission.every, durable=False),
            "revoke_token": self.revoke_token,
            "admit": parts.of_journal(admission.admit, durable=False),
            "charge": parts.of_journal(admission.charge),
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
