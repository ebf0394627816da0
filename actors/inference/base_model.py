"""The base model as the world keeps it: its files as blobs, with the digest of its weights and the name of its source.

Inference is the only writer. Whoever else needs the model, the training of an expert, reads the same committed files.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from persistent.mapping import PersistentMapping

from protocol.home import Inference
from world import blobs
from world.store import Store, commit, snapshot

if TYPE_CHECKING:
    from actors.inference.model.incarnation import Incarnation


class KeptModel(NamedTuple):
    """A kept model: what its weights are, where they came from, and where its files lie."""

    digest: str
    source: str
    files: dict[str, Path]


def kept_model(store: Store) -> KeptModel | None:
    """The base model that the world keeps, or None. On the world's thread."""
    with snapshot(store.db) as connection:
        model = connection.root()["pLLM_obj"].base_model
        if model is None:
            return None
        return KeptModel(model["digest"], model["source"], blobs.committed(model["files"]))


def keep_model(store: Store, digest: str, source: str, files: dict[str, Path]) -> None:
    """Store the files, which are moved, as the world's base model, in one transaction. On the world's thread."""
    with commit(store.db, user="inference", description=f"incarnation of {source}") as connection:
        kept = PersistentMapping(digest=digest, source=source, files=blobs.consume(files))
        connection.root()["pLLM_obj"].set_slot("base_model", kept)


def load_model(kept: KeptModel, settings: Inference, folder: Path) -> Incarnation:
    """The kept model, placed as the configuration says; `folder` is its own as long as it lives. BAD_MODEL, OUT_OF_MEMORY."""
    from actors.inference.model import incarnation  # noqa: PLC0415 - seconds of imports, which only who loads has to wait for

    return incarnation.load(
        kept.files,
        device=settings.device,
        dtype=settings.dtype,
        threads=settings.threads,
        quantization=settings.quantization,
        device_bytes=settings.device_bytes,
        memory_bytes=settings.memory_bytes,
        folder=folder,
        name=f"the model {kept.source}",
    )
