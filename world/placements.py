"""Where models begin on the ladder of forms, as the world keeps it: beside the base model, by the digest of its weights."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

from persistent.mapping import PersistentMapping
from ZODB.Connection import Connection

from protocol.codec import Value
from world.uvm import coerce
from world.values import plain

FORMS: Final = ("narrow", "open", "free")
"""The rungs, the tightest first."""
SLOT: Final = "placements"


def placement_of(connection: Connection, digest: str) -> Value:
    """The placement of the model `digest`, {"form", "tried"}, or None."""
    kept = _kept(connection)
    found = None if kept is None else kept.get(digest)
    return None if found is None else plain(found, lambda _container: None)


def keep_placement(connection: Connection, digest: str, found: Mapping[str, Any]) -> None:
    """Write it within a transaction; the one that stands there stays."""
    kept = _kept(connection)
    if kept is None:
        kept = PersistentMapping()
        connection.root()["pLLM_obj"].set_slot(SLOT, kept)
    if digest not in kept:
        kept[digest] = coerce(dict(found))


def forget(connection: Connection) -> None:
    """Let every model be placed anew, within a transaction."""
    connection.root()["pLLM_obj"].set_slot(SLOT, PersistentMapping())


def shipped() -> dict[str, dict[str, Any]]:
    """The placements that the image brings along, by digest: those of the embedded model."""
    text = (files("world") / "image" / "placements.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _kept(connection: Connection) -> Any:
    return connection.root()["pLLM_obj"]._slots.get(SLOT)
