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
    """Hold the lock at `path` inside the block; the value is its descriptor.

    HOME_HELD names who has it, STORAGE what the disk does not allow.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(path, error) from error
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
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
        except OSError as error:
            raise _unusable(path, error) from error
        yield descriptor
    finally:
        os.close(descriptor)


def holder(path: Path) -> int | None:
    """The pid that holds the lock at `path` now (0: held, by an unknown process), or None. STORAGE where nobody may look."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_pid(descriptor)
    else:
        return None
    finally:
        os.close(descriptor)


def _unusable(path: Path, error: OSError) -> BatosError:
    return BatosError(
        "STORAGE",
        f"the lock {path} cannot be used: {error.strerror}",
        "Make room on that disk, or use a home that is yours: --home, or BATOS_HOME.",
    )


def _read_pid(descriptor: int) -> int:
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else 0
