"""A SQLite connection on a thread of its own, where what is asked within a moment shares one commit.

While a commit is on its way to the disk, others ask; what they ask is the next transaction. A transaction is synced to
the disk if any of its works is `durable`. One that is not still stands in the file when it is answered, so that kill -9
costs nothing; a power cut may cost it, unless a durable one has come after it, which takes all earlier ones along
(https://www.sqlite.org/pragma.html#pragma_synchronous, NORMAL and FULL in WAL mode).

Whatever is durable is answered only while the file stands where it was opened. Where it does not any more, it is written
there again, with all that was committed, and the connection takes nothing more: whoever opens anew has everything.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import structlog

from bus.process.in_place import identity, put_back
from protocol.errors import BatosError

T = TypeVar("T")

_log = structlog.get_logger("orchestrator")

MOST: Final = 256
"""Works in one transaction."""

_BROKEN: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PASSING: Final = frozenset(
    {
        *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_INTERRUPT),
        *(sqlite3.SQLITE_IOERR, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PERM),
        *(sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_READONLY),
    }
)


class _Work(msgspec.Struct, frozen=True):
    """`alone`: outside of any transaction, as VACUUM must be."""

    do: Callable[[], Any]
    answer: Future[Any]
    durable: bool
    alone: bool


class Database:
    """The connection `db` that `open_` gives. Its methods may be called from any thread, `db` is the own thread's alone.

    `synced` is called there whenever everything that was written so far is safe from a power cut.
    """

    def __init__(self, path: Path, open_: Callable[[Path], sqlite3.Connection], synced: Callable[[], None]) -> None:
        self._path = path
        self._synced = synced
        self._asked: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._is_full: bool | None = None
        self._moved: BatosError | None = None
        self._thread = threading.Thread(target=self._live, name="journal", daemon=True)
        self._thread.start()
        try:
            self.db: sqlite3.Connection = self._ask(lambda: open_(path), durable=True, alone=True).result()
        except BaseException:
            self._end()
            raise
        files = (path, path.with_name(path.name + "-wal"))
        self._places = {file: found for file in files if (found := identity(file)) is not None}

    async def run(self, do: Callable[[], T], *, durable: bool = True, alone: bool = False) -> T:
        """`do()` on the database's thread, once its transaction is committed.

        What SQLite raises comes out as STORAGE (`lost`: nothing of `do` has happened), or DAMAGED where the file is broken.
        """
        return await asyncio.wrap_future(self._ask(do, durable=durable, alone=alone))

    def post(self, do: Callable[[], Any]) -> Future[Any]:
        """Have `do()` done like a `run` that is not durable, before all that is asked later; from any thread."""
        return self._ask(do, durable=False, alone=False)

    def close(self) -> None:
        self._ask(self.db.close, durable=False, alone=True).result()
        self._end()

    def _end(self) -> None:
        self._asked.put(None)
        self._thread.join()

    def _ask(self, do: Callable[[], T], *, durable: bool, alone: bool) -> Future[T]:
        answer: Future[T] = Future()
        self._asked.put(_Work(do, answer, durable, alone))
        return answer

    # On the thread --------------------------------------------------------------------------------------------

    def _live(self) -> None:
        while (work := self._asked.get()) is not None:
            batch: list[_Work] = []
            after: _Work | None = None
            while work is not None:
                if work.alone:
                    after = work
                    break
                batch.append(work)
                work = self._next(len(batch))
            self._commit([work for work in batch if work.answer.set_running_or_notify_cancel()])
            if after is not None and after.answer.set_running_or_notify_cancel():
                self._alone(after)

    def _next(self, length: int) -> _Work | None:
        """What has been asked meanwhile; None where there is nothing, or the transaction is full."""
        if length >= MOST:
            return None
        try:
            work = self._asked.get_nowait()
        except queue.Empty:
            return None
        if work is None:
            self._asked.put(None)  # the end, for `_live` to see
        return work

    def _commit(self, batch: list[_Work]) -> None:
        if not batch:
            return
        if self._moved is not None:
            for work in batch:
                work.answer.set_exception(self._moved)
            return
        durable = any(work.durable for work in batch)
        done: list[tuple[Any, BaseException | None]] = []
        try:
            self._sync(full=durable)
            before = self.db.total_changes
            self.db.execute("BEGIN")
            done.extend(_outcome(work.do) for work in batch)
            self.db.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            if len(batch) == 1:
                batch[0].answer.set_exception(self._failure(error))
                return
            for work in batch:  # what one of them has met must not be the others' failure
                self._commit([work])
            return
        if durable:
            try:
                self._stay()
            except (sqlite3.Error, OSError) as error:
                # Committed in a file that is in no folder: nobody may rely on that.
                for work in batch:
                    work.answer.set_exception(self._failure(error))
                return
        if durable and self.db.total_changes > before:
            self._synced()
        for work, (value, raised) in zip(batch, done, strict=True):
            if raised is None:
                work.answer.set_result(value)
            else:
                work.answer.set_exception(raised)

    def _alone(self, work: _Work) -> None:
        try:
            work.answer.set_result(work.do())
        except sqlite3.Error as error:
            work.answer.set_exception(self._failure(error))
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is awaited
            work.answer.set_exception(error)

    def _sync(self, *, full: bool) -> None:
        if full is not self._is_full:
            self.db.execute(f"PRAGMA synchronous = {'FULL' if full else 'NORMAL'}")
            self._is_full = full

    def _roll_back(self) -> None:
        try:
            if self.db.in_transaction:  # SQLite has rolled back by itself where the disk has failed
                self.db.execute("ROLLBACK")
        except sqlite3.Error:
            self._is_full = None

    def _stay(self) -> None:
        """See that what was committed stands in its place; OSError or sqlite3.Error where it cannot be put there."""
        if all(identity(file) == found for file, found in self._places.items()):
            return
        copy = self._path.with_name(self._path.name + ".copy")
        copy.unlink(missing_ok=True)
        self.db.execute("VACUUM INTO ?", (str(copy),))
        for ending in ("-wal", "-shm"):  # of whatever stands there now; all that was in ours is in the copy
            self._path.with_name(self._path.name + ending).unlink(missing_ok=True)
        put_back(copy, self._path)
        self._moved = BatosError(
            "STORAGE",
            f"the journal {self._path} was removed or replaced while it was in use; it has been put back",
            "Its files are moved only while the system is down (batos down). The orchestrator starts anew; try again.",
            lost=True,
            moved=True,
        )
        _log.error("the journal was removed or replaced while it was in use, and is put back", path=str(self._path))

    def _failure(self, error: sqlite3.Error | OSError) -> BatosError:
        return failure(self._path, error)


def _outcome(do: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """What `do` gives or raises; what SQLite raises is the whole transaction's, and goes through."""
    try:
        return do(), None
    except sqlite3.Error:
        raise
    except BaseException as error:  # noqa: BLE001 - it is raised where the answer is awaited
        return None, error


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is broken, so that trying again is of no use."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _BROKEN


def is_passing(error: sqlite3.Error) -> bool:
    """Whether the machine is what was in the way, not the file."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _PASSING


def failure(path: Path, error: sqlite3.Error | OSError) -> BatosError:
    """What SQLite or the disk has raised about the file `path`, as it is told."""
    if isinstance(error, sqlite3.Error) and is_damage(error):
        return damaged(path, str(error))
    # Of what is under way nothing is wrong with the thought: it is thought again when there is room.
    return BatosError("STORAGE", f"the journal failed: {error}", "Is the disk full?", lost=True)


def damaged(path: Path, why: str) -> BatosError:
    return BatosError(
        "DAMAGED",
        f"the journal {path} is damaged: {' '.join(why.split())}",
        f"Stop with `batos down`. Put a backup in its place, or move {path.name}, {path.name}-wal and {path.name}-shm"
        " away: `batos up` then begins a new journal. The world keeps all that was published; mandates without an end and"
        " idempotency keys are forgotten.",
        path=str(path),
    )
