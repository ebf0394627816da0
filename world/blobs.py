"""Files in the world: blobs that are durable before the commit that names them.

ZODB moves a blob's file into place at commit, but does not ask the disk to keep it; so a file and its folder are
synced here before the transaction begins.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from persistent.mapping import PersistentMapping
from ZODB.blob import Blob


def consume(files: Mapping[str, Path]) -> PersistentMapping:
    """A mapping name → blob of `files`, which are moved, not copied, once the transaction commits."""
    blobs = PersistentMapping()
    for name, path in files.items():
        _sync(path)
        blob = Blob()
        blob.consumeFile(str(path))
        blobs[name] = blob
    return blobs


def committed(blobs: Mapping[str, Blob]) -> dict[str, Path]:
    """Where the committed files lie, by name."""
    return {name: Path(blob.committed()) for name, blob in blobs.items()}


def _sync(path: Path) -> None:
    for target in (path, path.parent):
        descriptor = os.open(target, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
