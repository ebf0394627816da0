"""Objects in a real database: what is written is there after reopening, and nothing else is."""

from __future__ import annotations

from world.blobs import committed, consume
from world.store import commit, snapshot
from world.uvm import UvmObject


def store(db, made):
    with commit(db, user="test", description="store") as connection:
        connection.root()["it"] = made


def test_an_in_place_change_is_not_lost(db):
    store(db, UvmObject(items=[1], table={"a": [1]}))
    with commit(db, user="test", description="change in place") as connection:
        it = connection.root()["it"]
        it.items.append(2)
        it.table["a"].append(3)
    with snapshot(db) as connection:
        it = connection.root()["it"]
        assert list(it.items) == [1, 2]
        assert list(it.table["a"]) == [1, 3]


def test_the_signal_marks_the_container_too(db):
    store(db, UvmObject(x=1))
    with commit(db, user="test", description="signal") as connection:
        it = connection.root()["it"]
        before = it._slots._p_serial
        it._p_changed = True
        assert it._slots._p_changed
    with snapshot(db) as connection:
        it = connection.root()["it"]
        it._slots._p_activate()
        assert it._slots._p_serial > before


def test_an_exception_leaves_no_trace(db):
    store(db, UvmObject(x=1))
    try:
        with commit(db, user="test", description="fails") as connection:
            connection.root()["it"].x = 2
            raise RuntimeError("no")
    except RuntimeError:
        pass
    with snapshot(db) as connection:
        assert connection.root()["it"].x == 1


def test_every_commit_says_who_why_and_in_which_cycle(db):
    with commit(db, user="me", description="because", cycle="c1") as connection:
        connection.root()["x"] = 1
    entry = db.undoLog(0, 1)[0]
    assert (entry["user_name"], entry["description"], entry["cycle"]) == ("me", "because", "c1")


def test_a_moment_of_the_past_can_be_read(db):
    store(db, UvmObject(x=1))
    moment = db.lastTransaction()
    with commit(db, user="test", description="later") as connection:
        connection.root()["it"].x = 2
    with snapshot(db, moment) as connection:
        assert connection.root()["it"].x == 1


def test_files_are_moved_into_blobs(db, tmp_path):
    path = tmp_path / "weights"
    path.write_bytes(b"\x00" * 1000)
    with commit(db, user="test", description="blobs") as connection:
        connection.root()["files"] = consume({"weights": path})
    assert not path.exists()
    with snapshot(db) as connection:
        files = committed(connection.root()["files"])
        assert files["weights"].read_bytes() == b"\x00" * 1000
