"""A journal that a restore has put into its place, beside a world that may be older by a moment.

A backup copies the journal after the world, so that it knows whatever the world knows. It may then know more: a mandate that
has ended, with changes that the world's copy does not have. Here that end is taken back, so that the mandate is taken up when the system
starts, as after a crash; and who asks again under its key waits for it.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from actors.orchestrator.journal.schema import CURRENT
from protocol import codec
from protocol.messages import MandateReply


def newer(path: Path) -> str:
    """In words, how the journal is newer than this program; nothing where it is not."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        (version,) = db.execute("PRAGMA user_version").fetchone()
    return f"it has version {version}, and this program knows {CURRENT}" if version > CURRENT else ""


def reopen(path: Path, tid: str) -> int:
    """Take back the end of each mandate that was published after the transaction `tid`; how many there were.

    To be asked of a journal that nobody has open, and that is whole.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        rows = db.execute("SELECT mandate, reply FROM mandates WHERE state = 'complete'")
        late = [(mandate,) for mandate, reply in rows if (codec.unpack(reply, MandateReply).tid or "") > tid]
        db.execute("BEGIN")
        db.executemany(
            "UPDATE mandates SET state = 'accepted', reply = NULL, finished = NULL, cancelled = NULL WHERE mandate = ?",
            late,
        )
        db.execute("COMMIT")
    return len(late)
