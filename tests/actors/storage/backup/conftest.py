"""A home with a world, a journal and settings, without a system; and what a backup of it must say."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from ZODB import DB
from ZODB.blob import Blob

from actors.orchestrator.journal.journal import Journal
from actors.storage.backup import telling
from actors.storage.world_file import WorldFile
from protocol import codec
from protocol.home import Home
from protocol.messages import Mandate, MandateReply
from world import awakening
from world.store import commit, snapshot
from world.uvm import UvmObject

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="session")
def awakened(tmp_path_factory):
    """The files of a world that was just awakened."""
    home = Home(tmp_path_factory.mktemp("awakened"))
    home.blobs.mkdir(parents=True)
    db = DB(WorldFile(str(home.database), blob_dir=str(home.blobs)))
    awakening.awaken(db)
    db.close()
    return home.world


class Life:
    """A home, its world open as its storage has it, and its journal. `publish` is what a mandate does to both, in that order."""

    def __init__(self, folder, awakened):
        self.home = Home(folder / "home")
        self.home.root.mkdir()
        shutil.copytree(awakened, self.home.world)
        self.home.config.write_text('[orchestrator]\nkeep = "20d"\n')
        self.backup_folder = folder / "the backup"
        self.number = 0
        self.open()

    def open(self):
        self.db = DB(WorldFile(str(self.home.database), blob_dir=str(self.home.blobs), pack_keep_old=False))
        self.journal = Journal(self.home.journal)

    def close(self):
        self.db.close()
        self.journal.close()

    def publish(self, *, blob=2000):
        """One more mandate: accepted, done in the world, ended. Its name."""
        self.number += 1
        mandate = f"M{self.number:04}"
        self.journal.post(
            lambda: self.journal.accept(
                mandate, mandate, codec.pack(Mandate(target="box", selector="area_", seconds=9.0)), 9.0
            )
        ).result()
        with commit(self.db, user="test", description=mandate) as connection:
            root = connection.root()
            root["objects"][mandate] = box = UvmObject(mandate, number=self.number)
            root["applied"][mandate] = "done"
            if blob:
                box.set_slot("weights", Blob(os.urandom(blob)))
        reply = MandateReply(mandate=mandate, state="COMPLETE", tid=self.db.lastTransaction().hex())
        self.journal.post(lambda: self.journal.finish(mandate, "complete", codec.pack(reply))).result()
        return mandate

    def backup(self, folder=None, **words):
        said = []
        return telling.backup(self.home, folder or self.backup_folder, said.append, **{"own": False, **words})

    def restore(self, name="again", folder=None, **words):
        wanted = {"generation": "", "until": None, "tid": "", **words}
        home = self.home.root.parent / name
        return Home(home), telling.restore(Home(home), folder or self.backup_folder, [].append, **wanted)


@pytest.fixture
def life(short_path, awakened):
    made = Life(short_path, awakened)
    yield made
    made.close()


def names(home):
    """The objects of a home's world, each with its blob read; the mandates that it has applied; those that its journal has."""
    db = DB(WorldFile(str(home.database), blob_dir=str(home.blobs)))
    try:
        with snapshot(db) as connection:
            root = connection.root()
            objects = list(root["objects"])
            for name in objects:
                if "weights" in root["objects"][name]._slots:
                    with root["objects"][name].weights.open() as file:
                        file.read()
            applied = set(root["applied"])
    finally:
        db.close()
    with closing(sqlite3.connect(home.journal)) as journal:
        rows = journal.execute("SELECT mandate, state FROM mandates").fetchall()
    return objects, applied, dict(rows)


@pytest.fixture
def tell():
    return names


def start(home, *words):
    """The storage's process, as the command starts it."""
    command = [sys.executable, "-P", "-m", "actors.storage", "--home", str(home.root), *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


@pytest.fixture
def storage():
    """Run that process; its exit code and its last line."""

    def run(home, *words):
        process = start(home, *words)
        out, err = process.communicate(timeout=120)
        assert out, err
        return process.returncode, json.loads(out.splitlines()[-1])

    run.start = start
    return run
