"""A world of a newer form: whatever opens it says so and ends, and leaves it as it was."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys

import pytest
from ZODB import DB
from ZODB.FileStorage import FileStorage

from protocol.home import Home
from world import awakening
from world.store import commit, open_store
from world.version import SCHEMA

TRAINING = ["--rank=4", "--epochs=1", "--steps=1", "--rate=0.001", "--seed=0"]


@pytest.fixture
def home(short_path):
    """A home whose world is a file, as a newer program has left it."""
    made = Home(short_path / "home").prepare()
    made.config.write_text(f'[storage]\nuri = "file://{made.database}?blobstorage_dir={made.blobs}"\n')
    store = open_store(made.settings(), made, name="test", seconds=1)
    awakening.awaken(store.db)
    with commit(store.db, user="test", description="a newer program was here") as connection:
        connection.root()["schema_version"] = 99
    store.close()
    return made


def open_older(home):
    """The world of `home` again, of a form that this program knows."""
    db = DB(FileStorage(str(home.database), blob_dir=str(home.blobs)))
    with db.transaction() as connection:
        connection.root()["schema_version"] = SCHEMA
    db.close()
    return open_store(home.settings(), home, name="test", seconds=1)


def run(home, module, *words):
    command = [sys.executable, "-m", module, *words, "--home", str(home.root)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=300)


@pytest.mark.parametrize("actor", ["orchestrator", "inference", "memory"])
def test_an_actor_ends_and_names_both_forms(home, actor):
    before = home.database.read_bytes()
    ended = run(home, f"actors.{actor}")
    assert ended.returncode == 7, ended.stderr
    last = json.loads(ended.stderr.splitlines()[-1])
    assert (last["event"], last["code"]) == ("cannot run", "NEWER_WORLD")
    assert "99" in last["error"]
    assert str(SCHEMA) in last["error"]
    assert "newer program" in last["hint"]
    assert home.database.read_bytes() == before


def test_a_training_ends_too(home, short_path):
    text = short_path / "text.txt"
    text.write_text("Once there was a lighthouse. " * 50)
    ended = run(home, "actors.inference.training.train", "keeper", f"--text={text}", *TRAINING)
    assert ended.returncode == 7, ended.stderr
    assert json.loads(ended.stdout.splitlines()[-1])["error"]["code"] == "NEWER_WORLD"


def test_the_version_that_made_the_form_is_named(home):
    store = open_older(home)
    with commit(store.db, user="test", description="its program says who it was") as connection:
        assert connection.root()["program"]  # this program's own awakening
        connection.root().update(schema_version=99, program="9.4.1")
    store.close()
    ended = run(home, "actors.orchestrator")
    last = json.loads(ended.stderr.splitlines()[-1])
    assert (last["code"], "batos 9.4.1" in last["hint"]) == ("NEWER_WORLD", True)


def test_the_version_that_made_a_journals_form_is_named(home):
    with contextlib.closing(sqlite3.connect(home.journal)) as journal:
        journal.execute("PRAGMA user_version = 99")
        journal.execute("PRAGMA application_id = 9004001")
    ended = run(home, "actors.orchestrator")
    last = json.loads(ended.stderr.splitlines()[-1])
    assert (ended.returncode, last["code"], "batos 9.4.1" in last["hint"]) == (7, "NEWER_WORLD", True)
