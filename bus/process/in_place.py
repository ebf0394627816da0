"""A file that a process has open, and that somebody removes or replaces at its path: what is written then is in no folder.

A store that goes on in such a file acknowledges what will be gone with its process. So it looks, and puts its own file
back where it belongs. What stands there instead is kept beside it: a store is changed by nobody else while it is open.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

OTHER: Final = ".other"
"""The ending under which a file is kept that stood in the place of an open one."""


def identity(path: Path) -> tuple[int, int] | None:
    """Which file stands at `path` now, whatever its content; None for none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def put_back(copy: Path, path: Path) -> None:
    """Make `copy` durable, and the file at `path`. OSError where the disk does not take it."""
    sync(copy)
    if path.exists():
        path.replace(path.with_name(path.name + OTHER))
    copy.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Have the disk keep a file, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
