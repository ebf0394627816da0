"""A commit that the disk refuses is gone without a trace, and the next one finds the file as it was."""

from __future__ import annotations

import errno
import threading
import time

import pytest
import transaction
from ZODB import DB
from ZODB.FileStorage import FileStorage
from ZODB.utils import p64

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


@pytest.mark.parametrize("instead", [None, b"another file"])
def test_a_file_that_is_taken_away_in_use_is_put_back_with_all_that_was_committed(tmp_path, instead):
    path, blobs = tmp_path / "world.fs", str(tmp_path / "blobs")
    db = DB(WorldFile(str(path), blob_dir=blobs))
    put(db, "first")
    path.unlink()
    if instead:
        path.write_bytes(instead)
    put(db, "second")
    assert value_of(db) == "second"
    if instead:
        assert (tmp_path / "world.fs.other").read_bytes() == instead, "it may be what somebody wanted"
    path.unlink(missing_ok=True)
    db.storage.stay()
    again = DB(FileStorage(str(path), read_only=True))
    assert value_of(again) == "second", "also where nobody writes meanwhile"
    again.close()
    db.close()


def test_nothing_is_committed_where_it_cannot_be_put_back(tmp_path):
    folder = tmp_path / "world"
    folder.mkdir()
    db = DB(WorldFile(str(folder / "world.fs"), blob_dir=str(tmp_path / "blobs")))
    put(db, "first")
    folder.rename(tmp_path / "away")
    with pytest.raises(OSError, match=r"world\.fs"):
        put(db, "second")
    assert value_of(db) == "first"
    (tmp_path / "away").rename(folder)
    put(db, "third")
    assert value_of(db) == "third"
    db.close()


def test_what_was_handed_out_before_is_not_handed_out_again(tmp_path):
    storage = WorldFile(str(tmp_path / "world.fs"), blob_dir=str(tmp_path / "blobs"))
    storage.pass_over(1000)
    assert storage.new_oid() == p64(1), "a new world begins at the first"
    db = DB(storage)
    put(db, "first")
    given = [storage.new_oid() for _ in range(100)]
    db.close()
    storage = WorldFile(str(tmp_path / "world.fs"), blob_dir=str(tmp_path / "blobs"))
    storage.pass_over(1000)
    assert storage.new_oid() > max(given)
    storage.close()


def test_who_asks_for_commits_while_a_pack_puts_another_file_there_is_told_of_one_of_them(tmp_path, monkeypatch):
    storage = WorldFile(str(tmp_path / "world.fs"))
    db = DB(storage)
    for number in range(2000):
        put(db, number)
    last = storage.lastTransaction()
    told = []
    asking = threading.Thread(target=lambda: told.append(storage.commits(b"", None, 3)))
    begin = WorldFile._initIndex  # the new file stands there, and its end is not known yet

    def slowly(self, *arguments):
        asking.start()
        asking.join(0.3)
        return begin(self, *arguments)

    monkeypatch.setattr(WorldFile, "_initIndex", slowly)
    db.pack(time.time())
    asking.join()
    assert told[0][0][0] == last
    db.close()
