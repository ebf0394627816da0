"""A commit that the disk refuses is gone without a trace, and the next one finds the file as it was."""

from __future__ import annotations

import errno

import pytest
import transaction
from ZODB import DB
from ZODB.FileStorage import FileStorage

from actors.storage.world_file import WorldFile


def put(db, value):
    manager = transaction.TransactionManager(explicit=True)
    connection = db.open(manager)
    try:
        with manager:
            connection.root()["value"] = value
    finally:
        connection.close()


def value_of(db):
    with db.transaction() as connection:
        return connection.root()["value"]


@pytest.mark.parametrize("refused", ["store", "tpc_vote"])
def test_what_the_disk_refused_leaves_no_trace(tmp_path, monkeypatch, refused):
    storage = WorldFile(str(tmp_path / "world.fs"), blob_dir=str(tmp_path / "blobs"))
    db = DB(storage)
    put(db, "first")
    size = (tmp_path / "world.fs").stat().st_size

    def full(self, *_arguments):
        self._file.write(b"half of a record")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(FileStorage, refused, full)
        with pytest.raises(OSError, match="No space left"):
            put(db, "refused")
    assert (tmp_path / "world.fs").stat().st_size == size
    assert value_of(db) == "first"
    put(db, "second")
    db.close()
    again = DB(FileStorage(str(tmp_path / "world.fs"), blob_dir=str(tmp_path / "blobs")))
    assert value_of(again) == "second"
    again.close()
