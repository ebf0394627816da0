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

from actors.orchestrator.asks import Answered
from protocol.errors import BatosError
from protocol.messages import Step

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
    finished REAL,
    cancelled REAL                           -- when somebody asked for its end, or NULL
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
    state TEXT NOT NULL DEFAULT '',
    size INTEGER NOT NULL DEFAULT 0,
    UNIQUE (mandate, path)
);
CREATE TABLE IF NOT EXISTS transitions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    cycle TEXT NOT NULL,
    state TEXT NOT NULL,
    entered REAL NOT NULL,
    UNIQUE (cycle, state)                    -- a restart enters a state again; the first time counts
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
    cancelled: float | None


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
                # Of what is under way nothing is wrong with the thought: it is thought again when there is room.
                raise BatosError("STORAGE", f"the journal failed: {error}", "Is the disk full?", lost=True) from error

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

    def by_id(self, id_: str) -> MandateRow | None:
        """The mandate with this id, or that of the cycle with this id."""
        row = self._db.execute(
            _MANDATE  # noqa: S608  all of it is ours
            + " WHERE ? IN (mandate, (SELECT max(cycle) FROM cycles WHERE cycles.cycle = ? AND"
            " cycles.mandate = mandates.mandate))",
            (id_, id_),
        ).fetchone()
        return MandateRow(*row) if row else None

    def finish(self, mandate: str, state: str, reply: bytes) -> None:
        self._db.execute(
            "UPDATE mandates SET state = ?, reply = ?, finished = ? WHERE mandate = ?",
            (state, reply, time.time(), mandate),
        )

    def cancel(self, mandate: str) -> None:
        """Make it durable that nobody wants the mandate any more, unless it has ended."""
        self._db.execute(
            "UPDATE mandates SET cancelled = ? WHERE mandate = ? AND state = 'accepted' AND cancelled IS NULL",
            (time.time(), mandate),
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
        now = time.time()
        self._db.execute(
            "INSERT OR IGNORE INTO transitions (cycle, state, entered) VALUES (?, ?, ?)", (cycle, state, now)
        )
        self._db.execute(
            "UPDATE cycles SET state = ?, ended = ? WHERE cycle = ?",
            (state, now if state in {"COMPLETE", "FAILED"} else None, cycle),
        )

    def fail(self, cycle: str, error: bytes) -> None:
        """Keep the diagnosis of a cycle that ended badly."""
        now = time.time()
        self._db.execute(
            "INSERT OR IGNORE INTO transitions (cycle, state, entered) VALUES (?, 'FAILED', ?)", (cycle, now)
        )
        self._db.execute(
            "UPDATE cycles SET state = 'FAILED', error = ?, ended = ? WHERE cycle = ?", (error, now, cycle)
        )

    def step(self, mandate: str, step: Answered, seconds: float) -> None:
        """Add to the trace; a step that a restart repeats keeps its first entry."""
        self._db.execute(
            "INSERT OR IGNORE INTO steps (mandate, cycle, path, send, seconds, tokens, state, size)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (mandate, step.cycle, step.path, step.send, seconds, step.tokens, step.state, step.size),
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

    def begun(self, mandate: str) -> list[str]:
        """The cycles of a mandate, in the order in which they began."""
        rows = self._db.execute("SELECT cycle FROM cycles WHERE mandate = ? ORDER BY seq", (mandate,))
        return [row[0] for row in rows]

    def caused(self, cycle: str) -> list[CycleRow]:
        """The cycles of the same mandate that began within this one."""
        rows = self._db.execute(
            _CYCLE  # noqa: S608  as above
            + " AS inner WHERE EXISTS (SELECT * FROM cycles AS outer WHERE outer.cycle = ?"
            " AND outer.mandate = inner.mandate AND inner.path LIKE outer.path || '.%') ORDER BY seq",
            (cycle,),
        )
        return [CycleRow(*row) for row in rows]

    def steps(self, cycle: str) -> list[Step]:
        """The steps of a cycle, in order. A step's seconds are those of all that it caused, too."""
        rows = self._db.execute(
            "SELECT path, send, seconds, tokens, state, size, cycle FROM steps"
            " WHERE mandate = (SELECT mandate FROM steps WHERE cycle = ? LIMIT 1) ORDER BY seq",
            (cycle,),
        ).fetchall()
        spent = dict.fromkeys((row[0] for row in rows), 0.0)
        for path, _, seconds, *_ in rows:
            parts = path.split(".")
            for end in range(1, len(parts) + 1):
                above = ".".join(parts[:end])
                if above in spent:
                    spent[above] += seconds
        return [
            Step(path=path, send=send, seconds=spent[path], tokens=tokens, state=state, size=size)
            for path, send, _, tokens, state, size, owner in rows
            if owner == cycle
        ]

    def transitions(self, cycle: str) -> list[tuple[str, float]]:
        """(state, Unix time at which it was entered) of a cycle, in order."""
        rows = self._db.execute("SELECT state, entered FROM transitions WHERE cycle = ? ORDER BY seq", (cycle,))
        return [(state, entered) for state, entered in rows]

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


_ADDED: Final = (
    ("steps", "state", "TEXT NOT NULL DEFAULT ''"),
    ("steps", "size", "INTEGER NOT NULL DEFAULT 0"),
    ("mandates", "cancelled", "REAL"),
)
"""Columns that an older journal does not have yet."""

_MANDATE: Final = "SELECT mandate, body, accepted, deadline, state, reply, cancelled FROM mandates"
_CYCLE: Final = "SELECT cycle, mandate, target, selector, state, error, started, ended FROM cycles"


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.executescript(_SCHEMA)
    for table, column, kind in _ADDED:
        if column not in {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
    return connection
