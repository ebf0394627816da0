"""`pack --purge`: what goes is said first, a receipt says what went, and it is begun again where it was not."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import click
import pytest

from actors.orchestrator.journal.journal import Journal
from cli.main import main
from tests.actors.storage.purge.worlds import World, forget, make, remember
from world.store import commit
from world.version import SCHEMA

CANARY = "The zephyr-quokka of Ljubljana keeps 7713 marbles in a tin."


@pytest.fixture
def world(home):
    """A home that is down, in which something was forgotten that a mandate was told of, and a user has kept."""
    made = World(home.root)
    with made.opened() as db:
        remember(db, "secret", CANARY)
        make(db, "diary", page=f"Today: {CANARY}")
        forget(db, "secret")
    journal = Journal(home.journal)
    for work in (
        lambda: journal.accept("M1", "k", b"said " + CANARY.encode(), 9.0),
        lambda: journal.told.note("M1", ["secret"]),
        lambda: journal.finish("M1", "failed", CANARY.encode()),
    ):
        journal.post(work).result()
    journal.close()
    return made


def test_a_receipt_says_what_went_and_what_stays(world, batos):
    code, (done,) = batos("pack", "--purge", "--yes")
    assert code == 0
    assert (done["purged"]["documents"], done["purged"]["mandates"]) == (["secret"], 1)
    assert done["purged"]["revisions"] >= 2
    assert {*done} == {"world", "journal", "purged"}
    assert {*done["world"]} == {"before", "bytes_before", "bytes_after"}
    assert ["diary" in each["where"] for each in done["purged"]["left"]] == [True]
    assert len(done["purged"]["not_known"]) >= 3
    assert world.bytes().count(CANARY.encode()) == 1, "the user's own slot"
    assert batos("pack", "--purge", "--yes")[1][0]["purged"]["revisions"] == 0


def test_nobody_is_there_to_ask(world, batos):
    before = world.bytes()
    code, lines = batos("pack", "--purge")
    error = lines[-1]["error"]
    assert (code, error["code"], error["data"]["documents"]) == (2, "USAGE", ["secret"])
    assert batos("pack", "--purge", "--yes", "--keep", "soon")[0] == 2
    assert world.home.database.read_bytes() in before


@pytest.mark.parametrize("yes", [True, False])
def test_a_person_is_told_and_asked(world, capsys, monkeypatch, yes):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(click, "confirm", lambda *_, **__: yes)
    code = main(["--home", str(world.home.root), "pack", "--purge"])
    out, err = capsys.readouterr()
    assert "It takes 1 document that" in err
    assert "  secret" in err.splitlines()
    assert [line for line in (out + err).splitlines() if len(line) > 80] == []
    assert (code, "What no program can know" in out) == ((0, True) if yes else (130, False))


def test_a_home_without_a_world_is_not_called_clean_and_nothing_is_made_of_it(home, batos):
    before = sorted(home.root.rglob("*"))
    code, lines = batos("pack", "--purge", "--yes")
    assert (code, lines[-1]["error"]["code"]) == (2, "USAGE")
    assert "no world" in lines[-1]["error"]["message"]
    assert sorted(home.root.rglob("*")) == before


def test_a_home_that_is_half_restored_is_not_purged(world, batos):
    world.home.restoring.mkdir()
    _code, lines = batos("pack", "--purge", "--yes")
    assert lines[-1]["error"]["code"] == "HALF_RESTORED"
    assert world.bytes().count(CANARY.encode()) > 1


def bodies(home):
    with closing(sqlite3.connect(home.journal)) as db:
        return db.execute("SELECT body FROM mandates").fetchall()


def test_a_damaged_world_costs_the_journal_nothing(world, batos):
    with world.opened() as db:
        remember(db, "kept", "What is remembered after the damage is not forgotten.")
    journal = Journal(world.home.journal)
    for work in (
        lambda: journal.accept("M2", "l", b"said of kept", 9.0),
        lambda: journal.told.note("M2", ["kept"]),
        lambda: journal.finish("M2", "failed", b"end"),
    ):
        journal.post(work).result()
    journal.close()
    before = bodies(world.home)
    data = world.home.database.read_bytes()
    half = len(data) // 2
    world.home.database.write_bytes(data[:half] + b"\xff" * 4000 + data[half + 4000 :])
    code, lines = batos("pack", "--purge", "--yes")
    assert (code, lines[-1]["error"]["code"]) == (7, "DAMAGED")
    assert bodies(world.home) == before


@pytest.mark.parametrize(("form", "code"), [(SCHEMA + 1, "NEWER_WORLD"), (SCHEMA - 1, "USAGE")])
def test_a_world_of_another_form_is_not_purged_nor_its_journal(world, batos, form, code):
    with world.opened() as db, commit(db, user="t", description="") as connection:
        connection.root()["schema_version"] = form
    before = bodies(world.home), world.home.database.read_bytes()
    assert batos("pack", "--purge", "--yes")[1][-1]["error"]["code"] == code
    assert (bodies(world.home), world.home.database.read_bytes()) == before


def test_a_journal_of_an_older_form_takes_its_steps_at_a_start_alone(world, batos):
    with closing(sqlite3.connect(world.home.journal)) as db:
        db.execute("PRAGMA user_version = 4")
    code, lines = batos("pack", "--purge", "--yes")
    assert (code, lines[-1]["error"]["code"]) == (2, "USAGE")
    assert "batos up" in lines[-1]["error"]["hint"]
    with closing(sqlite3.connect(world.home.journal)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (4,)


def test_what_the_journal_still_says_is_told_with_what_to_do_about_it(world, batos):
    journal = Journal(world.home.journal)
    for work in (
        lambda: journal.accept("M2", "l", b"said without being told " + CANARY.encode(), 9.0),
        lambda: journal.finish("M2", "failed", b"end"),
    ):
        journal.post(work).result()
    with closing(sqlite3.connect(world.home.journal)) as db, db:
        db.execute("UPDATE mandates SET finished = finished - 60")
    journal.close()
    left = {each["where"]: each["why"] for each in batos("pack", "--purge", "--yes")[1][0]["purged"]["left"]}
    assert "--purge --keep 1s" in left[str(world.home.journal)]
    assert batos("pack", "--purge", "--keep", "1s", "--yes")[0] == 0
    assert CANARY.encode() not in world.home.journal.read_bytes()
