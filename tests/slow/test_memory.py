"""A thousand kills of whoever indexes, replaces and forgets: nothing lost, nothing torn, nothing left over.

The vectors cost nothing, and the process that is killed is a fork, so that a kill takes some hundredths of a second. Its storage is
in the same process, and dies with it.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time

import numpy as np
import pytest
from ZODB import DB
from ZODB.FileStorage import FileStorage

from actors.memory import catalog, preparing
from protocol.checks.documents import check
from tests.actors.memory.conftest import assert_whole, pieces
from world import awakening
from world.store import snapshot

KILLS = 1000
NAMES = ("a", "b", "c", "d")
OPEN_FOR_S = 0.06
"""A child that is killed has had so many seconds at most."""

pytestmark = pytest.mark.slow


def passages(name, version):
    """Some of the documents are large: they come in pieces."""
    return [f"{name} version {version} passage {n}" for n in range(1 + (version * 7) % 11)]


def write(db, name, version):
    texts = passages(name, version)
    document = check(name, " ".join(texts), {})
    made = pieces(texts, np.eye(len(texts), 16, dtype=np.float32))
    for piece in made[:-1]:
        catalog.bring(db, document, piece)
    catalog.keep(db, document, made)
    clear(db)


def clear(db):
    while catalog.clear_some(db):
        pass


def live(path, told, first):
    """Index, replace and forget for ever, telling each change before and after it."""
    chance = random.Random(first)
    db = DB(FileStorage(str(path)))
    catalog.sweep(db)
    with snapshot(db) as connection:
        there = set(connection.root()["knowledge_catalog_obj"].documents)
    version = first
    while True:
        version += 1
        name = chance.choice(NAMES)
        forgets = name in there and chance.random() < 0.4
        os.write(told, f"{name} {0 if forgets else version} begun\n".encode())
        if forgets:
            catalog.forget(db, name)
            clear(db)
            there.discard(name)
        else:
            write(db, name, version)
            there.add(name)
        os.write(told, f"{name} {0 if forgets else version} done\n".encode())


def killed(path, first, chance):
    """What a child told until it was killed."""
    read, told = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            live(path, told, first)
        os._exit(1)
    os.close(told)
    with os.fdopen(read, "rb", 0) as pipe:
        lines = pipe.read(1 << 16)
        time.sleep(chance.random() * OPEN_FOR_S)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        while part := pipe.read(1 << 16):
            lines += part
    return [line.split() for line in lines.decode().splitlines()]


def test_a_thousand_kills_lose_nothing_tear_nothing_and_leave_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(preparing, "AT_ONCE", 4)
    path, chance, version = tmp_path / "world.fs", random.Random(0), 0
    db = DB(FileStorage(str(path)))
    awakening.awaken(db)
    db.close()
    stands = dict.fromkeys(NAMES, 0)
    changes = 0
    for _ in range(KILLS):
        lines = killed(path, version, chance)
        may_be = {name: {each} for name, each in stands.items()}
        for name, number, stage in lines:
            version = max(version, int(number))
            may_be[name] = {int(number)} if stage == "done" else may_be[name] | {int(number)}
            changes += stage == "done"
        db = DB(FileStorage(str(path)))
        catalog.sweep(db)
        held = list(assert_whole(db).values())
        if chance.random() < 0.02:
            db.pack()
        db.close()
        for name in NAMES:
            mine = [text for text in held if text.startswith(f"{name} ")]
            found = [number for number in may_be[name] if mine == (passages(name, number) if number else [])]
            assert found, (name, may_be[name], mine)
            stands[name] = found[0]
    assert changes > KILLS // 2
