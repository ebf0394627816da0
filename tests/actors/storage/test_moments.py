"""Commits are found by their moment as a walk through the whole file finds them, whatever is known beforehand."""

from __future__ import annotations

import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from persistent.mapping import PersistentMapping
from ZODB import DB
from ZODB.FileStorage import FileStorage

from actors.storage import moments
from actors.storage.moments import Moments


class World:
    def __init__(self, path):
        self.path = path / "world.fs"
        self.storage = FileStorage(str(self.path))
        self.db = DB(self.storage)
        self.write(0)

    def write(self, number):
        manager = transaction.TransactionManager(explicit=True)
        connection = self.db.open(manager)
        current = manager.begin()
        current.note(f"commit {number}")
        current.setExtendedInfo("number", number)
        connection.root()["n"] = PersistentMapping({"n": number})
        manager.commit()
        connection.close()

    def walked(self):
        every = [(one.tid, one.user, one.description, one.extension) for one in self.storage.iterator()]
        return every[::-1]

    def found(self, known, low=b"", high=None, size=10_000):
        return known.commits(low, high, size, self.storage._pos)


def test_any_part_of_the_history_is_as_a_walk_has_it(tmp_path, monkeypatch):
    monkeypatch.setattr(moments, "STRIDE", 4)
    world = World(tmp_path)
    known = Moments(world.path)
    for number in range(30):
        world.write(number)
        if number % 7 == 0:
            assert world.found(known) == world.walked()
    every = world.walked()

    @given(low=st.integers(0, 31), high=st.integers(0, 31), size=st.integers(1, 40))
    @settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def part(low, high, size):
        begin, end = every[low][0], every[high][0]
        expected = [one for one in every if begin <= one[0] < end][:size]
        assert world.found(known, begin, end, size) == expected

    part()
    known.close()
    world.db.close()


def test_what_was_kept_is_taken_by_the_next_and_only_of_the_same_file(tmp_path, monkeypatch):
    monkeypatch.setattr(moments, "STRIDE", 4)
    world = World(tmp_path)
    for number in range(30):
        world.write(number)
    world.found(Moments(world.path))
    assert (tmp_path / "world.fs.moments").exists()
    read = Moments(world.path)
    read.open()
    assert len(read._marks) > 5
    assert world.found(read) == world.walked()
    (tmp_path / "world.fs.moments").write_bytes(b"\0" * 16 * 8)
    assert world.found(Moments(world.path)) == world.walked()
    (tmp_path / "world.fs.moments").write_bytes(b"torn")
    assert world.found(Moments(world.path)) == world.walked()
    world.db.close()


def test_a_pack_puts_another_file_there_and_it_is_read_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(moments, "STRIDE", 4)
    world = World(tmp_path)
    known = Moments(world.path)
    for number in range(30):
        world.write(number)
    assert world.found(known) == world.walked()
    world.db.pack()
    for number in range(5):
        world.write(number)
    assert world.found(known) == world.walked()
    world.db.close()


def test_a_commit_that_is_not_finished_is_not_told(tmp_path):
    world = World(tmp_path)
    known = Moments(world.path)
    end = world.storage._pos
    world.write(1)
    assert known.commits(b"", None, 10, end) == world.walked()[1:]
    world.db.close()


def test_what_is_kept_and_is_no_index_at_all_is_not_believed(tmp_path):
    world = World(tmp_path)
    world.path.with_name("world.fs.moments").write_bytes(b"\xff" * 32)
    known = Moments(world.path)
    assert world.found(known) == world.walked()
    known.close()
    world.db.close()
