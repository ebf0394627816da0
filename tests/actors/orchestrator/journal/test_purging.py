"""The journal's part of a purge: of who was told only digests stay, and no page of the file has the rest."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import partial

import pytest

from actors.orchestrator.journal.journal import Journal
from actors.orchestrator.journal.purging import AskedPurge, purge
from bus.process.lock import hold
from protocol.errors import BatosError
from protocol.home import find_home

CANARY = b"The zephyr-quokka of Ljubljana keeps 7713 marbles in a tin."


@pytest.fixture
async def home(short_path):
    made = find_home(str(short_path / "home")).prepare()
    journal = Journal(made.journal)
    for mandate, body in (("told", CANARY), ("other", b"nothing"), ("running", CANARY), ("left", CANARY * 400)):
        await journal.run(partial(journal.accept, mandate, f"key of {mandate}", body, 9.0))
        await journal.run(partial(journal.begin, f"c-{mandate}", mandate, "m", "o", "s_"))
        await journal.run(partial(journal.judged, f"c-{mandate}", "s", "accept", "", body.decode()))
        await journal.run(partial(journal.keep, f"reply of {mandate}", mandate, body))
        if mandate != "running":
            await journal.run(partial(journal.finish, mandate, "failed", body))
    for mandate in ("told", "running"):
        await journal.run(partial(journal.told.note, mandate, ["secret", "another"]))
    journal.close()
    return made


def files(home):
    return b"".join(path.read_bytes() for path in home.root.glob("journal.sqlite*"))


def bodies(home):
    with closing(sqlite3.connect(home.journal)) as db:
        return dict(db.execute("SELECT mandate, body FROM mandates").fetchall())


def test_who_was_told_and_who_has_left_it_keep_their_digests_alone(home):
    asked = AskedPurge(documents=["secret"], mandates=["left"])
    said = purge(home, asked)
    assert (said.mandates, said.running, bodies(home)["told"]) == (["told", "left"], ["running"], CANARY)
    done = purge(home, AskedPurge(documents=["secret"], mandates=["left"], really=True))
    assert (done.mandates, done.running) == (said.mandates, said.running)
    assert bodies(home) == {"told": b"", "other": b"nothing", "running": CANARY, "left": b""}
    assert files(home).count(CANARY) == 3, "what the one that runs has, and nothing of the others in any page"
    assert done.journal.bytes_after < done.journal.bytes_before
    assert purge(home, AskedPurge(documents=["secret"], mandates=["left"], really=True)).mandates == said.mandates


def test_what_the_world_has_forgotten_long_since_is_known_by_what_it_still_remembers(home):
    said = purge(home, AskedPurge(remembered=["another"], really=True))
    assert (said.documents, said.mandates, bodies(home)["told"]) == (["secret"], ["told"], b"")
    assert purge(home, AskedPurge(remembered=["another", "secret"])).mandates == []


def test_while_the_system_is_up_nothing_is_purged(home):
    with hold(home.run / "orchestrator.lock", "the world"), pytest.raises(BatosError) as caught:
        purge(home, AskedPurge(documents=["secret"], really=True))
    assert caught.value.code == "HOME_HELD"
    assert bodies(home)["told"] == CANARY


def test_as_a_command_it_prints_what_went(home):
    words = [sys.executable, "-m", "actors.orchestrator", "--home", str(home.root), "--purge"]
    asked = json.dumps({"documents": ["secret"], "really": True})
    done = subprocess.run(words, input=asked, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["mandates"] == ["told"]
    bad = subprocess.run(words, input='{"keep": "soon"}', capture_output=True, text=True, check=False)
    assert (json.loads(bad.stdout)["error"]["code"], bad.returncode) == ("BAD_ARGUMENT", 2)
