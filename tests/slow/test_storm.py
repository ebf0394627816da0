"""Many writers of one object while its processes are killed: each message lands once, and nobody is told of a conflict."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress

import pytest
from ZODB import DB
from ZODB.FileStorage import FileStorage

from cli.calls.sending import Sending
from ops.supervisor import Supervisor
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Mandate
from world.method import UvmMethod
from world.store import commit

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.model]

UP = "def up_(self):\n    self.count = self.count + 1\n    self._p_changed = True\n    return self.count\n"
WRITERS = 32
EACH = 12
KILLED = ("orchestrator", "storage", "broker", "guardian", "orchestrator", "storage", "broker")
SECONDS = 60.0
PATIENCE = 20
"""So often is one message sent again at most, under its key."""


@pytest.fixture
def counter(whole):
    """An object at 0 that understands `up_`. A running storage lets nobody but the actors write it into the world."""
    whole.ok("new", "counter", "count=0")
    whole.ok("down")
    home = Home(whole.home)
    db = DB(FileStorage(str(home.database), blob_dir=str(home.blobs)))
    with commit(db, user="test", description="up_") as connection:
        connection.root()["objects"]["counter"].set_slot("up_", UvmMethod("up_", source=UP, author="test"))
    db.close()
    whole.ok("up")
    return home


class Storm:
    """What the writers were told: the counter's value by key, and the failures by code."""

    def __init__(self, home):
        self.home = home
        self.values = {}
        self.failures = []
        self.killed = []

    async def write(self, writer):
        for number in range(EACH):
            key = f"storm {writer} {number}"
            mandate = Mandate(target="counter", selector="up_")
            for _ in range(PATIENCE):
                try:
                    reply = await Sending(self.home, mandate, key, SECONDS).run(lambda _: None)
                except BatosError as error:
                    self.failures.append(error.code)
                    await asyncio.sleep(0.5)
                else:
                    self.values[key] = reply.result
                    break

    async def kill(self, over):
        """Each in turn, once it has been up for a moment: who dies at once is not started again at once."""
        supervisor = Supervisor(self.home)
        for name in KILLED:
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), 2.5)
                return
            pid = (await asyncio.to_thread(supervisor.processes))[name].pid
            if pid:
                os.kill(pid, signal.SIGKILL)
                self.killed.append(name)


async def test_a_storm_of_writers_and_kills_loses_nothing_and_does_nothing_twice(whole, counter):
    storm, over = Storm(counter), asyncio.Event()
    killing = asyncio.create_task(storm.kill(over))
    await asyncio.gather(*(storm.write(writer) for writer in range(WRITERS)))
    over.set()
    await killing
    assert len(storm.killed) > 2, "it was over before it had begun to blow"
    assert "CONFLICT" not in storm.failures
    assert len(storm.values) == WRITERS * EACH, storm.failures
    assert sorted(storm.values.values()) == list(range(1, WRITERS * EACH + 1))
    whole.ok("up")
    assert whole.ok("look", "counter")["slots"]["count"] == WRITERS * EACH
    again = await Sending(counter, Mandate(target="counter", selector="up_"), "storm 0 0", SECONDS).run(lambda _: None)
    assert again.result == storm.values["storm 0 0"], "its key is still answered by what it was answered"
    assert whole.ok("look", "counter")["slots"]["count"] == WRITERS * EACH
    assert whole.ok("status")["cycles"]["active"] == 0
