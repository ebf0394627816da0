"""A throw-away home with a world and a journal of any size, and its real processes without a model.

World and journal are built straight in their files, as the actors would have written them: objects by ZODB in one
process, finished mandates as copies of real ones that this house has just answered, so that whatever the journal's tables
are, its rows are of the right form. Then supervisord runs the storage, the broker, the guardian, the orchestrator and the
medic; inference and memory are left out, because no message that is measured asks them anything.
"""

from __future__ import annotations

import asyncio
import configparser
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from ZODB import DB
from ZODB.FileStorage import FileStorage

from bus.client import Client
from cli import lifecycle
from ops.supervisor import launch
from ops.surroundings import CONFIG
from protocol import verbs
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Mandate, MandateReply, StatusQuery
from world.awakening import awaken
from world.method import UvmMethod
from world.store import commit
from world.uvm import UvmObject

ABSENT: Final = ("program:inference", "program:memory")
READY_S: Final = 120.0
ANSWER_S: Final = 60.0
BATCH: Final = 5000
"""Objects in one transaction while a world is built."""

METHODS: Final = {
    "area_": "def area_(self):\n    return self.width * self.height\n",
    "grow_": "def grow_(self):\n    self.width = self.width + 1\n    self._p_changed = True\n    return self.width\n",
    "step_": "def step_(self, number):\n    return number + 1\n",
    "five_": (
        "def five_(self):\n"
        "    total = 0\n"
        "    for number in range(5):\n"
        "        total = self.step_(total)\n"
        "    return total\n"
    ),
}
"""What the measured objects understand."""
PONDER: Final = """\
def ponder_(self):
    return self._orc_start_cognitive_cycle_({
        'command': 'initiate_cognitive_cycle',
        'target_oid': self,
        'mission_brief': {'type': 'unhandled_message', 'selector': 'step_', 'args': [1], 'kwargs': {}},
    })
"""
AT_ONCE: Final = "def _process_synthesis_(self):\n    self.become_('COMPLETE')\n"
"""SYNTHESIZING without a model: the cycle goes through all of its states and writes no method."""


def worker(number: int) -> str:
    """The name of a measured object; each of those who ask at once has its own, and none waits for another's."""
    return f"worker{number:02d}"


def build_world(home: Home, objects: int, workers: int) -> None:
    """A world with `workers` measured objects among `objects` of the user."""
    home.prepare()
    db = DB(FileStorage(str(home.database), blob_dir=str(home.blobs)))
    try:
        awaken(db)
        with commit(db, user="bench", description="what is measured") as connection:
            root = connection.root()
            shared = UvmObject("bench_traits")
            # Below the cycle's traits its methods are kernel source, and may begin a cycle.
            shared.set_slot("parent*", root["cycle_traits"])
            for selector, source in {**METHODS, "ponder_": PONDER}.items():
                shared.set_slot(selector, UvmMethod(selector, source=source, author="bench", verdict="accept"))
            root["objects"]["bench_traits"] = shared
            for number in range(workers):
                made = root["objects"][worker(number)] = UvmObject(worker(number), width=3, height=4)
                made.set_slot("parent*", shared)
            state = root["psm_prototypes_obj"].SYNTHESIZING
            selector = "_process_synthesis_"
            state.set_slot(selector, UvmMethod(selector, source=AT_ONCE, author="bench", verdict="accept"))
        for begin in range(workers + 1, objects, BATCH):
            with commit(db, user="bench", description="many") as connection:
                root = connection.root()
                for number in range(begin, min(begin + BATCH, objects)):
                    made = root["objects"][f"object{number:06d}"] = UvmObject(f"object{number:06d}", width=number)
                    made.set_slot("parent*", root["traits_obj"])
    finally:
        db.close()


def grow_journal(home: Home, mandates: int) -> int:
    """Copy the finished mandates that stand in the journal, with all of their rows, until there are `mandates`.

    Returns how many there are then. Ids and keys of a copy are the original's with a number after them. The home is told to
    keep so many: otherwise it would be measured while it forgets them.
    """
    home.config.write_text(f"[orchestrator]\nkeep_mandates = {2 * mandates}\n")
    db = sqlite3.connect(home.journal, isolation_level=None)
    try:
        db.execute("PRAGMA synchronous = OFF")
        (have,) = db.execute("SELECT count(*) FROM mandates").fetchone()
        copies = (mandates - have) // have
        if copies > 0:
            db.execute("BEGIN")
            for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                _copy_rows(db, table, copies)
            db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (found,) = db.execute("SELECT count(*) FROM mandates").fetchone()
    finally:
        db.close()
    return int(found)


def _copy_rows(db: sqlite3.Connection, table: str, copies: int) -> None:
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    if "mandate" not in columns and "cycle" not in columns:
        return
    kept = [name for name in columns if name != "seq"]
    named = [f"{name} || '-' || n" if name in {"mandate", "cycle", "key"} else name for name in kept]
    db.execute(
        "WITH RECURSIVE times (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM times WHERE n < ?)"
        f" INSERT INTO {table} ({', '.join(kept)}) SELECT {', '.join(named)} FROM {table}, times",
        (copies,),
    )


@contextlib.asynccontextmanager
async def running(home: Home) -> AsyncIterator[Client]:
    """The processes of `home` while the block lasts, and a client of theirs."""
    launch(home, _without_models(home))
    try:
        async with Client(home.bus, "bench", patience=READY_S) as client:
            await _until_ready(client)
            yield client
    finally:
        await lifecycle.down(home, lambda _: None)


async def send(client: Client, name: str, selector: str, *args: Any) -> MandateReply:
    """One message, answered."""
    wanted = Mandate(target=name, selector=selector, args=list(args))
    return await client.call(verbs.MANDATE, wanted, seconds=ANSWER_S)


def _without_models(home: Home) -> Path:
    """The shipped configuration less the two actors that hold a model."""
    parts = configparser.RawConfigParser()
    parts.read(CONFIG)
    for section in ABSENT:
        if not parts.remove_section(section):
            raise BatosError("BAD_CONFIG", f"{CONFIG} has no section {section}")
    path = home.root / "supervisord.conf"
    with path.open("w") as file:
        parts.write(file)
    return path


async def _until_ready(client: Client) -> None:
    clock = asyncio.get_running_loop().time
    until = clock() + READY_S
    for service in ("guardian", "orchestrator"):
        while True:
            try:
                if (await client.call(verbs.STATUS[service], StatusQuery(), seconds=5)).ready:
                    break
            except BatosError as error:
                if clock() > until:
                    raise BatosError("NOT_READY", f"{service} is not ready after {READY_S:g} s: {error}") from error
            await asyncio.sleep(0.1)
