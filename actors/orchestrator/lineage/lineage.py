"""What came of documents, forwards and transitively; and backwards, of which documents a thing came.

A document that was told to a mandate is a source of what that mandate has left: of an answer, where the states that made it say what
it was made from; of a note, a failure, and a method that was written, whatever was told before. That is more than what really came of
it rather than less. What says nothing itself is asked for in the journal, and what the journal has forgotten too is `unknown`.

What a person has typed after reading an answer, and what an expert was trained on, nobody knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from actors.orchestrator.journal.journal import Journal
from actors.orchestrator.lineage.holdings import Holdings, Remembered, WrittenMethod, holdings
from protocol.messages import DerivedMethod, DerivedTurns, Lineage
from world.store import Store, snapshot

_CYCLE: Final = re.compile(r"c[0-9a-f]{20}")


async def lineage(store: Store, journal: Journal, doc_ids: Iterable[str], *, walk: bool = True) -> Lineage:
    """What came of the documents. Without `walk` it costs as much as the mind has left, and not as much as the world has objects."""
    asked = list(doc_ids)

    def read() -> Holdings:
        with snapshot(store.db) as connection:
            return holdings(connection, walk=walk)

    held = await store.read(read)
    return await journal.run(lambda: came_of(journal, held, asked), durable=False)


def came_of(journal: Journal, held: Holdings, doc_ids: Iterable[str]) -> Lineage:
    """What of `held` came of the documents. On the journal's thread."""
    asked = list(dict.fromkeys(doc_ids))
    sources = {kept.doc_id: sources_of(journal, kept) for kept in held.documents}
    told = {method: told_to(journal, method) for method in (*held.methods, *(each.method for each in held.proposals))}
    known: dict[str, None] = dict.fromkeys(asked)
    came: dict[WrittenMethod, None] = {}
    while True:
        more = [one for one, of in sources.items() if one not in known and not known.keys().isdisjoint(of or ())]
        names = {f"{method.name or method.oid}.{method.selector}" for method in came}
        new = [one for one, of in told.items() if one not in came and (_is_of(known, of) or one.origin in names)]
        known.update(dict.fromkeys(more))
        came.update(dict.fromkeys(new))
        if not more and not new:
            break
    return Lineage(
        documents=asked,
        answers=[one for one in sources if one in known and one not in asked],
        methods=[_told(one) for one in held.methods if one in came],
        proposals=[each.id for each in held.proposals if each.method in came],
        threads=_threads(held, known),
        mandates=journal.told.mandates(known),
        unknown=sorted(
            {one for one, of in sources.items() if of is None and one not in known}
            | {f"{one.name or one.oid}.{one.selector}" for one, of in told.items() if of is None and one not in came}
        ),
    )


def sources_of(journal: Journal, kept: Remembered) -> tuple[str, ...] | None:
    """The documents that a document came of; None where neither it nor the journal says."""
    if kept.sources is not None and kept.is_whole:
        return kept.sources
    told = journal.told.documents(kept.mandate)
    return kept.sources if told is None else tuple(told)


def told_to(journal: Journal, method: WrittenMethod) -> tuple[str, ...] | None:
    """The documents that whoever wrote a method was told of; None where that cannot be said. Who was no cycle was told of none."""
    if method.told is not None:
        return method.told
    if _CYCLE.fullmatch(method.author) is None:
        return ()
    row = journal.by_id(method.author)
    told = None if row is None else journal.told.documents(row.mandate)
    return None if told is None else tuple(told)


def came_from(journal: Journal, held: Holdings, doc_ids: Iterable[str]) -> list[str]:
    """Backwards: the documents that these, or the ones that a method was told of, came of, with themselves, the nearest first."""
    sources = {kept.doc_id: kept for kept in held.documents}
    found: dict[str, None] = {}
    todo = list(doc_ids)
    while todo:
        doc_id = todo.pop(0)
        if doc_id not in found:
            found[doc_id] = None
            todo += (sources_of(journal, sources[doc_id]) or ()) if doc_id in sources else ()
    return list(found)


def _is_of(known: dict[str, None], of: tuple[str, ...] | None) -> bool:
    return not known.keys().isdisjoint(of or ())


def _told(method: WrittenMethod) -> DerivedMethod:
    return DerivedMethod(
        oid=method.oid, name=method.name, selector=method.selector, sha256=method.sha256, stands=method.stands
    )


def _threads(held: Holdings, known: dict[str, None]) -> list[DerivedTurns]:
    found: dict[tuple[str, str], int] = {}
    for turn in held.turns:
        if not known.keys().isdisjoint(turn.documents):
            found[turn.oid, turn.name] = found.get((turn.oid, turn.name), 0) + 1
    return [DerivedTurns(oid=oid, name=name, turns=turns) for (oid, name), turns in found.items()]
