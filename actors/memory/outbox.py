"""What the world's outbox has for memory: one line after the other, and how far it is remembered."""

from __future__ import annotations

from typing import Any, NamedTuple

from ZODB import DB

from actors.memory.catalog import USER
from protocol.codec import Value
from world.store import commit, snapshot
from world.values import NotPlain, plain


class Entry(NamedTuple):
    """One line of the outbox, as it was written: nothing of it is checked yet. `is_gone`: the document is to be forgotten."""

    seq: int
    doc_id: Value
    text: Value
    metadata: Value
    is_gone: bool = False


def next_entry(db: DB) -> Entry | None:
    """The first line of the outbox that is not remembered yet."""
    with snapshot(db) as connection:
        root = connection.root()
        seq, line = next(iter(root["outbox"].items(min=root["cursor"]["outbox"] + 1)), (0, None))
        if line is None:
            return None
        doc_id, text, metadata = (_part(line, name) for name in ("doc_id", "text", "metadata"))
        return Entry(seq, doc_id, text, metadata, _part(line, "gone") is True)


def cursor(db: DB) -> int:
    """The number of the last line of the outbox that is remembered."""
    with snapshot(db) as connection:
        return int(connection.root()["cursor"]["outbox"])


def pass_over(db: DB, seq: int) -> None:
    """Move the cursor past a line that leaves nothing to index."""
    with commit(db, user=USER, description=f"outbox {seq}: nothing to index") as connection:
        connection.root()["cursor"]["outbox"] = seq


def _part(line: Any, name: str) -> Value:
    """What a line of the outbox says; None, which no check lets pass, where that is no value."""
    try:
        return plain(line.get(name), lambda _: None)
    except NotPlain:
        return None
