"""kill -9 at random moments of backups and of restores, and what must be there after each."""

from __future__ import annotations

import random
import time

import pytest

from actors.storage.backup import folder as places
from protocol.errors import BatosError
from protocol.home import Home

SEED = 20261130


def kill_somewhere(process, seconds, chance):
    """Kill a process at a moment of the time that it takes; whether it was still there."""
    time.sleep(seconds * chance)
    process.kill()
    process.communicate()
    return process.returncode < 0


def took(run):
    began = time.monotonic()
    run()
    return time.monotonic() - began


def backups_are_killed(life, storage, tell, kills, blob=200_000):
    """Kill backups of a world that grows, and see what stands after each."""
    chance = random.Random(SEED)
    folder = life.backup_folder
    words = ("--backup", str(folder))
    for _ in range(3):
        life.publish(blob=blob)
    seconds = took(lambda: storage(life.home, *words))
    was_killed = 0
    for number in range(kills):
        life.publish(blob=blob)
        before = [one.generation for one in places.generations(folder)]
        was_killed += kill_somewhere(storage.start(life.home, *words), seconds, 0.3 + 0.7 * chance.random())
        after = places.generations(folder)
        # A generation is there or not, and the others are.
        assert [one.generation for one in after][: len(before)] == before
        assert len(after) in (len(before), len(before) + 1)
        if number % 10 == 0:
            home, _ = life.restore(f"r{number}")
            objects, applied, mandates = tell(home)
            assert sorted(applied) == objects
            assert applied <= mandates.keys()
    code, made = storage(life.home, *words)
    assert code == 0, made
    assert not (folder / "unfinished").exists()
    known = {kept.path for one in places.generations(folder) for kept in one.named()}
    left = {str(path.relative_to(folder)) for path in (folder / "world").glob("*fs")} - known
    assert left == set()
    home, _ = life.restore("last")
    assert len(tell(home)[0]) == life.number
    return was_killed


def restores_are_killed(life, storage, tell, kills, blob=200_000):
    """Kill restores, each of them again until one comes to its end."""
    chance = random.Random(SEED)
    for _ in range(4):
        life.publish(blob=blob)
    life.backup()
    before = {path: path.stat().st_mtime_ns for path in life.backup_folder.rglob("*")}
    words = ("--restore", str(life.backup_folder))
    seconds = took(lambda: storage(Home(life.home.root.parent / "timed"), *words))
    was_killed = rounds = 0
    while was_killed < kills:
        home = Home(life.home.root.parent / f"r{rounds}")
        rounds += 1
        for _ in range(3):
            if not kill_somewhere(storage.start(home, *words), seconds, 0.2 + 0.9 * chance.random()):
                break
            was_killed += 1
            if home.restoring.exists() or home.restored.exists():
                with pytest.raises(BatosError, match="HALF_RESTORED"):  # as whatever starts in it does first
                    home.prepare()
            else:
                assert home.database.exists() == home.journal.exists()
        if not home.database.exists() or home.restored.exists():
            code, made = storage(home, *words)
            assert code == 0, made
        assert len(tell(home)[0]) == life.number
        assert not home.restored.exists()
    assert {path: path.stat().st_mtime_ns for path in life.backup_folder.rglob("*")} == before
    return was_killed
