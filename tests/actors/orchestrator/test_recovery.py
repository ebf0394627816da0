"""What a start settles: ends that the journal or the world has missed, because one of them was restored from a backup."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sqlite3
import subprocess
import sys

import pytest

from actors.orchestrator import publish
from actors.orchestrator.actor import Orchestrator
from actors.orchestrator.journal import schema
from actors.orchestrator.journal.journal import Journal
from actors.orchestrator.thinking.asks import Begin
from bus.stub import StubBus
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.home import find_home
from protocol.messages import Example
from world.store import snapshot

AREA = "def area_(self):\n    return self.width * self.height\n"
CASE = Example(slots={"width": 3, "height": 4}, returns=12)


def active(house):
    with snapshot(house.db) as connection:
        return list(connection.root()["orchestrator_obj"].active_cycles)


async def counts(house):
    return await house.journal.run(house.journal.counts)


@pytest.fixture
def files(house):
    """Keep and bring back the journal's files, as a backup would."""

    def copy(source, target):
        for name in ("journal.sqlite", "journal.sqlite-wal"):
            (target / name).unlink(missing_ok=True)
            if (source / name).exists():
                shutil.copy(source / name, target / name)

    backup = house.path / "backup"
    backup.mkdir()
    return lambda: copy(house.path, backup), lambda: copy(backup, house.path)


async def stop(house):
    await house.mandates.close()
    house.journal.close()
    house.store._thread.shutdown()


async def test_a_journal_older_than_its_world_learns_how_the_cycle_has_ended(house, files):
    keep, restore = files
    house.new("box", width=5, height=6)

    async def backed_up():
        await house.journal.run(lambda: house.journal._db.execute("SELECT 1"))
        keep()
        return [AREA]

    house.played.rounds = [backed_up]
    reply = await house.send("box", "area_", examples=[CASE])
    await stop(house)
    restore()
    house.open()
    assert await counts(house) == {"active": 1, "complete": 0, "failed": 0}
    assert await house.mandates.recover() == 1
    assert await house.send("box", "area_", examples=[CASE]) == reply
    cycle = await house.journal.run(lambda: house.journal.cycle(reply.cycle))
    assert cycle.state == "COMPLETE"
    assert cycle.ended is not None
    assert await counts(house) == {"active": 0, "complete": 1, "failed": 0}
    assert active(house) == []


async def test_a_context_of_a_mandate_that_the_journal_has_never_seen_is_retired(house, files):
    keep, restore = files
    house.new("box", width=5, height=6)
    await stop(house)
    keep()
    house.open()
    reached = asyncio.Event()

    async def never():
        reached.set()
        await asyncio.Event().wait()

    house.played.rounds = [never]
    waiting = asyncio.create_task(house.send("box", "area_", examples=[CASE]))
    await reached.wait()
    assert len(active(house)) == 1
    await stop(house)
    await asyncio.gather(waiting, return_exceptions=True)
    restore()
    house.open()
    assert await house.mandates.recover() == 0
    assert active(house) == []


async def test_a_context_of_a_mandate_that_has_ended_is_retired_and_that_of_a_running_one_is_not(house):
    house.new("box", width=5, height=6)
    reached = asyncio.Event()

    async def never():
        reached.set()
        await asyncio.Event().wait()

    house.played.rounds = [never, [AREA]]
    waiting = asyncio.create_task(house.send("box", "area_", key="k2", examples=[CASE]))
    await reached.wait()
    (running,) = active(house)
    await house.journal.run(lambda: house.journal.accept("m1", "k1", b"", 9.0))
    await house.journal.run(lambda: house.journal.finish("m1", "failed", b""))
    box = house.look("box").oid
    slots = {"mission_brief": {"type": "unhandled_message"}, "target": Ref(box)}
    ask = Begin(cycle="c1", path="m", target=Ref(box), selector="s_", slots=slots)
    await house.store.run(lambda: publish.begin(house.db, "m1", ask))
    await house.crash()
    await asyncio.gather(waiting, return_exceptions=True)
    await house.mandates._retire_orphans({row.mandate for row in await house.journal.run(house.journal.unfinished)})
    assert active(house) == [running]
    assert await house.mandates.recover() == 1
    assert (await house.send("box", "area_", key="k2", examples=[CASE])).result == 30


async def test_what_no_journal_knows_need_not_be_remembered(house):
    house.new("box", width=5, height=6)
    house.played.rounds = [[AREA]]
    await house.send("box", "area_", examples=[CASE])
    await house.journal.run(lambda: house.journal._db.execute("DELETE FROM mandates"))
    house.new("crate", width=1, height=2)
    house.played.rounds = [[AREA]]
    reply = await house.send("crate", "area_", key="k2", examples=[CASE])
    assert publish.applied_mandates(house.db) == [reply.mandate]


@pytest.mark.parametrize("body", [b"", b"\xc1noise", b"\x80"])
async def test_a_mandate_whose_message_is_damaged_has_an_end_and_holds_nobody_up(house, body):
    house.new("box", width=5, height=6)
    await house.journal.run(lambda: house.journal.accept("m1", "k1", body, 90.0))
    assert await house.mandates.recover() == 1
    seen = await house.mandates.watch("m1", lambda _: None)
    assert (seen.state, seen.error.code) == ("FAILED", "DAMAGED")
    assert await house.journal.run(house.journal.unfinished) == []
    house.played.rounds = [[AREA]]
    assert (await house.send("box", "area_", examples=[CASE])).result == 30


@pytest.fixture
def home(short_path):
    return find_home(short_path).prepare()


def damage(home):
    """Noise over the second page of a journal."""
    Journal(home.journal).close()
    with home.journal.open("r+b") as file:
        file.seek(4096)
        file.write(bytes((7 * number + 3) % 256 for number in range(4096)))


def test_an_orchestrator_whose_journal_is_damaged_ends_at_once_and_says_why(home):
    """Alone: it does not come so far as to need the others."""
    damage(home)
    module = [sys.executable, "-m"]
    where = ["--home", str(home.root)]
    done = subprocess.run(
        [*module, "actors.orchestrator", *where], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 7
    last = json.loads((done.stderr or done.stdout).splitlines()[-1])
    assert last["code"] == "DAMAGED"
    assert str(home.journal) in last["error"]
    assert "backup" in last["hint"]


@pytest.mark.parametrize("broken", [True, False])
async def test_a_large_journal_is_looked_through_while_it_serves(home, monkeypatch, broken):
    monkeypatch.setattr(schema, "SMALL", 0)
    if broken:
        damage(home)
    else:
        Journal(home.journal).close()
    stop = asyncio.Event()
    orchestrator = Orchestrator(home, StubBus({}), stop)
    await orchestrator._look_through()
    assert stop.is_set() is broken
    assert (orchestrator.damage is not None and orchestrator.damage.code == "DAMAGED") is broken


async def test_a_journal_of_a_newer_program_ends_it_too(home):
    Journal(home.journal).close()
    with contextlib.closing(sqlite3.connect(home.journal)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(BatosError, match="newer program"):
        await asyncio.wait_for(Orchestrator(home, StubBus({}), asyncio.Event()).begin(), 30)
