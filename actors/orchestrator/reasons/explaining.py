"""`why`: where a method, a mandate or a document comes from, read from the world, the journal and a replay. Nothing is written."""

from __future__ import annotations

import re
from typing import Final

import msgspec
from ZODB.utils import p64, u64

from actors.orchestrator.journal.journal import CycleRow, Journal, MandateRow
from actors.orchestrator.lineage.holdings import Holdings, holdings, may_be_left
from actors.orchestrator.lineage.lineage import came_from
from actors.orchestrator.past.changes import changed
from actors.orchestrator.primitives.contracts import holding
from actors.orchestrator.reasons import causes, uses
from actors.orchestrator.reasons.meant import HeldMethod, document, meant
from actors.orchestrator.reasons.rethinking import Rethinking, ending_of
from actors.orchestrator.reasons.telling import Heard, Within, heard
from protocol import codec
from protocol.checks.documents import BY
from protocol.errors import BatosError
from protocol.messages import ChangedObject, MandateReply, Reasons, Why
from protocol.messages.reasons import Cause, DocumentReason, MandateReason, MethodReason, WrittenReason
from world import history
from world import root as world_root
from world.past import commits, moments
from world.store import Store, snapshot

MOST_CHANGED: Final = 20
ID: Final = 26
"""Characters of a mandate's id."""
CYCLE: Final = re.compile(r"c[0-9a-f]{20}")


class Explaining:
    """Answers for one orchestrator's world and journal."""

    def __init__(self, store: Store, journal: Journal, rethinking: Rethinking) -> None:
        self._store, self._journal, self._rethinking = store, journal, rethinking

    async def run(self, request: Why) -> Reasons:
        """Where it comes from. BAD_ARGUMENT where nobody can tell what is meant; UNKNOWN_… and EXPIRED as ever."""
        found = await meant(self._store, self._journal, request.what, request.kind)
        if found.method is not None:
            return await self._method(request, found.method)
        if found.row is not None:
            return await self._mandate(request, found.row)
        return await self._document(request, str(found.doc_id))

    # Methods --------------------------------------------------------------------------------------------------

    async def _method(self, request: Why, held: HeldMethod) -> Reasons:
        method, published = await self._store.read(lambda: self._held(held))
        missing: list[str] = []
        came_of: list[Cause] = []
        told = Heard()
        candidates, read = 0, None
        if CYCLE.fullmatch(method.author):
            row = await self._journal.run(lambda: self._journal.by_id(method.author), durable=False)
            if row is None:
                missing.append(f"the cycle {method.author}: EXPIRED: the journal has forgotten it")
            else:
                came_of, within, candidates = await self._came_of(row, method.author)
                told = await heard(self._rethinking, row, within)
                read = told.read
        if published and published not in {one.mandate for one in came_of}:
            row = await self._journal.run(lambda: self._journal.by_id(published), durable=False)
            came_of += [] if row is None else [causes.of_mandate(row)]
            missing += [] if row is not None else [f"the mandate {published}: EXPIRED: the journal has forgotten it"]
        method = msgspec.structs.replace(method, candidates=candidates, read=read)
        return Reasons(
            kind="method",
            what=request.what,
            method=method,
            causes=came_of,
            texts=told.texts,
            passages=told.passages,
            missing=[*missing, *told.missing],
            used_by=await uses.of_method(self._store, self._journal, held, method.tid) if request.used_by else None,
        )

    def _held(self, held: HeldMethod) -> tuple[MethodReason, str]:
        """The method, and the mandate whose commit has put it there, "" where the commit does not say."""
        with snapshot(self._store.db) as connection:
            holder = world_root.get(connection, held.holder)
            versions = history.versions(holder, held.selector)
            at = max(number for number, one in enumerate(versions) if one.method is not None)
            version, method = versions[at], versions[at].method
            assert method is not None
            before = next((one.method for one in reversed(versions[:at]) if one.method is not None), None)
            told = MethodReason(
                name=holder._name or held.holder,
                holder=held.holder,
                selector=held.selector,
                parameters=list(method.parameters),
                sha256=method.sha256,
                source=method.source,
                stands=holder._slots.get(held.selector) is method,
                tid=version.tid,
                time=version.time,
                author=method.author,
                put_by=version.author,
                asked_by=method.asked_by,
                why=version.why,
                intent=method.intent,
                origin=method.origin,
                model=method.model,
                expert=method.expert,
                verdict=method.verdict if method.source is not None else "primitive",
                examples=holding.contract(method),
                versions=len(versions),
                replaced=None if before is None else before.sha256,
                cycle=method.author if CYCLE.fullmatch(method.author) else None,
                read=None,
                candidates=0,
            )
        return told, causes.publisher(self._store.db, version.tid)

    async def _came_of(self, row: MandateRow, cycle: str) -> tuple[list[Cause], Within, int]:
        """The mandate and the cycles that a cycle came of, itself at the end; where it stands; how many candidates it had."""
        journal = self._journal

        def read() -> tuple[list[CycleRow], Within, int]:
            places = journal.finding.places(row.mandate)
            here = places.get(cycle, "")
            nested = [path for one, path in places.items() if path.startswith(f"{here}.")]
            return causes.chain(journal, row, cycle), Within(cycle, here, nested), len(journal.verdicts(cycle))

        found, within, candidates = await journal.run(read, durable=False)
        return [causes.of_mandate(row), *await self._cycles(found)], within, candidates

    async def _cycles(self, found: list[CycleRow]) -> list[Cause]:
        called = await self._store.read(lambda: causes.names_of(self._store.db, {one.target for one in found}))
        return [causes.of_cycle(one, called.get(one.target, "")) for one in found]

    # Mandates -------------------------------------------------------------------------------------------------

    async def _mandate(self, request: Why, row: MandateRow) -> Reasons:
        journal, mandate = self._journal, row.mandate

        def read() -> tuple[list[CycleRow], list[tuple[CycleRow, str, bool]], dict[str, str]]:
            cycles = [one for one in map(journal.cycle, journal.begun(mandate)) if one is not None]
            wrote = [
                (one, verdict.sha256, verdict.installed)
                for one in cycles
                for verdict in journal.verdicts(one.cycle)
                if verdict.chosen
            ]
            return cycles, wrote, journal.finding.digests(mandate)

        cycles, wrote, digests = await journal.run(read, durable=False)
        called = await self._store.read(lambda: causes.names_of(self._store.db, {one.target for one in cycles}))
        held = await self._store.read(self._holdings)
        tid = codec.unpack(row.reply, MandateReply).tid if row.reply and row.state == "complete" else None
        told = await heard(self._rethinking, row) if row.state != "accepted" else Heard(missing=["its end: it runs"])
        changes, gone = await self._store.read(lambda: self._changed(tid))
        reason = MandateReason(
            mandate=mandate,
            cycles=[causes.of_cycle(one, called.get(one.target, "")) for one in cycles],
            wrote=[
                WrittenReason(
                    name=called.get(one.target, ""),
                    oid=one.target,
                    selector=one.selector,
                    sha256=sha256,
                    cycle=one.cycle,
                    installed=installed,
                )
                for one, sha256, installed in wrote
            ],
            ending=ending_of(row) if row.reply else None,
            tid=tid,
            read=row.read,
            changed=changes,
            documents=[
                kept.doc_id for kept in held.documents if kept.mandate == mandate and may_be_left(kept.by, row.origin)
            ],
            digests=digests,
        )
        return Reasons(
            kind="mandate",
            what=request.what,
            mandate=reason,
            causes=[causes.of_mandate(row)],
            texts=told.texts,
            passages=told.passages,
            missing=[*told.missing, *gone],
            used_by=await uses.of_mandate(self._store, journal, reason) if request.used_by else None,
        )

    def _changed(self, tid: str | None) -> tuple[list[ChangedObject], list[str]]:
        """What a commit has changed, or why nobody knows any more."""
        if tid is None:
            return [], []
        db = self._store.db
        try:
            moments.checked(db, p64(u64(bytes.fromhex(tid)) - 1).hex())
        except BatosError as error:
            return [], [f"what it changed: {error.code}: {error.message}"]
        commit = commits.at(db, tid)
        return [] if commit is None else [one.told() for one in changed(db, commit)[:MOST_CHANGED]], []

    def _holdings(self) -> Holdings:
        with snapshot(self._store.db) as connection:
            return holdings(connection, walk=False)

    # Documents ------------------------------------------------------------------------------------------------

    async def _document(self, request: Why, doc_id: str) -> Reasons:
        def read() -> DocumentReason:
            with snapshot(self._store.db) as connection:
                found = document(connection, doc_id)
                if found is None:
                    raise BatosError(
                        "UNKNOWN_DOCUMENT", f"no document is called {doc_id[:200]!r}", "`batos ls documents`"
                    )
                return DocumentReason(
                    doc_id=doc_id,
                    sha256=found.sha256,
                    passages=len(found.chunks),
                    time=found.created,
                    metadata=found.metadata,
                    sources=[],
                )

        reason = await self._store.read(read)
        held = await self._store.read(self._holdings)
        journal, mandate = self._journal, str(reason.metadata.get("mandate", ""))

        def told() -> tuple[list[str], MandateRow | None]:
            is_id = len(mandate) == ID  # anything else may be the beginning of several
            return came_from(journal, held, [doc_id])[1:], journal.by_id(mandate) if is_id else None

        sources, row = await journal.run(told, durable=False)
        missing = [f"the mandate {mandate}: EXPIRED: the journal has forgotten it"] if mandate and row is None else []
        by = str(reason.metadata.get(BY, ""))
        if row is not None and not may_be_left(by, row.origin):
            missing = [f"the mandate {mandate}, which {by} names: somebody else has asked for that"]
            row = None
        cycle = str(reason.metadata.get("cycle", ""))
        came_of = [] if row is None else [causes.of_mandate(row)]
        if row is not None and cycle:
            chain = await journal.run(lambda: causes.chain(journal, row, cycle), durable=False)
            came_of += await self._cycles(chain)
        reason = msgspec.structs.replace(reason, sources=sources)
        return Reasons(
            kind="document",
            what=request.what,
            document=reason,
            causes=came_of,
            missing=missing,
            used_by=await uses.of_documents(self._store, journal, [doc_id]) if request.used_by else None,
        )
