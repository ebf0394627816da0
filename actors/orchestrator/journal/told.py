"""Which documents a mandate was told a passage of: what memory answered it, by the documents' ids.

The answers themselves go with the mandate's end. That it was told stays for as long as the mandate's row does, so that what came of
a document is known when the document is to be forgotten.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Final

from protocol import codec
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.messages import Found, MandateReply

_AT_ONCE: Final = 500
"""Ids in one statement."""


class Told:
    """Of the journal's connection; on its thread, like all that uses it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def note(self, mandate: str, doc_ids: Iterable[str]) -> None:
        """The mandate was told a passage of each of these documents."""
        _note(self._db, mandate, doc_ids)

    def documents(self, mandate: str) -> list[str] | None:
        """What a mandate was told of; None where the journal does not know the mandate any more."""
        rows = self._db.execute("SELECT doc_id FROM told WHERE mandate = ?", (mandate,)).fetchall()
        if rows or self._db.execute("SELECT 1 FROM mandates WHERE mandate = ?", (mandate,)).fetchone():
            return [row[0] for row in rows]
        return None

    def mandates(self, doc_ids: Iterable[str]) -> list[str]:
        """The mandates that were told a passage of any of these documents, the oldest first."""
        found: set[str] = set()
        every = list(doc_ids)
        for at in range(0, len(every), _AT_ONCE):
            some = every[at : at + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            rows = self._db.execute(f"SELECT mandate FROM told WHERE doc_id IN ({marks})", some)  # noqa: S608  only marks
            found.update(row[0] for row in rows)
        return sorted(found)


def note_all(db: sqlite3.Connection) -> None:
    """Note for all mandates of an older journal what it still says: in answers of memory that are kept, and in ends of questions."""
    for mandate, reply in db.execute("SELECT mandate, reply FROM replies"):
        _note(db, mandate, told_in(reply, Found))
    rows = db.execute("SELECT mandate, reply FROM mandates WHERE state = 'complete' AND reply IS NOT NULL")
    for mandate, reply in rows:
        _note(db, mandate, told_in(reply, MandateReply))


def told_in(reply: bytes, kind: type[Found | MandateReply]) -> list[str]:
    """The documents that a packed reply has passages of; none where it is another kind of reply."""
    try:
        found = codec.unpack(reply, kind)
    except BatosError:
        return []
    if isinstance(found, Found):
        return [hit.doc_id for hit in found.hits]
    return list(named_in(found.result))


def named_in(result: Value) -> Iterator[str]:
    """The documents that the answer to a question names as its sources, each once or more."""
    if not isinstance(result, dict):
        return
    for part in ("sources", "citations"):
        each = result.get(part)
        for one in each if isinstance(each, list) else ():
            if isinstance(one, dict) and isinstance(doc_id := one.get("doc_id"), str):
                yield doc_id


def _note(db: sqlite3.Connection, mandate: str, doc_ids: Iterable[str]) -> None:
    db.executemany(
        "INSERT OR IGNORE INTO told (mandate, doc_id) VALUES (?, ?)",
        [(mandate, each) for each in dict.fromkeys(doc_ids)],
    )
