"""What a commit says of itself, and how commits are found: the newest first, from any moment on, however the world is stored."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ZODB import DB
from ZODB.MappingStorage import MappingStorage

from protocol.home import Settings, find_home
from world import awakening
from world.past import commits
from world.store import commit, open_store, snapshot
from world.uvm import UvmObject
from world.values import oid_of


@pytest.fixture(params=["served", "in process"])
def db(request, short_path):
    if request.param == "in process":
        database = DB(MappingStorage())
        awakening.awaken(database)
        yield database
        database.close()
        return
    home = find_home(short_path).prepare()
    served = subprocess.Popen([sys.executable, "-m", "actors.storage", "--home", str(home.root)], stderr=-3)
    store = open_store(Settings(), home, name="orchestrator", seconds=20.0)
    awakening.awaken(store.db)
    yield store.db
    store.close()
    served.terminate()
    served.wait()


def write(db, name, slot="n", value=1, **said):
    with commit(db, user="user", description=f"{name} {value}", **said) as connection:
        objects = connection.root()["objects"]
        if name not in objects:
            objects[name] = UvmObject(name)
            connection.add(objects[name])
        objects[name].set_slot(slot, value)
    with snapshot(db) as connection:
        return oid_of(connection.root()["objects"][name])


def test_a_commit_says_who_and_why_and_which_objects(db):
    box = write(db, "box", cycle="c1", facts={"origin": "mcp:x"})
    last = db.lastTransaction().hex()
    (one, *_) = commits.newest(db)
    assert (one.tid, one.user, one.why, one.touched) == (last, "user", "box 1", (box,))
    assert one.facts == {"cycle": "c1", "origin": "mcp:x"}
    assert commits.at(db, last) == one
    assert commits.at(db, "0" * 16) is None


def test_commits_of_an_object_are_found_by_its_records(db):
    box = write(db, "box", value=1)
    write(db, "pen", value=1)
    write(db, "box", value=2)
    with snapshot(db) as connection:
        slots = oid_of(connection.root()["objects"]["box"]._slots)
    assert [one.why for one in commits.of_object(db, (box, slots), 10)] == ["box 2", "box 1"]
    assert [one.why for one in commits.of_object(db, (box, slots), 1)] == ["box 2"]


def test_between_two_moments(db):
    tids = []
    for number in range(5):
        write(db, "box", value=number)
        tids.append(db.lastTransaction().hex())
    assert [one.tid for one in commits.between(db, tids[1], tids[3])] == [tids[3], tids[2]]
    assert [one.tid for one in commits.newest(db, since=tids[3])] == [tids[4], tids[3]]
    assert next(commits.newest(db, before=tids[2])).tid == tids[1]


def test_many_objects_are_all_named(db):
    with commit(db, user="user", description="many") as connection:
        for number in range(2000):
            made = connection.root()["objects"][f"o{number}"] = UvmObject(f"o{number}")
            connection.add(made)
    (one, *_) = commits.newest(db)
    with snapshot(db) as connection:
        assert set(one.touched) == {oid_of(here) for here in connection.root()["objects"].values()}


@given(st.sets(st.integers(1, (1 << 62) - 1), max_size=300))
@settings(max_examples=50)
def test_what_is_touched_is_packed_and_comes_back(numbers):
    oids = [number.to_bytes(8) for number in numbers]
    assert commits._unpacked(commits.packed(oids)) == tuple(sorted(oid.hex() for oid in oids))
