"""The journal's tables, how an older journal becomes today's, and whether a journal is whole.

No statement may cost more in a journal that has grown: each looks up by an index, an index over what is still open holds
only that, and what `status` counts is counted as it happens (`tallies`, kept by triggers).
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from actors.orchestrator.journal.database import damaged, is_passing
from actors.orchestrator.journal.told import note_all
from protocol.errors import BatosError
from world.version import program

CURRENT: Final = 5
"""The `user_version` of a journal that this program writes."""

SMALL: Final = 8_000_000
"""Bytes of a journal that is looked through before it is used: less than a tenth of a second."""

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS mandates (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    mandate TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL UNIQUE,
    body BLOB NOT NULL,
    accepted REAL NOT NULL,                  -- Unix time, for people: nothing is decided by it
    remaining REAL NOT NULL,                 -- seconds that it still had when it was last heard of
    attempt INTEGER NOT NULL DEFAULT 1,      -- a failure that passes is attempted again under the same key
    state TEXT NOT NULL DEFAULT 'accepted',  -- accepted | complete | failed
    reply BLOB,                              -- a packed MandateReply, or a packed Failure
    finished REAL,
    cancelled REAL,                          -- when somebody asked for its end, or NULL
    read TEXT,                               -- the transaction whose world it was thought through in, or NULL
    origin BLOB,                             -- a packed Origin, or NULL for the user of the home
    token TEXT NOT NULL DEFAULT '',          -- the digest of the origin's token
    body_sha256 TEXT,                        -- where message and end are gone: what they were,
    reply_sha256 TEXT                        -- … or NULL
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
CREATE TABLE IF NOT EXISTS told (            -- which documents a mandate was told a passage of
    mandate TEXT NOT NULL,
    doc_id TEXT NOT NULL,
    PRIMARY KEY (mandate, doc_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS verdicts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    cycle TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    verdict TEXT NOT NULL,
    problem TEXT NOT NULL,
    source TEXT NOT NULL,
    chosen INTEGER NOT NULL DEFAULT 0,       -- whether the cycle came to it …
    installed INTEGER NOT NULL DEFAULT 0,    -- … and put it on the object
    UNIQUE (cycle, sha256)
);
CREATE TABLE IF NOT EXISTS tokens (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,             -- sha256 of the token, which stands nowhere
    rights TEXT NOT NULL,                    -- words with a space between
    mandates INTEGER,                        -- so many at once, or NULL
    daily INTEGER,                           -- generated tokens a day, or NULL
    made REAL NOT NULL,
    revoked REAL
);
CREATE TABLE IF NOT EXISTS spent (
    digest TEXT NOT NULL,
    day TEXT NOT NULL,                       -- in UTC, such as 2026-11-30
    tokens INTEGER NOT NULL,
    PRIMARY KEY (digest, day)
);
CREATE TABLE IF NOT EXISTS tallies (
    name TEXT PRIMARY KEY,                   -- active | complete | failed (cycles), finished (mandates)
    number INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS steps_cycle ON steps (cycle);
CREATE INDEX IF NOT EXISTS steps_send ON steps (send);
CREATE INDEX IF NOT EXISTS cycles_mandate ON cycles (mandate);
CREATE INDEX IF NOT EXISTS replies_mandate ON replies (mandate);
CREATE INDEX IF NOT EXISTS told_document ON told (doc_id);
CREATE INDEX IF NOT EXISTS mandates_open ON mandates (seq) WHERE state = 'accepted';
CREATE INDEX IF NOT EXISTS mandates_finished ON mandates (finished) WHERE finished IS NOT NULL;
CREATE INDEX IF NOT EXISTS mandates_whole ON mandates (finished) WHERE finished IS NOT NULL AND body_sha256 IS NULL;
CREATE UNIQUE INDEX IF NOT EXISTS tokens_held ON tokens (name) WHERE revoked IS NULL;
CREATE INDEX IF NOT EXISTS cycles_open ON cycles (mandate) WHERE ended IS NULL;
"""

_LATER: Final = {4: frozenset({"tokens", "spent"}), 5: frozenset({"told"})}
"""Tables that came with a version."""
_NAMES: Final = frozenset({"mandates", "cycles", "steps", "transitions", "replies", "verdicts", "tallies"})

_OF_CYCLE: Final = "CASE {}.state WHEN 'COMPLETE' THEN 'complete' WHEN 'FAILED' THEN 'failed' ELSE 'active' END"
_NEW: Final = f"UPDATE tallies SET number = number + 1 WHERE name = {_OF_CYCLE.format('NEW')};"  # noqa: S608  all ours
_OLD: Final = f"UPDATE tallies SET number = number - 1 WHERE name = {_OF_CYCLE.format('OLD')};"  # noqa: S608  all ours
_ONE_MORE: Final = "UPDATE tallies SET number = number + 1 WHERE name = 'finished';"
_ONE_LESS: Final = "UPDATE tallies SET number = number - 1 WHERE name = 'finished';"

_TRIGGERS: Final = f"""
CREATE TRIGGER IF NOT EXISTS cycle_begins AFTER INSERT ON cycles BEGIN {_NEW} END;
CREATE TRIGGER IF NOT EXISTS cycle_goes AFTER DELETE ON cycles BEGIN {_OLD} END;
CREATE TRIGGER IF NOT EXISTS cycle_changes AFTER UPDATE OF state ON cycles WHEN OLD.state != NEW.state
BEGIN {_OLD} {_NEW} END;
CREATE TRIGGER IF NOT EXISTS mandate_comes AFTER INSERT ON mandates WHEN NEW.state != 'accepted'
BEGIN {_ONE_MORE} END;
CREATE TRIGGER IF NOT EXISTS mandate_ends AFTER UPDATE OF state ON mandates
WHEN OLD.state = 'accepted' AND NEW.state != 'accepted' BEGIN {_ONE_MORE} END;
CREATE TRIGGER IF NOT EXISTS mandate_opens AFTER UPDATE OF state ON mandates
WHEN OLD.state != 'accepted' AND NEW.state = 'accepted' BEGIN {_ONE_LESS} END;
CREATE TRIGGER IF NOT EXISTS mandate_goes AFTER DELETE ON mandates WHEN OLD.state != 'accepted'
BEGIN {_ONE_LESS} END;
"""

_COUNTED: Final = f"""
INSERT OR REPLACE INTO tallies (name, number) VALUES ('active', 0), ('complete', 0), ('failed', 0);
INSERT OR REPLACE INTO tallies (name, number)
    SELECT {_OF_CYCLE.format("cycles")} AS name, count(*) FROM cycles GROUP BY 1;
INSERT OR REPLACE INTO tallies (name, number) SELECT 'finished', count(*) FROM mandates WHERE state != 'accepted';
"""  # noqa: S608  all ours

_ADDED: Final = (
    ("steps", "state", "TEXT NOT NULL DEFAULT ''"),
    ("steps", "size", "INTEGER NOT NULL DEFAULT 0"),
    ("mandates", "cancelled", "REAL"),
    ("mandates", "read", "TEXT"),
    ("mandates", "origin", "BLOB"),
    ("mandates", "token", "TEXT NOT NULL DEFAULT ''"),
    ("mandates", "attempt", "INTEGER NOT NULL DEFAULT 1"),
    ("mandates", "body_sha256", "TEXT"),
    ("mandates", "reply_sha256", "TEXT"),
    ("verdicts", "chosen", "INTEGER NOT NULL DEFAULT 0"),
    ("verdicts", "installed", "INTEGER NOT NULL DEFAULT 0"),
)
"""Columns that an older journal may lack."""


def open_journal(path: Path) -> sqlite3.Connection:
    """The journal at `path`, made or brought up to date.

    STORAGE where it cannot be opened now, DAMAGED where it is broken or no journal, NEWER_WORLD where only a newer program
    knows it.
    """
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if path.stat().st_size <= SMALL:
            _look_through(connection, path)
        _bring_up(connection, path)
        # What a process before this one has left in the log unsynced is safe from here on.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        if not is_passing(error):
            raise damaged(path, str(error)) from error
        raise BatosError(
            "STORAGE", f"cannot open the journal {path}: {error}", "Is the disk full, or the file not yours?", lost=True
        ) from error
    except BatosError:
        if connection is not None:
            connection.close()
        raise
    return connection


def older(path: Path) -> int | None:
    """The version of a journal that opening it would bring up to date; None where there is nothing to bring up, or no journal."""
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()
    except sqlite3.Error:
        return None  # opening it says what is wrong
    return int(version) if tables and version < CURRENT else None


def problems(path: Path, *, check: str = "integrity_check") -> list[str]:
    """What is wrong with the journal at `path`: nothing, or SQLite's own words; also while it is in use.

    `check` "quick_check" looks at every page too, and not at whether the indexes say the same as the tables.
    """
    if not path.exists():
        return []
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            found = [str(row[0]) for row in connection.execute(f"PRAGMA {check}(100)")]
    except sqlite3.Error as error:
        return [str(error)]
    return [] if found == ["ok"] else found


def _look_through(connection: sqlite3.Connection, path: Path) -> None:
    """DAMAGED where a page is broken, though nobody has come to it yet."""
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise damaged(path, found)


def _bring_up(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > CURRENT:
        (number,) = connection.execute("PRAGMA application_id").fetchone()
        needs = {"needs": _spelt(number)} if number > 0 else {}
        raise BatosError(
            "NEWER_WORLD",
            f"the journal {path} was written by a newer program (version {version}, this one knows {CURRENT})",
            f"Install batos {_spelt(number)} or a newer one." if needs else "Use that program, or a newer one.",
            newer=True,
            **needs,
        )
    there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    # A new file has no table, and one of a time before versions has mandates at least.
    later = frozenset[str]().union(*(tables for came, tables in _LATER.items() if version >= came))
    needed = _NAMES | later if version else {"mandates"} if there else frozenset()
    if version < 0 or not needed <= there:
        raise damaged(path, "it is another program's database, or tables of it are missing")
    if version == CURRENT:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        _from_before_versions(connection)
        # Not `executescript`, which would commit what stands before it.
        for statement in _statements(_TABLES + _TRIGGERS + _COUNTED):
            connection.execute(statement)
        note_all(connection)
        connection.execute(f"PRAGMA user_version = {CURRENT}")
        connection.execute(f"PRAGMA application_id = {_numbered(program())}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _from_before_versions(connection: sqlite3.Connection) -> None:
    for table, column, kind in _ADDED:
        known = _columns(connection, table)
        if known and column not in known:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
    if "deadline" in _columns(connection, "mandates"):
        # It was a moment of the wall clock. How much of it was spent nobody knows, so all of it is given again.
        connection.execute("ALTER TABLE mandates ADD COLUMN remaining REAL NOT NULL DEFAULT 0")
        connection.execute("UPDATE mandates SET remaining = deadline - accepted WHERE state = 'accepted'")
        connection.execute("ALTER TABLE mandates DROP COLUMN deadline")


def _numbered(version: str) -> int:
    """Major, minor and micro of a version as one number, for the field of the file that says which program has made it."""
    parts = [min(int(part), 999) for part in re.findall(r"\d+", version)[:3]]
    return sum(part * 1000**place for place, part in zip((2, 1, 0), parts, strict=False))


def _spelt(number: int) -> str:
    return f"{number // 1000**2}.{number // 1000 % 1000}.{number % 1000}"


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}


def _statements(script: str) -> list[str]:
    statements, begun = [], ""
    for part in script.split(";"):
        begun += part + ";"
        if sqlite3.complete_statement(begun):
            statements.append(begun)
            begun = ""
    return statements
