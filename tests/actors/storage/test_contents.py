"""What a record says is read without making anything of it; what cannot be so is named, in files that ZODB has written."""

from __future__ import annotations

import io
import pickle
import time

import pytest
import transaction
from persistent.mapping import PersistentMapping
from ZODB import DB

from actors.storage.contents import fields, read
from actors.storage.records import problems
from actors.storage.world_file import WorldFile
from world.method import UvmMethod
from world.uvm import UvmObject


@pytest.fixture
def files(tmp_path):
    return tmp_path / "world.fs", tmp_path / "blobs"


@pytest.fixture
def world(files):
    """A world whose box has a method and a neighbour."""
    db = DB(WorldFile(str(files[0]), blob_dir=str(files[1])))
    with db.transaction() as connection:
        connection.root()["box"] = box = UvmObject()
        box._name = "box"
        box.items = [1, 2, 3]
        connection.root()["method"] = UvmMethod("area_", source="def area_(self):\n    return self.width * 7\n")
        connection.root()["neighbour"] = PersistentMapping(name="a neighbour")
    yield db
    db.close()


def change(files, old, new):
    data = files[0].read_bytes()
    assert old in data
    assert len(old) == len(new)
    files[0].write_bytes(data.replace(old, new))


def test_a_world_that_was_undone_and_packed_is_whole(world, files):
    for number in range(3):
        with world.transaction() as connection:
            connection.root()["box"].items = [number] * 50
    manager = transaction.TransactionManager()
    world.undo(world.undoLog(0, 1)[0]["id"], manager.get())
    manager.commit()
    assert problems(*files) == []
    with world.transaction() as connection:
        del connection.root()["neighbour"]
    world.pack(time.time())
    assert problems(*files) == []
    with world.transaction() as connection:
        connection.root()["box"].items = ["after"]
    assert problems(*files) == []


def test_a_letter_of_a_method_that_is_another_one_now_is_seen(world, files):
    world.close()
    change(files, b"self.width * 7", b"self.width * 8")
    (found,) = problems(*files)
    assert "'area_' is not the one that was judged" in found


def test_an_object_that_another_one_needs_and_that_is_missing_is_named(world, files):
    with world.transaction() as connection:
        oid = connection.root()["neighbour"]._p_oid
    world.close()
    reference = b"C\x08" + oid  # as ZODB pickles it
    data = files[0].read_bytes()
    assert data.count(reference) == 1
    files[0].write_bytes(data.replace(reference, b"C\x08" + b"\x7f" * 8))
    (found,) = problems(*files)
    assert "7f7f7f7f7f7f7f7f, which is missing" in found


@pytest.mark.parametrize("new", [b"world.uvn", b"worle.uvm", b"os\n      "])
def test_a_class_that_no_world_has_is_said(world, files, new):
    world.close()
    change(files, b"world.uvm", new)
    assert any("cannot be read" in line for line in problems(*files))


def test_nothing_that_a_record_says_is_done(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "made"), "w"))

    stream = io.BytesIO()
    for part in (UvmObject, {"_name": Evil()}):
        pickle.Pickler(stream, 2).dump(part)
    with pytest.raises(ValueError, match="no world holds"):
        read(stream.getvalue())
    assert not (tmp_path / "made").exists()


def test_a_record_that_would_take_more_room_than_it_has_is_not_read():
    with pytest.raises(ValueError, match="remember more"):
        read(pickle.PROTO + b"\x02N" + pickle.LONG_BINPUT + b"\xff\xff\xff\x7f" + pickle.STOP)


def test_the_fields_of_a_record_are_read_without_its_classes(tmp_path):
    from ZODB import DB
    from ZODB.FileStorage import FileStorage
    from ZODB.utils import z64

    db = DB(FileStorage(str(tmp_path / "world.fs")))
    with db.transaction() as connection:
        connection.root().update(schema_version=7, named="box")
    data, _ = db.storage.load(z64)
    db.close()
    assert fields(data)["data"]["schema_version"] == 7
