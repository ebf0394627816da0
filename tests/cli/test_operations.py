"""Every command of docs/operations.md is run, in the page's order, against a real system; its restored home has an older form too."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from ZODB import DB

from actors.storage.backup import folder as backups
from actors.storage.world_file import WorldFile
from protocol.home import Home
from world.store import commit
from world.version import SCHEMA

pytestmark = [pytest.mark.e2e, pytest.mark.model]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "operations.md"
COMMAND = re.compile(r"^    \$ (.+)$", flags=re.MULTILINE)


@pytest.fixture
def shell(short_path):
    """Run a line of the page as a shell does: /mnt/backup is a folder of the test's, and so is the user's own."""
    (short_path / "bin").mkdir()
    batos = short_path / "bin" / "batos"
    batos.write_text(f'#!/bin/sh\nexec {sys.executable} -m cli.main "$@"\n')
    batos.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{short_path / 'bin'}:{os.environ['PATH']}",
        "HOME": str(short_path),
        "BATOS_HOME": str(short_path / "home"),
        "PYTHONPATH": str(ROOT),
    }

    def run(line):
        text = line.replace("/mnt/backup", str(short_path / "mnt"))
        is_ours = text.startswith("batos ")
        done = subprocess.run(
            ["bash", "-c", f"{text} --json" if is_ours else text],
            env=environment,
            cwd=short_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        return done.returncode, json.loads(done.stdout.splitlines()[-1]) if is_ours else None, done.stderr

    yield run
    for home in ("home", "again"):
        run(f"batos down --home {short_path / home}")


def grow_old(home):
    """Take the last step of a world's form back, as far as the number says it."""
    db = DB(WorldFile(str(home.database), blob_dir=str(home.blobs)))
    with closing(db), commit(db, user="test", description="as an older program left it") as connection:
        connection.root()["schema_version"] = SCHEMA - 1


def test_every_command_of_the_page_does_what_it_says(shell, short_path):
    lines = COMMAND.findall(PAGE.read_text())
    assert len(lines) >= 10
    again = Home(short_path / "again")
    results = {}
    said = ""
    for line in lines:
        if line.startswith("batos up --home"):
            grow_old(again)
        code, result, told = shell(line)
        assert code == 0, (line, result, told)
        results[line] = result
        said = told if line.startswith("batos up --home") else said
    assert results["batos status --home ~/again"]["ready"] is True
    assert len(results["batos restore /mnt/backup/batos --list"]["generations"]) == 2
    # The older form was backed up and rehearsed before the world took its step.
    assert "a backup before the world's form" in said
    (kept,) = backups.good(again.backup)
    assert kept.world.form == SCHEMA - 1
    assert not again.rehearsal.exists()
    # What was restored is the same world.
    assert kept.world.id == backups.good(short_path / "mnt" / "batos")[0].world.id
    # What was forgotten for good is nowhere in the home.
    assert results["batos pack --purge --yes"]["world"]
    files = [path for path in (short_path / "home").rglob("*") if path.is_file()]
    assert [path for path in files if b"third stone" in path.read_bytes()] == []
