"""What came of documents that are to be forgotten, told and taken along: the orchestrator knows it, memory forgets it."""

from __future__ import annotations

from typing import Final

import msgspec

from bus.client import Caller
from cli import wire
from protocol import verbs
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import CameOf, CatchUp, ForgetDerived, ForgottenDerived, Lineage, StatusQuery, Unindexed

WALK_S: Final = 600.0
"""Seconds for a look at each object and document of a large world."""
_CAUGHT_UP_S: Final = 120.0
_KNOWN_S: Final = 1.0
"""Seconds in which an orchestrator that is there says so."""


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """A document that is forgotten, and what came of it: None where nobody was there to say. `derived_tid`: it went along."""

    doc_id: str
    chunks: int
    tid: str
    derived: Lineage | None = None
    derived_tid: str | None = None


async def came_of(home: Home, doc_ids: list[str], *, walk: bool, must: bool) -> Lineage | None:
    """What came of the documents. With `walk` all of the world is looked at, otherwise what memory has of the mind's own.

    Where it `must` not be known, it is None while the orchestrator is away: forgetting needs memory alone.
    """
    if not doc_ids:
        return Lineage(documents=[])
    async with wire.client(home) as bus:
        try:
            await bus.call(verbs.STATUS["orchestrator"], StatusQuery(), seconds=_KNOWN_S)
            return await bus.call(verbs.CAME_OF, CameOf(doc_ids=doc_ids, walk=walk), seconds=WALK_S)
        except BatosError:
            if must:
                raise
            return None


async def forget_derived(home: Home, derived: Lineage) -> ForgottenDerived:
    """Forget it, and see memory through with it."""
    if is_nothing(derived):
        return ForgottenDerived(derived=derived)
    async with wire.client(home) as bus:
        await wire.reach(home, bus, "orchestrator")
        done = await bus.call(verbs.FORGET_DERIVED, ForgetDerived(derived=derived), seconds=_CAUGHT_UP_S)
        await _caught_up(bus)
        return done


async def _caught_up(bus: Caller) -> None:
    await bus.call(verbs.CATCH_UP, CatchUp(), seconds=_CAUGHT_UP_S)


def is_nothing(derived: Lineage) -> bool:
    """Whether nothing came of it that could be forgotten."""
    return not (derived.answers or derived.methods or derived.proposals or derived.threads)


def with_derived(gone: Unindexed, derived: Lineage | None, tid: str | None = None) -> Forgotten:
    """What `forget` of a single document answers."""
    return Forgotten(doc_id=gone.doc_id, chunks=gone.chunks, tid=gone.tid, derived=derived, derived_tid=tid)
