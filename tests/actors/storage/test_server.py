"""The storage as a process: it keeps what was committed, and one home has one."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import pytest
import transaction
from ZEO.asyncio import client as zeo_client
from ZEO.ClientStorage import ClientStorage
from ZODB import DB
from ZODB.blob import Blob

from ops.zeo import ruok
from protocol.errors import BatosError
from protocol.home import Home, find_home
from world.store import Store, open_store, snapshot


@pytest.fixture
def home() -> Iterator[Home]:
    root = tempfile.mkdtemp(prefix="st", dir="/tmp")
    yield find_home(root).prepare()
    shutil.rmtree(root)


class Server:
    def __init__(self, home: Home) -> None:
        self.home = home
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, *, wait: bool = True) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "actors.storage", "--home", str(self.home.root)],
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        while wait:
            assert process.poll() is None
            try:
                ruok(self.home.zeo_socket, seconds=1)
            except BatosError:
                time.sleep(0.02)
            else:
                break
        return process

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
            assert process.stderr is not None
            process.stderr.close()


@pytest.fixture
def server(home: Home) -> Iterator[Server]:
    made = Server(home)
    yield made
    made.end()


def connect(home: Home) -> DB:
    return DB(ClientStorage(str(home.zeo_socket), blob_dir=str(home.blobs), shared_blob_dir=True, wait_timeout=10))


def test_what_was_committed_survives_kill_9_and_a_clean_stop(home: Home, server: Server) -> None:
    home.zeo_socket.write_text("a dead run's")
    for round_, number in enumerate((signal.SIGKILL, signal.SIGTERM)):
        process = server.start()
        manager = transaction.TransactionManager(explicit=True)
        db = connect(home)
        manager.begin()
        connection = db.open(manager)
        root = connection.root()
        assert len(root.get("rounds", [])) == round_
        root["rounds"] = [*root.get("rounds", []), round_]
        root[f"blob{round_}"] = blob = Blob()
        with blob.open("w") as file:
            file.write(b"x" * 1000)
        manager.commit()
        manager.begin()
        with blob.open("r") as file:
            assert file.name.startswith(str(home.blobs)), "read in place, not copied to a client's folder"
        manager.abort()
        connection.close()
        db.close()
        process.send_signal(number)
        _, log = process.communicate()
        if number is signal.SIGTERM:
            assert process.returncode == 0, log
            assert not home.zeo_socket.exists()


def test_one_home_has_one_storage(home: Home, server: Server) -> None:
    first = server.start()
    second = server.start(wait=False)
    _, log = second.communicate()
    assert second.returncode == 3
    assert f"pid {first.pid}" in log
    assert "HOME_HELD" in log
    assert ruok(home.zeo_socket, seconds=1)["connections"] >= 0


def test_a_database_that_cannot_be_read_is_said_to_be_so(home: Home, server: Server) -> None:
    home.database.write_bytes(b"this is no database at all")
    process = server.start(wait=False)
    _, log = process.communicate()
    assert process.returncode == 7
    assert str(home.database) in log
    assert "Traceback" not in log


def test_nobody_there_is_not_ready(home: Home) -> None:
    with pytest.raises(BatosError) as caught:
        ruok(home.zeo_socket, seconds=0.2)
    assert caught.value.code == "NOT_READY"


async def test_a_server_that_comes_back_is_met_at_once(
    home: Home, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where ZEO's own pause between two attempts would outlast the test."""
    monkeypatch.setattr(zeo_client, "local_random", Always(1000.0))
    opening = asyncio.create_task(asyncio.to_thread(open_store, home.settings(), home, name="test", seconds=20.0))
    await asyncio.sleep(0.2)
    process = server.start()
    store = await opening
    seen = await store.run(store.db.lastTransaction)
    process.kill()
    process.wait()
    server.start()
    assert await store.run(lambda: snapshot_of(store), again=True) == seen
    store.close()


class Always:
    """A source of one number."""

    def __init__(self, number: float) -> None:
        self._number = number

    def random(self) -> float:
        return self._number


def snapshot_of(store: Store) -> bytes:
    """The moment that a new transaction sees, for which the server is asked."""
    with snapshot(store.db):
        return store.db.lastTransaction()
