"""What came of something: who sends a method and was answered by it, and what came of documents (`lineage`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from actors.orchestrator.journal.journal import Journal, MandateRow
from actors.orchestrator.lineage.lineage import lineage
from actors.orchestrator.reasons import causes
from actors.orchestrator.reasons.meant import HeldMethod
from protocol.errors import BatosError
from protocol.messages.reasons import Cause, MandateReason, UsedBy
from world import root as world_root
from world.finding import mentions
from world.store import Store, snapshot
from world.uvm import lookup
from world.values import oid_of

LOOKED_THROUGH: Final = 500
"""The newest mandates, among which those are looked for that a method has answered."""
MOST: Final = 100


async def of_method(store: Store, journal: Journal, held: HeldMethod, since: str) -> UsedBy:
    """The methods that send the selector, and the mandates since the commit `since` that the method has answered."""

    def senders() -> tuple[list[str], bool]:
        with snapshot(store.db) as connection:
            of_kernel = world_root.is_kernel(world_root.get(connection, held.holder))
            found = {
                f"{here._name or oid_of(here)}.{method.selector}"
                for here, method in mentions.using(connection, held.selector)
                if (oid_of(here), method.selector) != (held.holder, held.selector)
                and (of_kernel or not world_root.is_kernel(here))  # which sends nothing of the user's by its name
            }
            called = {method._p_oid for _, method in mentions.called(connection, held.selector)}
        return sorted(found), len(called) == 1

    methods, is_only = await store.read(senders)
    rows = await journal.run(lambda: _sent(journal, held.selector, since), durable=False)
    answered = await store.read(lambda: _answered(store, held, rows))
    if is_only:  # nobody else could have answered a message of that selector
        within = await journal.run(lambda: _within(journal, held.selector, since), durable=False)
        known = {row.mandate for row in answered}
        answered += [row for row in within if row.mandate not in known]
    return UsedBy(
        methods=methods,
        mandates=[causes.of_mandate(row) for row in answered[:MOST]],
        documents=[],
        proposals=[],
        threads=[],
        unknown=[],
    )


async def of_mandate(store: Store, journal: Journal, reason: MandateReason) -> UsedBy:
    """What came of the methods that a mandate has written, and of the documents that it has left."""
    found = await of_documents(store, journal, reason.documents) if reason.documents else _nothing()
    methods: dict[str, None] = dict.fromkeys(found.methods)
    mandates: dict[str, Cause] = {one.mandate: one for one in found.mandates}
    for one in reason.wrote:
        if one.installed:
            users = await of_method(store, journal, HeldMethod(one.oid, one.selector), reason.tid or "")
            methods.update(dict.fromkeys(users.methods))
            mandates.update({user.mandate: user for user in users.mandates})
    mandates.pop(reason.mandate, None)
    return UsedBy(
        methods=list(methods),
        mandates=list(mandates.values()),
        documents=found.documents,
        proposals=found.proposals,
        threads=found.threads,
        unknown=found.unknown,
    )


async def of_documents(store: Store, journal: Journal, doc_ids: Sequence[str]) -> UsedBy:
    """What came of documents: answers, notes and methods, and the mandates that were told of them."""
    found = await lineage(store, journal, doc_ids)

    def rows() -> list[MandateRow]:
        return [row for row in map(journal.by_id, found.mandates[-MOST:]) if row is not None]

    mandates = await journal.run(rows, durable=False)
    return UsedBy(
        methods=[f"{one.name or one.oid}.{one.selector}" for one in found.methods],
        mandates=[causes.of_mandate(row) for row in mandates],
        documents=found.answers,
        proposals=found.proposals,
        threads=[one.name or one.oid for one in found.threads],
        unknown=found.unknown,
    )


def _nothing() -> UsedBy:
    return UsedBy(methods=[], mandates=[], documents=[], proposals=[], threads=[], unknown=[])


def _sent(journal: Journal, selector: str, since: str) -> list[tuple[MandateRow, str]]:
    """Of the newest mandates those that are such a message, each with its target, the newest first."""
    found = []
    for id_ in journal.finding.newest(LOOKED_THROUGH):
        row = journal.by_id(id_)
        mandate = None if row is None else causes.message_of(row)
        if row is None or mandate is None or not row.read or row.read < since:
            continue
        if mandate.selector == selector and mandate.hand is None and mandate.learn is None:
            found.append((row, mandate.target))
    return found


def _answered(store: Store, held: HeldMethod, rows: Sequence[tuple[MandateRow, str]]) -> list[MandateRow]:
    """Those whose target has the method, itself or as an heir."""
    answered: dict[str, bool] = {}
    with snapshot(store.db) as connection:
        for target in {target for _, target in rows}:
            try:
                found = lookup(world_root.resolve(connection, target), held.selector)
            except BatosError:
                continue  # it is gone
            answered[target] = found is not None and oid_of(found.holder) == held.holder
    return [row for row, target in rows if answered.get(target)]


def _within(journal: Journal, selector: str, since: str) -> list[MandateRow]:
    """The mandates in whose thought such a message was sent."""
    rows = map(journal.by_id, journal.finding.having_sent(selector, MOST))
    return [row for row in rows if row is not None and row.read and row.read >= since]
