"""Writing the world's file anew, record by record, with other words in some of them; every transaction and every id stays.

The new file is written beside the old one, synced, looked through like any world's file, and put in the old one's place by one
rename; until then the old one is whole, and after it the new one is. The indexes of places go before that, since one of other places
must never be believed; without them the storage reads the file through.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from ZODB.fsIndex import fsIndex

from actors.storage import records
from actors.storage.moments import ENDING as MOMENTS
from actors.storage.purge.reading import BEGINNING, Transaction, transactions
from actors.storage.records import LENGTH, RECORD, TRANSACTION
from protocol.errors import BatosError

NEW: Final = ".purge"
"""What the new file is called until it is in its place, after the old one's name."""

Instead = Callable[[bytes, bytes], bytes | None]
"""What the record of an object (by its OID) is to say instead of what it says; None where it stays."""


class Rewritten(NamedTuple):
    """How many revisions were rewritten, of how many objects, and the bytes of the file before and after."""

    revisions: int
    objects: int
    bytes_before: int
    bytes_after: int


def rewrite(database: Path, blobs: Path, instead: Instead, step: Callable[[str], None] = lambda _: None) -> Rewritten:
    """Rewrite the file, which is whole, and which nobody has open. STORAGE where there is no room.

    `step` is told what has just been done.
    """
    fresh = database.with_name(database.name + NEW)
    index = database.with_name(database.name + ".index")
    try:
        done, places, end = _written(database, fresh, instead)
        step("written")
        _check(fresh, blobs)
        step("looked through")
        for known in (index, database.with_name(database.name + MOMENTS)):
            known.unlink(missing_ok=True)
        _sync_folder(database)
        step("without index")
        fresh.replace(database)
        _sync_folder(database)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise BatosError(
            "STORAGE",
            f"{database} cannot be rewritten: {error}",
            "There must be as much room as the file has; the old one stands.",
        ) from error
    except BatosError:
        fresh.unlink(missing_ok=True)
        raise
    step("in place")
    saved = index.with_name(index.name + "_tmp")
    places.save(end, str(saved))
    saved.replace(index)
    _sync_folder(database)
    step("indexed")
    return done


def _check(fresh: Path, blobs: Path) -> None:
    if found := records.problems(fresh, blobs):
        raise BatosError("INTERNAL", f"the rewritten file is not whole: {found[0]}", "Nothing was changed.")


def _written(database: Path, fresh: Path, instead: Instead) -> tuple[Rewritten, fsIndex, int]:
    """The new file, synced; where in it each object's last record stands, and its end."""
    places, moved, objects, revisions = fsIndex(), {0: 0}, set(), 0
    with database.open("rb") as old, _opened(fresh, database) as new:
        old.seek(0)
        new.write(old.read(BEGINNING))
        end = BEGINNING
        for transaction in transactions(old):
            parts: list[bytes] = []
            start = end
            at = start + TRANSACTION.size + len(transaction.about)
            for entry in transaction.entries:
                data = entry.data
                changed = instead(entry.oid, data) if data else None
                if changed is not None and changed != data:
                    data, revisions = changed, revisions + 1
                    objects.add(entry.oid)
                moved[entry.position] = at
                header = RECORD.pack(entry.oid, transaction.tid, moved.get(entry.previous, 0), start, 0, len(data))
                parts += (header, data or LENGTH.pack(moved.get(entry.back, 0)))
                if transaction.status != b"u":
                    places[entry.oid] = at
                at += RECORD.size + (len(data) or LENGTH.size)
            new.write(_framed(transaction, at - start, parts))
            end = at + LENGTH.size
        new.flush()
        os.fsync(new.fileno())
        before = old.seek(0, os.SEEK_END)
    return Rewritten(revisions, len(objects), before, end), places, end


def _framed(transaction: Transaction, length: int, parts: list[bytes]) -> bytes:
    header = TRANSACTION.pack(transaction.tid, length, transaction.status, *transaction.lengths)
    return b"".join((header, transaction.about, *parts, LENGTH.pack(length)))


def _opened(path: Path, like: Path) -> BinaryIO:
    """A new file that nobody but the owner of the other one reads, whoever may read that."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, like.stat().st_mode & 0o700)
    return open(descriptor, "r+b")  # noqa: PTH123 - a descriptor has no path


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def entries(database: Path) -> Iterator[tuple[bytes, bytes, int, bytes]]:
    """Object, transaction, place and words of every record of the file."""
    with database.open("rb") as file:
        for transaction in transactions(file):
            for entry in transaction.entries:
                yield entry.oid, transaction.tid, entry.position, entry.data
