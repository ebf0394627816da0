"""The commits of the world's file, found by their moment: the newest first, from any moment on, at the cost of those alone.

FileStorage has no index by time, and walks its file from an end. Here every `STRIDE`-th transaction's place in the file is known, so
that whoever asks for a moment reads at most so many headers before it. What is known is kept beside the file, since learning it reads
every header once; it is believed only where each mark holds the transaction that it should.

The layout is that of ZODB/FileStorage/format.py. Only what is committed already is read, which nobody changes any more: a pack puts another
file in its place.
"""

from __future__ import annotations

import os
import pickle
import struct
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from actors.storage.records import LENGTH, TRANSACTION
from world.past.commits import Told

STRIDE: Final = 512
FIRST: Final = 4
"""Where the first transaction begins."""
_AHEAD: Final = 1 << 20
_MARK: Final = struct.Struct(">8sQ")
ENDING: Final = ".moments"
"""Of the file in which the index is kept, after the world's own."""


class Mark(NamedTuple):
    """Where a transaction begins."""

    tid: bytes
    position: int


class Moments:
    """The index over the file at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept = path.with_name(path.name + ENDING)
        self._file = -1
        self._marks: list[Mark] = []
        self._end = FIRST
        self._since = 0  # transactions from the last place to the end of what is known
        self._identity: tuple[int, int] | None = None

    def commits(self, low: bytes, high: bytes | None, size: int, end: int) -> list[Told]:
        """At most `size` commits from `low` on and before `high` (None: all), the newest first, of the file's first `end` bytes."""
        self.open()
        return self.told(low, high, size, end)

    def told(self, low: bytes, high: bytes | None, size: int, end: int) -> list[Told]:
        """As `commits`, of the file that is open already."""
        self._learn(end)
        found: list[Told] = []
        last = len(self._marks) if high is None else bisect_left(self._marks, (high, 0))
        for number in range(last - 1, -1, -1):
            begin = self._marks[number]
            stop = self._marks[number + 1].position if number + 1 < len(self._marks) else self._end
            for position, tid, sizes in reversed(list(self._headers(begin.position, stop))):
                if tid < low or len(found) >= size:
                    return found
                if high is None or tid < high:
                    found.append(self._told(position, tid, sizes))
        return found

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def open(self) -> None:
        """Open the file that stands at the path; what is known of another one is forgotten."""
        if self._file < 0 or self._identity != _identity(self._path.stat()):
            self.close()
            self._file = os.open(self._path, os.O_RDONLY)
            self._identity = _identity(os.fstat(self._file))
            self._marks, self._end, self._since = [], FIRST, 0
            self._believe()

    def _believe(self) -> None:
        """Take what was kept, if this is the file that it was kept of."""
        try:
            kept = self._kept.read_bytes()
        except OSError:
            return
        if not kept or len(kept) % _MARK.size:
            return
        marks = [Mark(*_MARK.unpack_from(kept, start)) for start in range(0, len(kept), _MARK.size)]
        size = os.fstat(self._file).st_size
        if all(mark.position < size for mark in marks) and all(
            os.pread(self._file, 8, mark.position) == mark.tid for mark in marks
        ):
            self._marks, self._end, self._since = marks, marks[-1].position, 0

    def _learn(self, end: int) -> None:
        """Know the marks up to `end`."""
        known = len(self._marks)
        for position, tid, _ in self._headers(self._end, end):
            if self._since % STRIDE == 0 and (not self._marks or position > self._marks[-1].position):
                self._marks.append(Mark(tid, position))
                self._since = 0
            self._since += 1
        self._end = max(self._end, end)
        if len(self._marks) > known + 1:
            self._keep()

    def _keep(self) -> None:
        """Keep what is known; it costs nothing but time where that cannot be."""
        new = self._kept.with_name(self._kept.name + ".new")
        try:
            new.write_bytes(b"".join(_MARK.pack(*mark) for mark in self._marks))
            new.replace(self._kept)
        except OSError:
            new.unlink(missing_ok=True)

    def _headers(self, start: int, end: int) -> Iterator[tuple[int, bytes, tuple[int, int, int]]]:
        """Each transaction's position, id, and the sizes of what it says, from `start` to `end`."""
        ahead, begun = b"", start
        while start < end:
            if start + TRANSACTION.size > begun + len(ahead):
                ahead, begun = os.pread(self._file, _AHEAD, start), start
            tid, length, _, user, description, extension = TRANSACTION.unpack_from(ahead, start - begun)
            yield start, tid, (user, description, extension)
            start += length + LENGTH.size

    def _told(self, position: int, tid: bytes, sizes: tuple[int, int, int]) -> Told:
        said = os.pread(self._file, sum(sizes), position + TRANSACTION.size)
        user, description = sizes[0], sizes[0] + sizes[1]
        extension = pickle.loads(said[description:]) if sizes[2] else {}  # noqa: S301 - as FileStorage reads it; actors alone write it
        return tid, said[:user], said[user:description], extension


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino
