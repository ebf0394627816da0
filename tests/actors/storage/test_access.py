"""Who writes to the world: processes of its home, and not just any process of the same user."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import transaction
from ZEO.ClientStorage import ClientStorage
from ZEO.StorageServer import registered_methods
from ZODB import DB

from actors.storage.access import READING
from ops.zeo import ruok
from protocol.errors import BatosError
from protocol.home import Home, find_home

ROOT = Path(__file__).resolve().parents[3]

STRANGER = """
import json, sys, time
import transaction
from ZEO.ClientStorage import ClientStorage
from ZODB import DB
socket, blobs, how = sys.argv[1:]
told = {}
options = {"blob_dir": blobs, "shared_blob_dir": True}
try:
    storage = ClientStorage(socket, wait_timeout=3, **options)
except Exception as error:
    told["open"] = type(error).__name__
    storage = ClientStorage(socket, wait_timeout=10, read_only=True, **options)
if how != "read":
    storage._is_read_only = False  # the client's own opinion
db = DB(storage)
manager = transaction.TransactionManager(explicit=True)
manager.begin()
connection = db.open(manager)
told["read"] = connection.root().get("mark")
def put():
    connection.root()["mark"] = "the stranger's"
    manager.commit()
deeds = {
    "put": put,
    "pack": lambda: storage._call("pack", time.time(), True),
    "blob": lambda: storage._call("storeBlobStart"),
    "oids": lambda: storage._call("new_oids", 3),
    "undo": lambda: storage._call("undoa", b"x" * 8, b"y" * 8),
    "read": lambda: storage.lastTransaction() and storage.undoLog(0, 5) and None,
}
try:
    told["did"] = deeds[how]() or "done"
except BaseException as error:
    told["did"] = type(error).__name__
print(json.dumps(told), flush=True)
"""
# In between stands a process, so that the storage is not started by who starts the stranger.
NESTED = "import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', *sys.argv[1:]]).returncode)"


@pytest.fixture
def home() -> Iterator[Home]:
    root = tempfile.mkdtemp(prefix="st", dir="/tmp")
    yield find_home(root).prepare()
    shutil.rmtree(root)


@pytest.fixture
def serving(home: Home) -> Iterator[Path]:
    """The storage of `home`, as a process of this one; the value is where its log goes."""
    log = home.root / "said"
    words = [sys.executable, "-m", "actors.storage", "--home", str(home.root)]
    with log.open("wb") as file, subprocess.Popen(words, stderr=file) as process:
        while True:
            assert process.poll() is None
            try:
                ruok(home.zeo_socket, seconds=1)
            except BatosError:
                time.sleep(0.02)
            else:
                break
        yield log
        process.kill()


@pytest.fixture
def mark(home: Home, serving: Path) -> Iterator[Callable[..., Any]]:
    """What the world's mark is, read by a process that may write; with a value, written by it."""
    assert serving.exists()
    db = DB(ClientStorage(str(home.zeo_socket), blob_dir=str(home.blobs), shared_blob_dir=True, wait_timeout=10))

    def marked(value: str | None = None) -> Any:
        manager = transaction.TransactionManager(explicit=True)
        manager.begin()
        connection = db.open(manager)
        try:
            if value is not None:
                connection.root()["mark"] = value
                manager.commit()
                manager.begin()
            return connection.root().get("mark")
        finally:
            manager.abort()
            connection.close()

    yield marked
    db.close()


def stranger(home: Home, how: str) -> dict[str, Any]:
    words = [sys.executable, "-c", NESTED, STRANGER, str(home.zeo_socket), str(home.blobs), how]
    ended = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120, cwd=ROOT)
    assert ended.returncode == 0, ended.stderr
    told: dict[str, Any] = json.loads(ended.stdout)
    return told


def test_a_stranger_reads(home: Home, mark: Callable[..., Any]) -> None:
    mark("ours")
    assert stranger(home, "read") == {"open": "ClientDisconnected", "read": "ours", "did": "done"}


@pytest.mark.parametrize("deed", ["put", "pack", "blob", "oids", "undo"])
def test_a_stranger_changes_nothing_whatever_its_client_believes(
    home: Home, mark: Callable[..., Any], serving: Path, deed: str
) -> None:
    mark("older")
    mark("ours")
    size = home.database.stat().st_size
    told = stranger(home, deed)
    assert (told["open"], told["read"]) == ("ClientDisconnected", "ours")
    assert told["did"] in ("ReadOnlyError", "ClientDisconnected"), told
    assert mark() == "ours"
    assert home.database.stat().st_size == size
    assert not list((home.blobs / "tmp").iterdir()), "no blob was begun"
    assert not home.database.with_name("world.fs.old").exists(), "nothing was packed"
    assert mark("ours still") == "ours still", "and nobody else is disturbed"
    assert "a stranger may only read" in serving.read_text()


def test_a_reader_has_no_method_but_those_that_read() -> None:
    changing = {"pack", "new_oid", "new_oids", "tpc_begin", "vote", "tpc_finish", "tpc_abort", "undoa", "deleteObject"}
    changing |= {name for name in registered_methods if name.startswith(("store", "restore", "checkCurrent"))}
    assert (registered_methods - changing) | {"commits"} == READING
