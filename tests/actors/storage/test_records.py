"""What a disk does to a world's file is found, and named: here in files that ZODB has written, damaged byte by byte."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ZODB import DB
from ZODB.blob import Blob

from actors.storage.records import problems
from actors.storage.world_file import WorldFile
from protocol.home import Home
from world.uvm import UvmObject


@pytest.fixture
def home(short_path):
    return Home(short_path / "home").prepare()


@pytest.fixture
def world(home):
    """A world of a few commits; the file, and the folder of its blobs."""
    db = DB(WorldFile(str(home.database), blob_dir=str(home.blobs)))
    with db.transaction() as connection:
        connection.root()["box"] = box = UvmObject()
        box._name = "box"
        box.items = list(range(300))
        connection.root()["blob"] = Blob(b"weights")
    with db.transaction() as connection:
        connection.root()["box"].items = ["word" * 3] * 200
        connection.root()["box"]._p_changed = True
    db.close()
    return home.database, home.blobs


def test_a_whole_world_has_no_problem_and_none_at_all_has_none(world, tmp_path):
    assert problems(*world) == []
    assert problems(tmp_path / "none.fs", tmp_path) == []


def test_zeros_over_a_record_are_named_with_the_object(world):
    database, _ = world
    data = bytearray(database.read_bytes())
    place = data.rindex(b"_name")
    data[place - 3 : place + 8] = bytes(11)
    database.write_bytes(data)
    (found,) = problems(*world)
    assert "(box)" in found
    assert "cannot be read" in found


def test_zeros_over_the_head_of_a_transaction_end_the_walk(world):
    database, _ = world
    data = bytearray(database.read_bytes())
    data[4:40] = bytes(36)
    database.write_bytes(data)
    assert problems(*world) == ["position 4: no transaction is here; nothing after it can be found"]


def test_a_commit_that_was_cut_short_is_no_damage(world):
    database, _ = world
    data = database.read_bytes()
    last = int.from_bytes(data[-8:], "big")
    begun = bytearray(data[-8 - last : -8][: last // 2])
    begun[16:17] = b"c"
    database.write_bytes(data + bytes(begun))
    assert problems(*world) == []


def test_what_is_no_world_at_all_is_said(world):
    database, _ = world
    database.write_bytes(b"x" * 1000)
    assert problems(*world) == ["position 0: this is no world's file"]


def test_a_blob_without_its_file_is_named(world):
    _, blobs = world
    for path in blobs.rglob("*.blob"):
        path.unlink()
    (found,) = problems(*world)
    assert "blob" in found


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1), noise=st.binary(min_size=1, max_size=600))
def test_whatever_the_damage_it_is_told_and_never_raised(world, tmp_path_factory, place, noise):
    database, blobs = world
    data = bytearray(database.read_bytes())
    start = int(place * (len(data) - 1))
    data[start : start + len(noise)] = noise
    copy = tmp_path_factory.mktemp("damaged") / "world.fs"
    copy.write_bytes(data)
    assert all(line.startswith("position ") for line in problems(copy, blobs))


def test_the_program_prints_them_as_json(world, home):
    database, _ = world
    command = [sys.executable, "-m", "actors.storage", "--home", str(home.root), "--check"]

    def check() -> tuple[int, list[str]]:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, json.loads(done.stdout)["world"]

    assert check() == (0, [])
    Path(database).write_bytes(database.read_bytes()[:-30])
    code, found = check()
    assert code == 7
    assert len(found) == 1
