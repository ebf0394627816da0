"""What the journal forgets, and when: mandates that have ended, by age and by number, a few at a time.

A mandate goes with its cycles, steps and verdicts. Its idempotency key is forgotten too: the same key is a new mandate
then. What it did stands in the world, which forgets its history by `pack` alone.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Final

import msgspec

BATCH: Final = 200
"""Mandates in one transaction: some milliseconds, for which nobody else can write."""


class Limits(msgspec.Struct, frozen=True):
    """Mandates that ended more than `seconds` ago are forgotten, and the oldest of those that are more than `mandates`."""

    seconds: float
    mandates: int


class Retention:
    """Of the journal's connection; on its thread, like all that uses it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def prune(self, limits: Limits) -> int:
        """Forget some of what is to be forgotten, the oldest first; how many mandates, 0 where nothing is left to do."""
        mandates = [
            *self._older(time.time() - limits.seconds),
            *self._oldest(min(BATCH, self._finished() - limits.mandates)),
        ]
        gone = list(dict.fromkeys(mandates))[:BATCH]
        for mandate in gone:
            cycles = self._db.execute("SELECT cycle FROM cycles WHERE mandate = ?", (mandate,)).fetchall()
            for cycle in cycles:
                self._db.execute("DELETE FROM transitions WHERE cycle = ?", cycle)
                self._db.execute("DELETE FROM verdicts WHERE cycle = ?", cycle)
            for table in ("cycles", "steps", "replies", "mandates"):
                self._db.execute(f"DELETE FROM {table} WHERE mandate = ?", (mandate,))  # noqa: S608  names of ours
        return len(gone)

    def forgettable(self, limits: Limits) -> int:
        """How many mandates `prune` would forget in all."""
        (older,) = self._db.execute(
            "SELECT count(*) FROM mandates WHERE finished < ?", (time.time() - limits.seconds,)
        ).fetchone()
        return max(int(older), self._finished() - limits.mandates, 0)

    def vacuum(self) -> None:
        """Give the room of what was forgotten back to the disk. Outside of a transaction."""
        self._db.execute("VACUUM")
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _older(self, than: float) -> list[str]:
        rows = self._db.execute(
            "SELECT mandate FROM mandates WHERE finished < ? ORDER BY finished LIMIT ?", (than, BATCH)
        )
        return [row[0] for row in rows]

    def _oldest(self, number: int) -> list[str]:
        rows = self._db.execute(
            "SELECT mandate FROM mandates WHERE finished IS NOT NULL ORDER BY finished LIMIT ?", (max(0, number),)
        )
        return [row[0] for row in rows]

    def _finished(self) -> int:
        return int(self._db.execute("SELECT number FROM tallies WHERE name = 'finished'").fetchone()[0])
