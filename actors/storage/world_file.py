"""The world's file: a FileStorage that survives a disk which is full.

When the disk does not take what a commit writes, ZODB's FileStorage keeps the rest in the buffers of its files, and
the read buffers hold the bytes that were there for a moment: after there is room again, reads fail ("Non-zero version
length") until the process is started anew. So after such a failure the files are opened again, without their buffers.

And one that is not lost where somebody removes or replaces it at its path: no commit is voted for before it stands there
again, with all that was committed.
"""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path
from typing import Any

import structlog
from ZODB.FileStorage import FileStorage
from ZODB.FileStorage.FileStorage import TempFormatter
from ZODB.utils import p64, u64, z64

from actors.storage.moments import Moments
from bus.process.in_place import identity, put_back
from world.past.commits import Told

_log = structlog.get_logger("storage")


class WorldFile(FileStorage):
    """What FileStorage is, with its files opened again where the disk has refused a commit."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._moments = Moments(Path(self._file_name))
        self._looking = threading.Lock()

    def store(self, *arguments: Any) -> Any:
        try:
            return super().store(*arguments)
        except OSError:
            self._mend()
            raise

    def tpc_vote(self, transaction: Any) -> Any:
        self.stay()
        try:
            return super().tpc_vote(transaction)
        except OSError:
            self._mend()
            raise

    def commits(self, low: bytes, high: bytes | None, size: int) -> list[Told]:
        """Commits from `low` on and before `high`, the newest first, as `world.past.commits` asks for them."""
        with self._looking:
            with self._lock:  # a pack puts another file there, which has another end
                self._moments.open()
                end = self._pos
            return self._moments.told(low, high, size, end)

    def learn_moments(self) -> None:
        """Learn where the commits of a long history lie before somebody asks, on a thread beside those who write."""
        threading.Thread(target=self.commits, args=(b"", None, 0), name="moments", daemon=True).start()

    def close(self) -> None:
        with self._looking:
            self._moments.close()
        super().close()

    def stay(self) -> None:
        """Put the file back where it has been taken away; OSError where that cannot be."""
        with self._files.write_lock(), self._lock:
            there = os.fstat(self._file.fileno())
            path = Path(self._file_name)
            if identity(path) == (there.st_dev, there.st_ino):
                return
            self._file.flush()
            copy = path.with_name(path.name + ".copy")
            own = f"/proc/self/fd/{self._file.fileno()}"  # it has no other name
            shutil.copyfile(own, copy)
            put_back(copy, path)
            self._file.close()
            self._file = open(self._file_name, "r+b")  # noqa: PTH123, SIM115 - as FileStorage opens it
            self._files.empty()
        _log.error(
            "the world's file was removed or replaced while it was in use, and is put back", path=self._file_name
        )

    def pass_over(self, oids: int) -> None:
        """Never hand out the next `oids` OIDs, where anything was committed: see `PREFETCHED` in `actors.storage.server`."""
        if self.lastTransaction() != z64:
            self.set_max_oid(p64(u64(self.new_oid()) + oids))

    def _clear_temp(self) -> None:
        try:
            super()._clear_temp()
        except OSError:  # it writes its buffer first, which nobody needs any more
            self._open_temp()

    def _mend(self) -> None:
        with self._files.write_lock(), self._lock:  # in the order of `tpc_finish`
            fresh = open(self._file_name, "r+b")  # noqa: PTH123, SIM115 - as FileStorage opens it
            self._file.raw.close()  # not `close`, which would write the buffer
            self._file = fresh
            self._file.truncate(self._pos)
            self._open_temp()
            self._nextpos = 0
            self._files.empty()
        _log.error("the disk has refused a commit; the world's file is opened again", size=self._pos)

    def _open_temp(self) -> None:
        self._tfile.raw.close()
        self._tfile = open(self._file_name + ".tmp", "w+b")  # noqa: PTH123, SIM115
        self._tfmt = TempFormatter(self._tfile)
