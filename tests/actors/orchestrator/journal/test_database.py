"""Commits that are shared, what each of them promises, and what survives a process that is killed."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
import threading
from functools import partial

import pytest

from actors.orchestrator.journal.database import Database
from actors.orchestrator.journal.journal import Answered, Journal
from protocol.errors import BatosError

STEP = Answered(cycle="c1", state="IDLE", path="m.0", send="infer_", size=1, tokens=1)


class Watched:
    """A database with one table, and the statements that its connection has run."""

    def __init__(self, path):
        self.said, self.synced = [], 0
        self.database = Database(path, self.open, self.sync)

    def open(self, path):
        db = sqlite3.connect(path, isolation_level=None)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE IF NOT EXISTS notes (text UNIQUE)")
        db.set_trace_callback(self.said.append)
        return db

    def sync(self):
        self.synced += 1

    def note(self, text):
        self.database.db.execute("INSERT INTO notes VALUES (?)", (text,))

    def commits(self):
        """(FULL or NORMAL, number of notes) of each transaction that has noted something."""
        found, level, notes = [], "", 0
        for said in self.said:
            if "synchronous" in said:
                level = said.rpartition(" ")[2]
            elif said == "BEGIN":
                notes = 0
            elif said.startswith("INSERT"):
                notes += 1
            elif said == "COMMIT" and notes:
                found.append((level, notes))
        return found

    async def meanwhile(self, *asked):
        """Let these coroutines ask while the database is at something else."""
        busy, go = threading.Event(), threading.Event()

        def hold():
            busy.set()
            go.wait()

        holding = asyncio.create_task(self.database.run(hold, durable=False))
        await asyncio.to_thread(busy.wait)
        tasks = [asyncio.create_task(work) for work in asked]
        await asyncio.sleep(0)
        go.set()
        await holding
        return await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def watched(tmp_path):
    made = Watched(tmp_path / "notes.sqlite")
    yield made
    made.database.close()


async def test_who_asks_meanwhile_shares_one_commit(watched):
    run = watched.database.run
    await watched.meanwhile(*(run(partial(watched.note, str(number))) for number in range(20)))
    assert watched.commits() == [("FULL", 20)]
    assert watched.synced == 1


async def test_a_commit_is_synced_if_any_part_of_it_must_be(watched):
    run = watched.database.run
    await run(lambda: watched.note("a"), durable=False)
    await watched.meanwhile(
        run(lambda: watched.note("b"), durable=False), run(lambda: watched.note("c")), run(lambda: watched.note("d"))
    )
    await run(lambda: watched.note("e"), durable=False)
    assert watched.commits() == [("NORMAL", 1), ("FULL", 3), ("NORMAL", 1)]
    assert watched.synced == 1


async def test_what_one_has_met_is_not_the_others_failure(watched):
    run = watched.database.run
    await run(lambda: watched.note("twice"))

    def raises():
        raise BatosError("UNKNOWN_CYCLE", "there is none")

    first, second, third, fourth = await watched.meanwhile(
        run(lambda: watched.note("one")),
        run(lambda: watched.note("twice")),
        run(raises),
        run(lambda: watched.note("two")),
    )
    assert (first, second.code, second.data["lost"], third.code, fourth) == (
        None,
        "STORAGE",
        True,
        "UNKNOWN_CYCLE",
        None,
    )
    notes = await run(lambda: watched.database.db.execute("SELECT text FROM notes ORDER BY text").fetchall())
    assert notes == [("one",), ("twice",), ("two",)]


async def test_who_has_gone_meanwhile_is_not_served(watched):
    gone = asyncio.ensure_future(watched.database.run(lambda: watched.note("gone")))

    async def leave():
        gone.cancel()

    await watched.meanwhile(leave())
    await asyncio.gather(gone, return_exceptions=True)
    assert gone.cancelled()


async def test_a_trace_is_not_synced_and_an_acceptance_is(tmp_path):
    journal = Journal(tmp_path / "journal.sqlite")
    said = []
    await journal.run(lambda: journal._db.set_trace_callback(said.append))
    await journal.run(lambda: journal.accept("m1", "k1", b"", 9.0))
    await journal.run(lambda: journal.step("m1", STEP, 0.1), durable=False)
    assert [word for word in said if "synchronous" in word][-1] == "PRAGMA synchronous = NORMAL"
    journal.close()


async def test_an_end_that_is_not_synced_is_not_relied_upon(tmp_path):
    journal = Journal(tmp_path / "journal.sqlite")
    await journal.run(lambda: journal.accept("m1", "k1", b"", 9.0))
    await journal.run(lambda: journal.finish("m1", "complete", b""), durable=False)
    assert await journal.run(lambda: journal.are_over(["m1"]), durable=False) == []
    await journal.run(lambda: journal.accept("m2", "k2", b"", 9.0))
    assert await journal.run(lambda: journal.are_over(["m1", "m2"]), durable=False) == ["m1"]
    journal.close()


KILLED = """
import asyncio, sys
from pathlib import Path
from actors.orchestrator.journal.journal import Answered
from actors.orchestrator.journal.journal import Journal

async def main():
    journal = Journal(Path(sys.argv[1]))
    number = 0
    while True:
        name = str(number)
        await journal.run(lambda: journal.accept("m" + name, "k" + name, b"", 9.0), durable=number % 2 == 0)
        step = Answered(cycle="c", state="IDLE", path="m", send="s_", size=1, tokens=1)
        await journal.run(lambda: journal.step("m" + name, step, 0.1), durable=False)
        print(number, flush=True)
        number += 1

asyncio.run(main())
"""


def killed(path):
    """Run `KILLED`, kill it in the middle, and say what it has answered last."""
    said = []
    with subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            said.append(int(line))
            if said[-1] == 50:
                process.send_signal(signal.SIGKILL)
    return said[-1]


async def test_what_was_answered_is_there_after_kill_9_synced_or_not(tmp_path):
    path = tmp_path / "journal.sqlite"
    answered = killed(path)
    journal = Journal(path)
    rows = await journal.run(journal.unfinished)
    steps = await journal.run(lambda: journal._db.execute("SELECT count(*) FROM steps").fetchone()[0])
    assert [row.mandate for row in rows][: answered + 1] == [f"m{number}" for number in range(answered + 1)]
    assert steps >= answered + 1
    journal.close()
