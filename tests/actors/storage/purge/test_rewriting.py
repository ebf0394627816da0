"""The rewriting of the world's file: killed anywhere, the old file or the new one stands, whole; and a full disk costs nothing."""

from __future__ import annotations

import errno
import subprocess
import sys

import pytest
from ZODB.FileStorage import FileStorage

from actors.storage.purge import purging, rewriting
from actors.storage.purge.purging import Asked
from protocol.errors import BatosError
from tests.actors.storage.purge.worlds import World, forget, history, make, moments, remember

CANARY = "The zephyr-quokka of Ljubljana keeps 7713 marbles in a tin."
KILLED = """
import os, sys
from actors.storage.purge import purging, rewriting
from protocol.home import find_home

real = rewriting.rewrite
def step(name):
    if name == sys.argv[2]:
        os.kill(os.getpid(), 9)
def killed(database, blobs, instead):
    seen = [0]
    def counted(oid, data):
        seen[0] += 1
        if sys.argv[2] == "writing" and seen[0] == 40:
            os.kill(os.getpid(), 9)
        return instead(oid, data)
    return real(database, blobs, counted, step)
purging.rewrite = killed
purging.purge(find_home(sys.argv[1]), purging.Asked())
"""
STEPS = ("writing", "written", "looked through", "without index", "in place", "indexed")


@pytest.fixture
def world(short_path):
    made = World(short_path / "home")
    with made.opened() as db:
        make(db, "box", width=1)
        remember(db, "secret", CANARY)
        forget(db, "secret")
        made.log = history(db)
    return made


@pytest.mark.parametrize("step", STEPS)
def test_killed_anywhere_a_whole_file_stands_and_the_purge_begins_again(world, step):
    old = world.home.database.read_bytes()
    words = [sys.executable, "-c", KILLED, str(world.home.root), step]
    assert subprocess.run(words, check=False, capture_output=True).returncode == -9
    is_new = step in STEPS[4:]
    assert (world.home.database.read_bytes() == old) is not is_new
    assert world.problems() == []
    with world.opened() as db:
        assert history(db) == world.log
        make(db, "after", width=2)
    purging.purge(world.home, Asked())
    assert CANARY.encode() not in world.bytes()
    with world.opened() as db:
        assert len(history(db)) == len(world.log) + 1


def test_a_disk_that_is_full_leaves_the_old_file(world, monkeypatch):
    old = world.home.database.read_bytes()

    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(rewriting.os, "fsync", full)
    with pytest.raises(BatosError) as caught:
        purging.purge(world.home, Asked())
    assert (caught.value.code, "as much room" in caught.value.hint) == ("STORAGE", True)
    assert world.home.database.read_bytes() == old
    assert not list(world.home.world.glob("*.purge"))


def test_the_new_index_is_believed_and_says_the_same_as_a_reading(world):
    purging.purge(world.home, Asked())
    path = str(world.home.database)
    opened = FileStorage(path, read_only=True)
    restored = opened._restore_index()
    assert restored is not None
    by_index = dict(restored[0].items())
    opened.close()
    (world.home.world / "world.fs.index").unlink()
    opened = FileStorage(path, read_only=True)
    assert dict(opened._index.items()) == by_index
    opened.close()
    with world.opened() as db:
        assert moments(db)
    assert world.home.database.stat().st_mode & 0o077 == 0
