"""A journal beside a world that is older by a moment: ends that the world has not seen are taken back, and nothing else."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from actors.orchestrator.__main__ import check
from actors.orchestrator.journal import restored, schema
from actors.orchestrator.journal.entries import unreadable
from actors.orchestrator.journal.journal import Journal
from protocol import codec
from protocol.errors import BatosError
from protocol.failure import failure_of
from protocol.home import Home
from protocol.messages import Mandate, MandateReply

TID = "00000000000000ff"


@pytest.fixture
async def home(tmp_path):
    """A journal with mandates that ended before TID, at it, after it, nowhere, badly, and one that has not ended."""
    journal = Journal(tmp_path / "journal.sqlite")
    ends = {"before": "00000000000000fe", "at": TID, "after": "0000000000000100", "nowhere": None}
    body = codec.pack(Mandate(target="box", selector="area_", seconds=9.0))
    for name in (*ends, "badly", "open"):
        await journal.run(lambda name=name: journal.accept(name, name, body, 9.0))
    for name, tid in ends.items():
        reply = codec.pack(MandateReply(mandate=name, state="COMPLETE", tid=tid))
        await journal.run(lambda name=name, reply=reply: journal.finish(name, "complete", reply))
    failure = codec.pack(failure_of(BatosError("TIMEOUT", "too late")))
    await journal.run(lambda: journal.finish("badly", "failed", failure))
    journal.close()
    return Home(tmp_path)


def states(home):
    with closing(sqlite3.connect(home.journal)) as db:
        return dict(db.execute("SELECT mandate, state FROM mandates"))


def test_only_the_end_that_came_after_is_taken_back(home, capsys):
    before = states(home)
    assert check(["--home", str(home.root), "--restored", TID]) == 0
    assert json.loads(capsys.readouterr().out) == {"journal": [], "reopened": 1}
    assert states(home) == {**before, "after": "accepted"}
    assert (schema.problems(home.journal), unreadable(home.journal)) == ([], [])
    assert restored.reopen(home.journal, TID) == 0


async def test_it_is_taken_up_as_after_a_crash(home):
    restored.reopen(home.journal, TID)
    journal = Journal(home.journal)
    found = await journal.run(journal.unfinished)
    journal.close()
    assert [row.mandate for row in found] == ["after", "open"]


def test_a_newer_one_is_left_alone(home, capsys):
    with closing(sqlite3.connect(home.journal)) as db:
        db.execute("PRAGMA user_version = 99")
    before = home.journal.read_bytes()
    assert check(["--home", str(home.root), "--restored", TID]) == 7
    assert "99" in json.loads(capsys.readouterr().out)["newer"]
    assert home.journal.read_bytes() == before


def test_a_broken_one_is_told(home, capsys):
    with closing(sqlite3.connect(home.journal)) as db:
        db.execute("UPDATE mandates SET reply = x'c1ff' WHERE mandate = 'at'")
        db.commit()
    assert check(["--home", str(home.root), "--restored", TID]) == 7
    assert "the end of mandate at" in json.loads(capsys.readouterr().out)["journal"][0]
