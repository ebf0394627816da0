"""Forgetting, on demand and by itself: the world's history that is older than is kept, and what the journal says of such mandates.

The journal prunes itself all the time (`retain`). History goes only when somebody says so, with `batos pack`: then
objects that nothing refers to go too, and both files give their room back. Who thinks meanwhile goes on: nothing is
packed that a running mandate may still see.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from actors.orchestrator.journal.journal import Journal
from actors.orchestrator.journal.retention import Forgettable, Limits
from protocol.errors import BatosError
from protocol.home import Home, Orchestrator, duration
from protocol.messages import Pack, Packed, PackedJournal, PackedWorld
from world.past import moments
from world.store import Store, storage_errors

EVERY_S: Final = 60.0
PAUSE_S: Final = 0.05
"""Between two batches at least, so that nobody waits for more than one of them."""
SHARE: Final = 0.1
"""Of the time, forgetting takes so much at most: a journal that is far over its limit is not in a hurry."""

NOTHING: Final = Forgettable(0, 0)

_log = structlog.get_logger("orchestrator")


def limits_of(settings: Orchestrator, keep: str | None = None) -> Limits:
    """What is kept: for `keep` if it is given, else as configured; BAD_ARGUMENT where `keep` is not a duration."""
    try:
        seconds = duration(settings.keep if keep is None else keep)
    except ValueError as error:
        raise BatosError("BAD_ARGUMENT", f"keep: {error}") from error
    return Limits(seconds=seconds, mandates=settings.keep_mandates)


async def retain(journal: Journal, limits: Limits) -> None:
    """Forget mandates as they grow old, a few at a time; until cancelled."""
    while True:
        is_more, began = False, time.monotonic()
        try:
            gone = await journal.run(partial(journal.retention.prune, limits), durable=False)
            is_more = gone != NOTHING
        except BatosError as error:
            _log.warning("the journal is not pruned", code=error.code, reason=error.message)
        took = time.monotonic() - began
        await asyncio.sleep(max(PAUSE_S, took / SHARE) if is_more else EVERY_S)


async def pack(home: Home, store: Store, journal: Journal, settings: Orchestrator, request: Pack) -> Packed:
    """Forget what is older than `request.keep`; or only say what that would be."""
    limits = limits_of(settings, request.keep)
    before = time.time() - limits.seconds
    began = await journal.run(journal.oldest_running, durable=False)
    history_before = before if began is None else min(before, began - 1.0)
    going = await journal.run(partial(journal.retention.forgettable, limits), durable=False)
    sizes = size_of(home.database), size_of(home.journal)
    if request.really:
        # On a thread of its own: a pack may take minutes, and the world's thread is everybody's.
        await asyncio.to_thread(_pack_world, store, history_before)
        going = NOTHING
        while (gone := await journal.run(partial(journal.retention.prune, limits), durable=False)) != NOTHING:
            going = Forgettable(going.mandates + gone.mandates, going.bodies + gone.bodies)
        await journal.run(journal.retention.vacuum, alone=True)
        _log.info("packed", mandates=going.mandates, bodies=going.bodies, history_before=history_before)
    return Packed(
        world=PackedWorld(before=history_before, bytes_before=sizes[0], bytes_after=size_of(home.database)),
        journal=PackedJournal(
            before=before,
            mandates=going.mandates,
            bodies=going.bodies,
            bytes_before=sizes[1],
            bytes_after=size_of(home.journal),
        ),
    )


def _pack_world(store: Store, before: float) -> None:
    with storage_errors():
        moments.pack(store.db, before)


def size_of(path: Path) -> int:
    """Bytes of a file, 0 where there is none."""
    return path.stat().st_size if path.exists() else 0
