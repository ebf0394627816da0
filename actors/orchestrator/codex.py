"""The codex over the bus: read it, or load another one."""

from __future__ import annotations

from protocol.messages import Codex, CodexReply
from world import codex
from world.store import Store, commit, snapshot


def serve(store: Store, request: Codex) -> CodexReply:
    """The world's codex, after `request.text` has become it where one was given. On the world's thread."""
    standing = _read(store)
    if request.text is None or request.text == standing.text:
        return standing
    codex.read(request.text)
    with commit(store.db, user="user", description="codex") as connection:
        forgotten = codex.load(connection, request.text)
    return _read(store, forgotten)


def _read(store: Store, forgotten: list[str] | None = None) -> CodexReply:
    with snapshot(store.db) as connection:
        kept = connection.root()["codex_obj"]
        personas = list(kept.personas)
        return CodexReply(
            text=kept.text,
            personas=personas,
            forgotten=forgotten or [],
            tid=None if forgotten is None else kept._slots._p_serial.hex(),
        )
