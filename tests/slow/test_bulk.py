"""Much at once: ten thousand tiny files, one of fifty megabytes, and commands that are killed on the way.

Memory is the real one over a real world; only its model costs nothing, so that what is left is what the house itself does.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from actors.memory import reader
from actors.memory.actor import Memory
from actors.memory.embedding import Token
from protocol.home import Home
from tests.cli.calls.conftest import Service
from tests.cli.conftest import System
from world import awakening
from world.store import open_store

pytestmark = pytest.mark.slow

MANY = 10_000
LARGE = 50 << 20
HOLDS = 400 << 10
"""KiB that the command may take: the program itself has a hundred, and a large file none of its size."""


class Costless:
    """A model of words as tokens, and of vectors that follow from the text."""

    identity = b"costless"

    def __init__(self, *_):
        pass

    def twin(self):
        return self

    def tokens(self, texts):
        return [[Token(*found.span()) for found in re.finditer(r"\S{1,16}", text)] for text in texts]

    def embed(self, texts):
        rows = [np.random.default_rng(zlib.crc32(text.encode())).standard_normal(64) for text in texts]
        return np.array([row / np.linalg.norm(row) for row in rows], dtype=np.float32)


class Bulk:
    """A home with a broker and a memory in this process, and the command in its own."""

    def __init__(self, home):
        self.home = home
        self.held = 0

    def start(self, *words):
        return subprocess.Popen(
            [sys.executable, "-m", "cli.main", "--home", str(self.home.root), *words, "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def run(self, *words):
        """The result; `held` is then the most memory that the command had, in KiB."""
        with self.start(*words) as process:
            out = process.stdout.read()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        self.held = used.ru_maxrss
        assert process.returncode == 0, out[-2000:]
        return json.loads(out)


@pytest.fixture
def bulk(short_path, monkeypatch):
    monkeypatch.setattr(reader, "Embedder", Costless)
    home = Home(short_path / "home").prepare()
    home.config.write_text(f'[storage]\nuri = "file://{home.database}?blobstorage_dir={home.blobs}"\n')
    store = open_store(home.settings(), home, name="test", seconds=1)
    awakening.awaken(store.db)
    store.close()

    async def make():
        memory = Memory(home)
        await memory.begin()
        return memory.handlers(), memory.close

    system = System(home)
    system.start_broker()
    service = Service(home, make)
    service.start()
    yield Bulk(home)
    service.stop()
    system.stop()


def test_ten_thousand_tiny_files(bulk, tmp_path):
    for number in range(MANY):
        folder = tmp_path / f"{number % 100:02}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.txt").write_text(f"The file with the number {number}.\n")
    with bulk.start("remember", str(tmp_path)) as killed:
        while killed.poll() is None and not len(bulk.run("documents", "--match", f"{tmp_path}/0*")["documents"]):
            pass
        killed.send_signal(signal.SIGKILL)
    began = len(bulk.run("documents")["documents"])
    assert 0 < began < MANY
    made = bulk.run("remember", str(tmp_path))
    assert bulk.held < HOLDS
    assert len(made["documents"]) == MANY
    assert sum(one["change"] == "same" for one in made["documents"]) >= began
    assert bulk.run("search", "number 4711", "--top-k", "1")["hits"][0]["doc_id"] == str(tmp_path / "11" / "4711.txt")
    for number in range(0, MANY, 100):
        (tmp_path / "00" / f"{number}.txt").unlink()
    (tmp_path / "01").rename(tmp_path / "other")
    made = bulk.run("remember", "--sync", str(tmp_path), "--yes")
    changes = [one["change"] for one in made["documents"]]
    assert {change: changes.count(change) for change in set(changes)} == {"same": 9800, "renamed": 100}
    assert len(made["forgotten"]) == 100
    assert len(bulk.run("documents")["documents"]) == MANY - 100


def test_fifty_megabytes(bulk, tmp_path):
    path = tmp_path / "large.md"
    with path.open("w") as file:
        number = 0
        while file.tell() < LARGE:
            file.write(
                f"# Section {number}\n\n"
                + f"The number {number} has a section of its own, in plain words. " * 40
                + "\n\n"
            )
            number += 1
    with bulk.start("remember", str(path)) as killed:
        while killed.poll() is None and not len(bulk.run("documents")["documents"]):
            pass
        killed.send_signal(signal.SIGKILL)
    made = bulk.run("remember", str(path))
    assert bulk.held < HOLDS
    (document,) = made["documents"]
    assert document["doc_id"] == str(path)
    (listed,) = bulk.run("documents")["documents"]
    assert listed["chunks"] == document["chunks"]
    assert listed["metadata"]["parts"] > 50
    assert Path(bulk.run("search", f"Section {number // 2}", "--top-k", "1")["hits"][0]["metadata"]["source"]) == path
    assert bulk.run("remember", str(path))["documents"][0]["change"] == "same"
    assert bulk.run("forget", str(path))["chunks"] == document["chunks"]
    assert bulk.run("documents")["documents"] == []
