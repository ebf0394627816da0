"""A mandate that has waited for its user's word was thought twice: up to the proposal, and once more when that was accepted.

The journal notes the moment of the last time alone. That of the first is found by its commit, the proposal: what was read then was the
same still right before it, or it would not have been committed.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from ZODB import DB
from ZODB.utils import p64, u64

from actors.orchestrator.journal.journal import CycleRow, Journal, MandateRow
from actors.orchestrator.journal.rows import Answered
from actors.orchestrator.publish import MANDATE
from protocol.messages.reasons import Ending
from world.past import commits, moments


class Once(msgspec.Struct, frozen=True):
    """One time that a mandate was thought: the mandate in the moment of then, its trace, how it ended, and its first cycle."""

    row: MandateRow
    trace: Sequence[Answered]
    then: Ending
    cycle: str | None


def times(db: DB, row: MandateRow, cycles: Sequence[CycleRow]) -> dict[str, str]:
    """The moments of those of the cycles that ran before the mandate waited."""
    if row.attempt == 1 or not row.read:
        return {}
    found = {one.cycle: _proposed(db, row, row.read, one) for one in cycles}
    return {cycle: p64(u64(bytes.fromhex(tid)) - 1).hex() for cycle, tid in found.items() if tid}


def _proposed(db: DB, row: MandateRow, last: str, cycle: CycleRow) -> str:
    """The commit of the proposal that a cycle ended with, "" where it left none."""
    if cycle.ended is None:
        return ""
    since, before = moments.tid_of(cycle.started - 1).hex(), moments.tid_of(cycle.ended + 1).hex()
    around = commits.newest(db, since=since, before=before)
    own = [one.tid for one in around if one.facts.get(MANDATE) == row.mandate and one.tid <= last]
    return own[-1] if own else ""


def chosen(journal: Journal, row: MandateRow, of: dict[str, str], then: Ending, cycle: str | None) -> Once:
    """The time in which `cycle` ran, or else the last one, which ended `then`. On the journal's thread."""
    trace, begun = journal.finding.trace(row.mandate), journal.begun(row.mandate)
    if cycle not in of:
        left = [one for one in begun if one not in of]
        rest = [step for step in trace if step.cycle not in of]
        return Once(row, rest, then, left[0] if left else None)
    mine = [one for one in begun if of.get(one) == of[cycle]]
    last = max((at for at, step in enumerate(trace, 1) if step.cycle in mine), default=0)
    written = [verdict.sha256 for one in mine for verdict in journal.verdicts(one) if verdict.chosen]
    end = Ending(state="PROPOSED", sha256=written[-1] if written else None)
    return Once(msgspec.structs.replace(row, read=of[cycle]), trace[:last], end, mine[0])
