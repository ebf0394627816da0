"""What the journal forgets, and when, of mandates that have ended: first what was said, then that it was.

`keep` says for how long message and end of a mandate stay, with what was answered it and the sources of its cycles' candidates. After
that their digests stand, and the mandate is known: its key, who asked, when, how it ended, and its trace. So the same key never
runs it twice. The row itself goes when there are more than `keep_mandates` of them, the oldest first; its idempotency key is forgotten
with it, and is a new mandate then. What a mandate did stands in the world, which forgets its history by `pack` alone.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Sequence
from typing import Final

import msgspec

BATCH: Final = 200
"""Mandates in one transaction: some milliseconds, for which nobody else can write."""


class Limits(msgspec.Struct, frozen=True):
    """Of mandates that ended more than `seconds` ago digests stand; the oldest of those that are more than `mandates` go."""

    seconds: float
    mandates: int


class Forgettable(msgspec.Struct, frozen=True):
    """How many mandates go with their keys, and of how many others only the digests will stand."""

    mandates: int
    bodies: int


class Retention:
    """Of the journal's connection; on its thread, like all that uses it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def prune(self, limits: Limits) -> Forgettable:
        """Forget some of what is to be forgotten, the oldest first; nothing where nothing is left to do."""
        gone = self._oldest(min(BATCH, self._finished() - limits.mandates))
        for mandate in gone:
            cycles = self._db.execute("SELECT cycle FROM cycles WHERE mandate = ?", (mandate,)).fetchall()
            for cycle in cycles:
                self._db.execute("DELETE FROM transitions WHERE cycle = ?", cycle)
                self._db.execute("DELETE FROM verdicts WHERE cycle = ?", cycle)
            for table in ("cycles", "steps", "replies", "told", "mandates"):
                self._db.execute(f"DELETE FROM {table} WHERE mandate = ?", (mandate,))  # noqa: S608  names of ours
        old = self._older(time.time() - limits.seconds, BATCH - len(gone))
        self.expire(old)
        return Forgettable(len(gone), len(old))

    def forgettable(self, limits: Limits) -> Forgettable:
        """What `prune` would forget in all."""
        going = max(self._finished() - limits.mandates, 0)
        before = time.time() - limits.seconds
        (older,) = self._db.execute(
            "SELECT count(*) FROM mandates WHERE finished < ? AND body_sha256 IS NULL", (before,)
        ).fetchone()
        (both,) = self._db.execute(
            "SELECT count(*) FROM (SELECT finished, body_sha256 FROM mandates WHERE finished IS NOT NULL"
            " ORDER BY finished LIMIT ?) WHERE finished < ? AND body_sha256 IS NULL",
            (going, before),
        ).fetchone()
        return Forgettable(going, int(older) - int(both))

    def expire(self, mandates: Sequence[str]) -> int:
        """Let only digests stand of what these mandates, which have ended, have said and were answered; how many there were."""
        expired = 0
        for mandate in mandates:
            row = self._db.execute(
                "SELECT body, reply FROM mandates WHERE mandate = ? AND finished IS NOT NULL AND body_sha256 IS NULL",
                (mandate,),
            ).fetchone()
            if row is None:
                continue
            body, reply = row
            self._db.execute(
                "UPDATE mandates SET body = x'', reply = NULL, body_sha256 = ?, reply_sha256 = ? WHERE mandate = ?",
                (_digest(body), None if reply is None else _digest(reply), mandate),
            )
            self._db.execute("UPDATE cycles SET error = NULL WHERE mandate = ?", (mandate,))
            self._db.execute(
                "UPDATE verdicts SET problem = '', source = ''"
                " WHERE cycle IN (SELECT cycle FROM cycles WHERE mandate = ?)",
                (mandate,),
            )
            self._db.execute("DELETE FROM replies WHERE mandate = ?", (mandate,))
            expired += 1
        return expired

    def vacuum(self) -> None:
        """Give the room of what was forgotten back to the disk. Outside of a transaction."""
        self._db.execute("VACUUM")
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _older(self, than: float, most: int) -> list[str]:
        rows = self._db.execute(
            "SELECT mandate FROM mandates WHERE finished IS NOT NULL AND body_sha256 IS NULL AND finished < ?"
            " ORDER BY finished LIMIT ?",
            (than, max(0, most)),
        )
        return [row[0] for row in rows]

    def _oldest(self, number: int) -> list[str]:
        rows = self._db.execute(
            "SELECT mandate FROM mandates WHERE finished IS NOT NULL ORDER BY finished LIMIT ?", (max(0, number),)
        )
        return [row[0] for row in rows]

    def _finished(self) -> int:
        return int(self._db.execute("SELECT number FROM tallies WHERE name = 'finished'").fetchone()[0])


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
