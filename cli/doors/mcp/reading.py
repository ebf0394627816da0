"""The tools that write nothing: what there is, how it came about, and whether it holds."""

from __future__ import annotations

from typing import Final

from cli.calls import mandate
from cli.doors.mcp import arguments
from cli.doors.mcp.answers import Waiting, waiting_of
from cli.doors.mcp.visit import Visit
from cli.moments import moment
from protocol import verbs
from protocol.messages import (
    Check,
    Checked,
    CheckProgress,
    Found,
    History,
    Judge,
    List,
    Listed,
    Look,
    Looked,
    Proposals,
    Search,
    Source,
    SourceText,
    Verdict,
    Versions,
)

MOST_S: Final = 86_400.0
"""Seconds that a check may take; its client can cancel it."""


async def objects(visit: Visit, given: arguments.Objects) -> Listed:
    return await visit.line.ask(verbs.LIST, List(kind="objects", after=given.after, limit=given.limit))


async def look(visit: Visit, given: arguments.Look) -> Looked:
    at = None if given.at is None else moment(given.at)
    wanted = Look(target=mandate.check_target(given.name), at=at, after=given.after, limit=given.limit)
    return await visit.line.ask(verbs.LOOK, wanted)


async def source(visit: Visit, given: arguments.Source) -> SourceText:
    at = None if given.at is None else moment(given.at)
    selector, _ = mandate.read_selector(given.selector)
    wanted = Source(target=mandate.check_target(given.name), selector=selector, at=at)
    return await visit.line.ask(verbs.SOURCE, wanted)


async def guard(visit: Visit, given: arguments.Guard) -> Verdict:
    return await visit.line.ask(verbs.JUDGE, Judge(source=given.source, gate=given.gate))


async def check(visit: Visit, given: arguments.Check) -> Checked:
    def note(found: CheckProgress) -> None:
        visit.tell(f"{found.broken} broken so far", found.done, found.total)

    wanted = Check(names=[mandate.check_target(name) for name in given.names])
    return await visit.line.ask(verbs.CHECK, wanted, seconds=MOST_S, on_partial=note)


async def proposals(visit: Visit, given: arguments.Proposals) -> Waiting:
    wanted = Proposals(id=given.id, after=given.after, limit=given.limit)
    return waiting_of(await visit.line.ask(verbs.PROPOSALS, wanted))


async def search(visit: Visit, given: arguments.Search) -> Found:
    wanted = Search(
        query=given.query,
        top_k=given.top_k,
        where=given.where,
        since=given.since,
        until=given.until,
        around=given.around,
    )
    return await visit.line.ask(verbs.SEARCH, wanted)


async def history(visit: Visit, given: arguments.History) -> Versions:
    selector = None if given.selector is None else mandate.read_selector(given.selector)[0]
    wanted = History(name=mandate.check_target(given.name), selector=selector, after=given.after, limit=given.limit)
    return await visit.line.ask(verbs.HISTORY, wanted)
