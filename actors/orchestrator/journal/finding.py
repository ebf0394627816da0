"""What the journal is asked for by somebody who does not know an id: a mandate by its beginning or its place, and who sent a message."""

from __future__ import annotations

import sqlite3
from typing import Final

from ulid import ULID

from actors.orchestrator.journal.rows import Answered
from protocol import codec
from protocol.errors import BatosError
from protocol.messages import Mandate

MOST_STEPS: Final = 500
"""Of the steps that have sent a message, the newest so many are looked at."""
_AGAIN: Final = "answer"
"""The last part of the path of a message that a cycle sends again, once it has its method: two above it was sent first."""

_LANES: Final = "send_all_"
"""Whose sends are those of the method that has sent it."""


class Finding:
    """Of the journal's connection; on its thread, like all that uses it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def by_beginning(self, beginning: str) -> list[str]:
        """The ids that begin so: none, one, or two of several."""
        rows = self._db.execute(
            "SELECT mandate FROM mandates WHERE mandate >= ? AND mandate < ? LIMIT 2",
            (beginning, beginning + "\U0010ffff"),
        )
        return [row[0] for row in rows]

    def newest(self, limit: int) -> list[str]:
        """The ids of the newest mandates, the newest first."""
        return [row[0] for row in self._db.execute("SELECT mandate FROM mandates ORDER BY seq DESC LIMIT ?", (limit,))]

    def oldest(self) -> str | None:
        """The id of the oldest mandate that is not forgotten."""
        row = self._db.execute("SELECT mandate FROM mandates WHERE seq = (SELECT min(seq) FROM mandates)").fetchone()
        return None if row is None else str(row[0])

    def senders(self, selector: str) -> list[str]:
        """The selectors of the methods that have sent `selector`, each once, as the newest steps tell."""
        rows = self._db.execute(
            "SELECT mandate, path FROM steps WHERE send = ? ORDER BY seq DESC LIMIT ?", (selector, MOST_STEPS)
        ).fetchall()
        places = {(mandate, _above(path)) for mandate, path in rows}
        found = {self._sent(mandate, path) for mandate, path in places}
        return sorted(found - {""})

    def trace(self, mandate: str) -> list[Answered]:
        """All steps of a mandate, in the order in which they had their answers."""
        rows = self._db.execute(
            "SELECT cycle, state, path, send, size, tokens FROM steps WHERE mandate = ? ORDER BY seq", (mandate,)
        )
        return [
            Answered(cycle=cycle, state=state, path=path, send=send, size=size, tokens=tokens)
            for cycle, state, path, send, size, tokens in rows
        ]

    def places(self, mandate: str) -> dict[str, str]:
        """The places of a mandate's cycles in its trace, in the order in which they began."""
        return dict(self._db.execute("SELECT cycle, path FROM cycles WHERE mandate = ? ORDER BY seq", (mandate,)))

    def digests(self, mandate: str) -> dict[str, str]:
        """Those of a mandate's message and of its end, where no more is kept."""
        row = self._db.execute(
            "SELECT body_sha256, reply_sha256 FROM mandates WHERE mandate = ?", (mandate,)
        ).fetchone()
        found = {} if row is None else dict(zip(("message", "end"), row, strict=True))
        return {name: digest for name, digest in found.items() if digest}

    def having_sent(self, selector: str, limit: int) -> list[str]:
        """The newest mandates in whose trace `selector` was sent, the newest first."""
        rows = self._db.execute(
            "SELECT mandate, max(seq) FROM steps WHERE send = ? GROUP BY mandate ORDER BY max(seq) DESC LIMIT ?",
            (selector, limit),
        )
        return [row[0] for row in rows]

    def has_replies(self, mandate: str) -> bool:
        """Whether anything that the mandate was answered is kept still."""
        return self._db.execute("SELECT 1 FROM replies WHERE mandate = ? LIMIT 1", (mandate,)).fetchone() is not None

    def _sent(self, mandate: str, path: str) -> str:
        """What was sent at a place of a mandate's trace, or "" where that cannot be said."""
        if "." in path:
            step = self._db.execute("SELECT send FROM steps WHERE mandate = ? AND path = ?", (mandate, path)).fetchone()
            if step is not None and step[0] == _LANES:
                return self._sent(mandate, _above(path))
            return "" if step is None else str(step[0])
        row = self._db.execute("SELECT body FROM mandates WHERE mandate = ?", (mandate,)).fetchone()
        try:
            return "" if row is None else codec.unpack(row[0], Mandate).selector
        except BatosError:
            return ""  # the disk has damaged it, which is said to whoever asks for that mandate


def is_mandate_id(text: str) -> bool:
    """Whether `text` is a whole id of a mandate, of this journal or of any other."""
    try:
        ULID.from_str(text.upper())
    except ValueError:
        return False
    return True


def _above(path: str) -> str:
    parts = path.split(".")[:-1]
    while parts and parts[-1] == _AGAIN:
        parts = parts[:-2]
    return ".".join(parts)
