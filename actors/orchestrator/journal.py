"""The journal: the orchestrator's own durable log of mandates, cycles and finished steps (SQLite, WAL, FULL).

A mandate is in here before it is acknowledged, and a reply that must never be computed twice is in here before it is
used. After a crash the journal says what is unfinished, and answers for everything that was already done.

All calls run on one thread (`Journal.run`); the numbers of rows (`seq`) only grow, so a watcher can catch up.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from protocol.errors import BatosError

T = TypeVar("T")

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS mandates (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    mandate TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL UNIQUE,
    body BLOB NOT NULL,
    accepted REAL NOT NULL,
    deadline REAL NOT NULL,
    state TEXT NOT NULL DEFAULT 'accepted',  -- accepted | complete | failed
    reply BLOB,                              -- a packed MandateReply, or a packed Failure
    finished REAL
);
CREATE TABLE IF NOT EXISTS cycles (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    cycle TEXT NOT NULL UNIQUE,
    mandate TEXT NOT NULL,
    path TEXT NOT NULL,
    target TEXT NOT NULL,
    selector TEXT NOT NULL,
    state TEXT NOT NULL,
    error BLOB,
    started REAL NOT NULL,
    ended REAL
);
CREATE TABLE IF NOT EXISTS steps (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    mandate TEXT NOT NULL,
    cycle TEXT,
    path TEXT NOT NULL,
    send TEXT NOT NULL,
    seconds REAL NOT NULL,
    tokens INTEGER NOT NULL,
    UNIQUE (mandate, path)
);
CREATE TABLE IF NOT EXISTS replies (
    key TEXT PRIMARY KEY,                    -- sha256 of mandate, path and request
    mandate TEXT NOT NULL,
    reply BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS verdicts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    cycle TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    verdict TEXT NOT NULL,
    problem TEXT NOT NULL,
    source TEXT NOT NULL,
    UNIQUE (cycle, sha256)
);
CREATE INDEX IF NOT EXISTS steps_cycle ON steps (cycle);
CREATE INDEX IF NOT EXISTS cycles_mandate ON cycles (mandate);
"""


class MandateRow(msgspec.Struct, frozen=True):
    mandate: str
    body: bytes
    accepted: float
    deadline: float
    state: str
    reply: bytes | None


class CycleRow(msgspec.Struct, frozen=True):
    cycle: str
    mandate: str
    target: str
    selector: str
    state: str
    error: bytes | None
    started: float
    ended: float | None


class Journal:
    """One open journal. Methods block; call them through `run`."""

    def __init__(self, path: Path) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        try:
            self._db = self._thread.submit(_open, path).result()
        except sqlite3.Error as error:
            raise BatosError(
                "STORAGE", f"cannot open the journal {path}: {error}", "Restore it from a backup."
            ) from error

    async def run(self, work: Callable[[], T]) -> T:
        """`work()` on the journal's thread; what SQLite raises comes out as STORAGE."""

        def guarded() -> T:
            try:
                return work()
            except sqlite3.Error as error:
                raise BatosError("STORAGE", f"the journal failed: {error}", "Is the disk full?") from error

        return await asyncio.get_running_loop().run_in_executor(self._thread, guarded)

    def close(self) -> None:
        self._thread.submit(self._db.close).result()
        self._thread.shutdown(wait=True)

    # Mandates -------------------------------------------------------------------------------------------------

    def accept(self, mandate: str, key: str, body: bytes, deadline: float) -> MandateRow:
        """Make a mandate durable, once for its key; the row that stands there now (perhaps an earlier one)."""
        self._db.execute(
            "INSERT OR IGNORE INTO mandates (mandate, key, body, accepted, deadline) VALUES (?, ?, ?, ?, ?)",
            (mandate, key, body, time.time(), deadline),
        )
        row = self._db.execute(_MANDATE + " WHERE key = ?", (key,)).fetchone()
        return MandateRow(*row)

    def by_key(self, key: str) -> MandateRow | None:
        row = self._db.execute(_MANDATE + " WHERE key = ?", (key,)).fetchone()
        return MandateRow(*row) if row else None

    def finish(self, mandate: str, state: str, reply: bytes) -> None:
        self._db.execute(
            "UPDATE mandates SET state = ?, reply = ?, finished = ? WHERE mandate = ?",
            (state, reply, time.time(), mandate),
        )

    def unfinished(self) -> list[MandateRow]:
        """Accepted mandates without an end, oldest first."""
        rows = self._db.execute(_MANDATE + " WHERE state = 'accepted' ORDER BY seq")
        return [MandateRow(*row) for row in rows]

    def are_finished(self, mandates: list[str]) -> list[str]:
        """Those of `mandates` that have ended, so that `applied` need not remember them."""
        marks = ", ".join("?" * len(mandates))
        rows = self._db.execute(
            f"SELECT mandate FROM mandates WHERE state != 'accepted' AND mandate IN ({marks})",  # noqa: S608  only marks
            mandates,
        )
        return [row[0] for row in rows]

    # Replies --------------------------------------------------------------------------------------------------

    def reply(self, key: str) -> bytes | None:
        row = self._db.execute("SELECT reply FROM replies WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def keep(self, key: str, mandate: str, reply: bytes) -> None:
        self._db.execute("INSERT OR IGNORE INTO replies (key, mandate, reply) VALUES (?, ?, ?)", (key, mandate, reply))

    # Cycles ---------------------------------------------------------------------------------------------------

    def begin(self, cycle: str, mandate: str, path: str, target: str, selector: str) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO cycles (cycle, mandate, path, target, selector, state, started)"
            " VALUES (?, ?, ?, ?, ?, 'IDLE', ?)",
            (cycle, mandate, path, target, selector, time.time()),
        )

    def enter(self, cycle: str, state: str) -> None:
        self._db.execute("UPDATE cycles SET state = ?, ended = ? WHERE cycle = ?", (state, _end(state), cycle))

    def fail(self, cycle: str, error: bytes) -> None:
        """Keep the diagnosis of a cycle that ended badly."""
        self._db.execute(
            "UPDATE cycles SET state = 'FAILED', error = ?, ended = ? WHERE cycle = ?", (error, time.time(), cycle)
        )

    def step(self, mandate: str, cycle: str | None, path: str, *, send: str, seconds: float, tokens: int) -> None:
        """Add to the trace; a step that a restart repeats keeps its first entry."""
        self._db.execute(
            "INSERT OR IGNORE INTO steps (mandate, cycle, path, send, seconds, tokens) VALUES (?, ?, ?, ?, ?, ?)",
            (mandate, cycle, path, send, seconds, tokens),
        )

    def judged(self, cycle: str, sha256: str, verdict: str, problem: str, source: str) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO verdicts (cycle, sha256, verdict, problem, source) VALUES (?, ?, ?, ?, ?)",
            (cycle, sha256, verdict, problem, source),
        )

    def cycles(self, limit: int) -> list[CycleRow]:
        rows = self._db.execute(_CYCLE + " ORDER BY seq DESC LIMIT ?", (limit,))
        return [CycleRow(*row) for row in rows]

    def cycle(self, id_: str) -> CycleRow | None:
        """The cycle with this id, or the first one of the mandate with this id."""
        row = self._db.execute(_CYCLE + " WHERE cycle = ? OR mandate = ? ORDER BY seq LIMIT 1", (id_, id_)).fetchone()
        return CycleRow(*row) if row else None

    def steps(self, cycle: str) -> list[tuple[str, str, float, int]]:
        """(path, send, seconds, tokens) of a cycle, in order."""
        rows = self._db.execute("SELECT path, send, seconds, tokens FROM steps WHERE cycle = ? ORDER BY seq", (cycle,))
        return [(path, send, seconds, tokens) for path, send, seconds, tokens in rows]

    def verdicts(self, cycle: str) -> list[tuple[str, str, str, str]]:
        """(sha256, verdict, problem, source) of a cycle's candidates, in order."""
        rows = self._db.execute(
            "SELECT sha256, verdict, problem, source FROM verdicts WHERE cycle = ? ORDER BY seq", (cycle,)
        )
        return [(sha256, verdict, problem, source) for sha256, verdict, problem, source in rows]

    def counts(self) -> dict[str, int]:
        """How many cycles are active, complete, failed."""
        rows = dict(self._db.execute("SELECT state, count(*) FROM cycles GROUP BY state").fetchall())
        complete, failed = rows.pop("COMPLETE", 0), rows.pop("FAILED", 0)
        return {"active": sum(rows.values()), "complete": complete, "failed": failed}


_MANDATE: Final = "SELECT mandate, body, accepted, deadline, state, reply FROM mandates"
_CYCLE: Final = "SELECT cycle, mandate, target, selector, state, error, started, ended FROM cycles"


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.executescript(_SCHEMA)
    return connection


def _end(state: str) -> float | None:
    return time.time() if state in {"COMPLETE", "FAILED"} else None
