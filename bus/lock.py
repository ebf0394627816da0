"""A lock file: who holds a home, or a part of one.

The kernel releases an `flock` when its holder dies, however it dies, so a lock never outlives a run and a file
that a dead run left behind means nothing. The file holds the holder's pid, for the error message only.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from protocol.errors import BatosError


@contextmanager
def hold(path: Path, what: str) -> Iterator[int]:
    """Hold the lock at `path` inside the block; the value is its descriptor. HOME_HELD names who has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = _read_pid(descriptor)
            raise BatosError(
                "HOME_HELD",
                f"{what} is held by another run (pid {pid or 'unknown'})",
                "Stop it with `batos down` for the same home, or choose another home with --home.",
                pid=pid,
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def holder(path: Path) -> int | None:
    """The pid that holds the lock at `path` now (0: held, by an unknown process), or None."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_pid(descriptor)
    else:
        return None
    finally:
        os.close(descriptor)


def _read_pid(descriptor: int) -> int:
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else 0
