"""What the journal holds of mandates, read by who knows its form: SQLite looks at pages, not at what stands in them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from protocol import codec
from protocol.errors import BatosError
from protocol.failure import Failure
from protocol.messages import Mandate, MandateReply
from protocol.origin import Origin

MOST: Final = 100
"""Problems that are told."""


def unreadable(path: Path) -> list[str]:
    """The messages and ends of mandates that cannot be read, at most `MOST`; none where there is no journal.

    To be asked of a file whose pages are whole (`schema.problems`), also while it is in use.
    """
    if not path.exists():
        return []
    found: list[str] = []
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
            # What a journal of an older version lacks is brought up by the next start; then it has no origins.
            known = {row[1] for row in db.execute("PRAGMA table_info(mandates)")}
            origins = "origin" if "origin" in known else "NULL"
            whole = "WHERE body_sha256 IS NULL" if "body_sha256" in known else ""
            rows = db.execute(f"SELECT mandate, state, body, reply, {origins} FROM mandates {whole}")  # noqa: S608  ours
            for mandate, state, body, reply, origin in rows:
                if origin is not None:
                    _read(found, f"the origin of mandate {mandate}", origin, Origin)
                _read(found, f"the message of mandate {mandate}", body, Mandate)
                if state != "accepted":
                    end = MandateReply if state == "complete" else Failure
                    _read(found, f"the end of mandate {mandate}", reply, end)
                if len(found) >= MOST:
                    break
    except sqlite3.Error as error:
        return [str(error)]
    return found


def _read(
    found: list[str], what: str, data: bytes | None, kind: type[Mandate | MandateReply | Failure | Origin]
) -> None:
    try:
        codec.unpack(data or b"", kind)
    except BatosError as error:
        found.append(f"{what} cannot be read: {error.message}")
