"""Every record of the world's file, walked and looked at: what a disk has damaged is found before somebody needs it.

FileStorage reads a record when it is asked for, and its index says where; so damage in the middle of the file shows only in
use. This reads the file alone, by its layout (ZODB/FileStorage/format.py), and may run beside the storage: what is there when
it begins does not change any more. What a record says is looked at in `contents`.

The file has no checksums. What is found is damage to its layout, to a record's form, to the text of a method, and an object
that another one needs; a letter that is another one now, in a text of a user's, is not.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO, Final

from ZODB.blob import FilesystemHelper, is_blob_record

from actors.storage.contents import read

MAGIC: Final = (b"FS21", b"FS30")
TRANSACTION: Final = struct.Struct(">8sQcHHH")  # tid, length, status, lengths of user, description and extension
RECORD: Final = struct.Struct(">8s8sQQHQ")  # oid, tid, previous record, its transaction, no version, length of the data
LENGTH: Final = struct.Struct(">Q")
MOST: Final = 100
"""Problems that are told; who has so many has lost the file."""


def problems(database: Path, blobs: Path) -> list[str]:
    """What is wrong with the file, at most `MOST`, in its order; none for a world that is not there yet."""
    try:
        file = database.open("rb")
    except FileNotFoundError:
        return []
    except OSError as error:
        return [f"{database}: {error.strerror}"]
    with file:
        return _Walk(file, blobs).run()


class _Walk:
    """From transaction to transaction; one whose length cannot be believed ends it."""

    def __init__(self, file: BinaryIO, blobs: Path) -> None:
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        self._blobs = FilesystemHelper(str(blobs))
        self._names: dict[bytes, str] = {}
        self._found: list[str] = []
        self._tid = b""
        self._last: dict[bytes, int] = {}
        self._needed: dict[bytes, tuple[bytes, ...]] = {}

    def run(self) -> list[str]:
        if self._read(0, 4) not in MAGIC:
            return ["position 0: this is no world's file"]
        position: int | None = 4
        # A commit that was cut short by a crash lies at the end; the storage takes it away, and nobody was told of it.
        while position is not None and position + TRANSACTION.size <= self._size and len(self._found) < MOST:
            position = self._transaction(position)
        if position is not None:  # otherwise what is missing may stand where nobody could look
            self._references()
        return self._found[:MOST]

    def _transaction(self, start: int) -> int | None:
        length: int
        tid, length, status, *texts = TRANSACTION.unpack(self._read(start, TRANSACTION.size))
        end = start + length
        if status == b"c":
            return None
        fits = length >= TRANSACTION.size + sum(texts) and end + LENGTH.size <= self._size
        if status not in b" up" or not fits or self._read(end, LENGTH.size) != LENGTH.pack(length):
            self._found.append(f"position {start}: no transaction is here; nothing after it can be found")
            return None
        if tid <= self._tid:
            self._found.append(f"position {start}: a transaction is older than the one before it")
        self._tid = tid
        position = start + TRANSACTION.size + sum(texts)
        while position < end:
            after = self._record(position, start, end, tid)
            if after is None:
                break
            position = after
        return end + LENGTH.size

    def _record(self, start: int, transaction: int, end: int, tid: bytes) -> int | None:
        if start + RECORD.size + LENGTH.size > end:
            self._found.append(f"position {start}: a record ends before it has begun")
            return None
        oid, written, previous, belongs, version, length = RECORD.unpack(self._read(start, RECORD.size))
        after = start + RECORD.size + (length or LENGTH.size)
        if (written, belongs, version) != (tid, transaction, 0) or after > end:
            self._found.append(f"position {start}: no record is here; the rest of its transaction cannot be found")
            return None
        if previous and previous != self._last.get(oid):
            self._tell(start, oid, "its record does not follow the one before it")
        self._last[oid] = start
        if length:
            self._data(start, oid, tid, self._read(start + RECORD.size, length))
        return after

    def _data(self, start: int, oid: bytes, tid: bytes, data: bytes) -> None:
        try:
            record = read(data)
        except Exception as error:  # noqa: BLE001 - whatever a damaged pickle makes its reader say
            self._needed.pop(oid, None)
            self._tell(start, oid, f"its record cannot be read: {error}")
            return
        self._needed[oid] = record.references
        if record.name:
            self._names[oid] = record.name
        if record.problem:
            self._tell(start, oid, record.problem)
        if is_blob_record(data) and not Path(self._blobs.getBlobFilename(oid, tid)).is_file():
            self._tell(start, oid, "its blob's file is missing")

    def _references(self) -> None:
        """Each object that the present state of another one refers to must be there; one that was made again by undo is."""
        for oid, needed in self._needed.items():
            for other in needed:
                if other not in self._last:
                    self._tell(self._last[oid], oid, f"it refers to the object {other.hex()}, which is missing")

    def _tell(self, start: int, oid: bytes, what: str) -> None:
        name = f" ({self._names[oid]})" if oid in self._names else ""
        self._found.append(f"position {start}: the object {oid.hex()}{name}: {what}")

    def _read(self, position: int, length: int) -> bytes:
        self._file.seek(position)
        return self._file.read(length)
