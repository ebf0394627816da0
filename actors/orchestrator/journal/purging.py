"""`python -m actors.orchestrator --purge`: the journal's part of a purge, while the system is down.

Of every mandate that was told of what was forgotten, or has left it in memory, only digests stay; what is older than is kept goes as in
any pack; and the file is written anew, so that no free page and no log beside it has anything of them.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final

import msgspec

from actors.orchestrator.journal.packing import NOTHING, limits_of, size_of
from actors.orchestrator.journal.retention import Forgettable, Limits, Retention
from actors.orchestrator.journal.schema import older, open_journal
from actors.orchestrator.journal.told import Told
from bus.process.lock import hold
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import PackedJournal

_AT_ONCE: Final = 200


class AskedPurge(msgspec.Struct, frozen=True):
    """What the world says was forgotten: `documents`, and `mandates` that have left them. Without `really`, only say what would go.

    With `remembered`, whatever else a mandate was told of is forgotten too.
    """

    documents: list[str] = []
    mandates: list[str] = []
    remembered: list[str] | None = None
    keep: str | None = None
    really: bool = False


class PurgedJournal(msgspec.Struct, frozen=True):
    """What went of the journal; the `mandates` of which only digests stay, and those that are `running` and keep all they were told.

    `documents` are all that were forgotten, as far as world and journal know.

    `history_before`: Unix time, before which no running mandate needs the world's history.
    """

    journal: PackedJournal
    documents: list[str]
    mandates: list[str]
    running: list[str]
    history_before: float


def purge(home: Home, asked: AskedPurge) -> PurgedJournal:
    """Purge the journal. HOME_HELD while the system is up, USAGE where it has an older form: its steps are for a start, which backs up."""
    if older(home.journal) is not None:
        raise BatosError(
            "USAGE",
            f"the journal {home.journal} is that of an older program",
            "`batos up` brings it up to date, with a backup first; then `batos down`, and purge again.",
        )
    limits = limits_of(home.settings().orchestrator, asked.keep)
    before = time.time() - limits.seconds
    home.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    with hold(home.run / "orchestrator.lock", f"the world of {home.root}"):
        size = size_of(home.journal)
        with closing(open_journal(home.journal)) as db:
            db.execute("PRAGMA secure_delete = ON")
            began = db.execute("SELECT min(accepted) FROM mandates WHERE state = 'accepted'").fetchone()[0]
            documents = _forgotten(db, asked)
            named = dict.fromkeys([*Told(db).mandates(documents), *asked.mandates])
            running = [row[0] for row in db.execute("SELECT mandate FROM mandates WHERE state = 'accepted'")]
            over = [mandate for mandate in named if mandate not in running]
            going = _purged(db, limits, over) if asked.really else Retention(db).forgettable(limits)
    return PurgedJournal(
        journal=PackedJournal(
            before=before,
            mandates=going.mandates,
            bodies=going.bodies,
            bytes_before=size,
            bytes_after=size_of(home.journal),
        ),
        documents=documents,
        mandates=over,
        running=[mandate for mandate in running if mandate in named],
        history_before=before if began is None else min(before, began - 1.0),
    )


def _forgotten(db: sqlite3.Connection, asked: AskedPurge) -> list[str]:
    """All documents that were forgotten."""
    if asked.remembered is None:
        return sorted(asked.documents)
    told = {row[0] for row in db.execute("SELECT DISTINCT doc_id FROM told")}
    return sorted({*asked.documents, *(told - set(asked.remembered))})


def _purged(db: sqlite3.Connection, limits: Limits, mandates: list[str]) -> Forgettable:
    retention, gone = Retention(db), NOTHING
    for at in range(0, len(mandates), _AT_ONCE):
        with _transaction(db):
            retention.expire(mandates[at : at + _AT_ONCE])
    while True:
        with _transaction(db):
            some = retention.prune(limits)
        if some == NOTHING:
            break
        gone = Forgettable(gone.mandates + some.mandates, gone.bodies + some.bodies)
    retention.vacuum()
    return gone


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
