"""A process's pulse: the file `run/NAME.pulse`, by which the medic sees whether its event loop still turns.

The file holds the pid. Its time of change is the last beat, in nanoseconds of the monotonic clock: that needs no room on a
disk that is full, and stands still while the machine sleeps. A time of 0 says that the process is starting or ending, and
does not beat. `ops/attend.py` writes the file before the process begins, `ops/vitals.py` reads it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path
from typing import Final

import structlog

BEAT_S: Final = 0.25

_log = structlog.get_logger("bus")


class Pulse:
    """The pulse of this process, which is `name` in the home whose sockets lie in the folder `run`."""

    def __init__(self, run: Path, name: str) -> None:
        self._path = run / f"{name}.pulse"
        self._file: int | None = None
        self._timer: asyncio.TimerHandle | None = None
        try:
            self._file = self._open()
        except OSError as error:  # a full disk, perhaps: one without a pulse is only not looked after
            _log.warning("the medic cannot see the pulse of this process", error=str(error))

    def _open(self) -> int:
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.ftruncate(file, 0)
        os.pwrite(file, b"%d\n" % os.getpid(), 0)
        return file

    def beat(self) -> None:
        """Say that this process is well; the file is made anew where somebody has removed it."""
        if self._file is None:
            return
        if not os.fstat(self._file).st_nlink:
            with contextlib.suppress(OSError):  # its folder is gone too, or the disk is full: the next beat tries again
                file = self._open()
                os.close(self._file)
                self._file = file
        os.utime(self._file, ns=(0, time.monotonic_ns()))

    def keep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Beat from `loop` again and again, until `end`."""
        self.beat()
        self._timer = loop.call_later(BEAT_S, self.keep, loop)

    def end(self) -> None:
        """From now on this process is ending, which may take its time."""
        if self._timer is not None:
            self._timer.cancel()
        if self._file is not None:
            os.utime(self._file, ns=(0, 0))
            os.close(self._file)
            self._file = None
