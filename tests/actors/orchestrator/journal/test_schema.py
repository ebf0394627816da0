"""A journal that has grown costs no more, an older one is brought up to date, and a broken one is named."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import partial

import pytest

from actors.orchestrator.journal import entries, schema
from actors.orchestrator.journal.journal import Answered, Journal
from actors.orchestrator.journal.retention import Limits
from actors.orchestrator.journal.schema import CURRENT, problems
from protocol import codec
from protocol.errors import BatosError
from protocol.messages import Found, Hit, Mandate, MandateReply
from protocol.origin import Origin

STEP = Answered(cycle="c1", state="IDLE", path="m.0", send="infer_", size=1, tokens=1)
GROWING = {"mandates", "cycles", "steps", "transitions", "replies", "verdicts"}
LITTLE = {"mandates_open", "cycles_open"}
"""Indexes that hold what is open alone: a walk over one of them is short, however long the journal is."""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.sqlite"


def fill(path, number):
    """So many finished mandates with a cycle each, written straight into the file."""
    with closing(sqlite3.connect(path)) as db:
        db.executemany(
            "INSERT INTO mandates (mandate, key, body, accepted, remaining, state, reply, finished)"
            " VALUES (?, ?, x'', 1.0, 1.0, 'complete', x'', ?)",
            [(f"old{n}", f"oldkey{n}", 4e9 + n) for n in range(number)],
        )
        db.executemany(
            "INSERT INTO cycles (cycle, mandate, path, target, selector, state, started, ended)"
            " VALUES (?, ?, 'm', 'o', 's_', 'COMPLETE', 1.0, 2.0)",
            [(f"oldcycle{n}", f"old{n}") for n in range(number)],
        )
        db.executemany(
            "INSERT INTO steps (mandate, cycle, path, send, seconds, tokens) VALUES (?, ?, 'm', 's_', 0.1, 1)",
            [(f"old{n}", f"oldcycle{n}") for n in range(number)],
        )
        db.executemany("INSERT INTO replies VALUES (?, ?, x'')", [(f"r{n}", f"old{n}") for n in range(number)])
        db.commit()


async def use(journal):
    """Everything that is ever asked of a journal while it serves, but for the packing of it."""
    run = journal.run
    row = await run(lambda: journal.accept("m1", "k1", b"body", 9.0))
    await run(lambda: journal.by_key("k1"))
    await run(lambda: journal.begin("c1", "m1", "m", "oid", "area_"))
    await run(lambda: journal.begin("c2", "m1", "m.1", "oid", "area_"))
    await run(lambda: journal.enter("c1", "SYNTHESIZING"))
    await run(lambda: journal.step("m1", STEP, 0.1))
    await run(lambda: journal.spend("m1", 8.0))
    await run(lambda: journal.judged("c1", "s", "reject", "p", "source"))
    await run(lambda: journal.keep("r", "m1", b""))
    await run(lambda: journal.reply("r"))
    for name in ("m1", "c1", "old1", "oldcycle1", "nothing"):
        await run(partial(journal.by_id, name))
        await run(partial(journal.cycle, name))
    for read in (journal.steps, journal.caused, journal.transitions, journal.verdicts):
        await run(partial(read, "c1"))
    await run(lambda: journal.begun("m1"))
    await run(lambda: journal.cycles(5))
    await run(journal.counts)
    await run(journal.oldest_running)
    await run(journal.unfinished)
    await run(lambda: journal.are_over(["m1", "old1"]))
    await run(lambda: journal.note_read("m1", "t"))
    await run(lambda: journal.finding.by_beginning("old"))
    await run(lambda: journal.finding.newest(5))
    await run(journal.finding.oldest)
    await run(lambda: journal.finding.senders("infer_"))
    await run(lambda: journal.cancel("m1"))
    await run(lambda: journal.fail("c2", b"why"))
    await run(lambda: journal.finish("m1", "failed", b"why"))
    await run(lambda: journal.attempt_again(row, 9.0, None))
    await run(lambda: journal.finish("m1", "complete", b"reply"))
    await run(journal.settle)
    await run(lambda: journal.retention.prune(Limits(seconds=1e9, mandates=10**6)))


async def test_no_statement_walks_through_a_table_that_grows(path):
    Journal(path).close()
    fill(path, 50)
    journal = Journal(path)
    said = set()
    await journal.run(lambda: journal._db.set_trace_callback(said.add))
    await use(journal)
    await journal.run(lambda: journal._db.set_trace_callback(None))
    with closing(sqlite3.connect(path)) as db:
        seen = 0
        for statement in said:
            if not statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE")):
                continue
            seen += 1
            for *_, detail in db.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall():
                words = detail.split()
                if words[0] != "SCAN" or words[1] not in GROWING or words[-1] in LITTLE:
                    continue
                # The newest so many, by the table's own order, are not the table.
                assert "ORDER BY seq DESC LIMIT" in statement, (statement, detail)
    assert seen > 30
    journal.close()


async def test_a_journal_that_has_grown_costs_no_more(tmp_path):
    steps = []
    for number in (100, 3000):
        path = tmp_path / f"{number}.sqlite"
        Journal(path).close()
        fill(path, number)
        journal = Journal(path)
        counted = [0]

        def count(counted=counted):
            counted[0] += 1

        await journal.run(partial(journal._db.set_progress_handler, count, 1))  # at every step of SQLite's machine
        await use(journal)
        journal.close()
        steps.append(counted[0])
    assert steps[1] < steps[0] * 1.2


async def test_what_status_counts_is_right_after_all_that_can_happen(path):
    journal = Journal(path)
    for number in range(4):
        await journal.run(partial(journal.accept, f"m{number}", f"k{number}", b"", 9.0))
        await journal.run(partial(journal.begin, f"c{number}", f"m{number}", "m", "o", "s_"))
    await journal.run(lambda: journal.enter("c0", "COMPLETE"))
    await journal.run(lambda: journal.fail("c1", b""))
    await journal.run(lambda: journal.enter("c2", "DELEGATING"))
    assert await journal.run(journal.counts) == {"active": 2, "complete": 1, "failed": 1}
    await journal.run(lambda: journal.begin("c1", "m1", "m", "o", "s_"))  # attempted again
    await journal.run(lambda: journal.finish("m0", "complete", b""))
    await journal.run(lambda: journal.retention.prune(Limits(seconds=1e9, mandates=0)))
    assert await journal.run(journal.counts) == {"active": 3, "complete": 0, "failed": 0}
    journal.close()
    fill(path, 7)
    again = Journal(path)
    assert await again.run(again.counts) == {"active": 3, "complete": 7, "failed": 0}
    again.close()


async def test_a_journal_from_before_versions_keeps_what_it_knows(path):
    with closing(sqlite3.connect(path)) as older:
        older.executescript(
            "CREATE TABLE mandates (seq INTEGER PRIMARY KEY AUTOINCREMENT, mandate TEXT NOT NULL UNIQUE,"
            " key TEXT NOT NULL UNIQUE, body BLOB NOT NULL, accepted REAL NOT NULL, deadline REAL NOT NULL,"
            " state TEXT NOT NULL DEFAULT 'accepted', reply BLOB, finished REAL, cancelled REAL);"
            "CREATE TABLE cycles (seq INTEGER PRIMARY KEY AUTOINCREMENT, cycle TEXT NOT NULL UNIQUE, mandate TEXT NOT NULL,"
            " path TEXT NOT NULL, target TEXT NOT NULL, selector TEXT NOT NULL, state TEXT NOT NULL, error BLOB,"
            " started REAL NOT NULL, ended REAL);"
            "INSERT INTO mandates VALUES (1, 'm1', 'k1', x'00', 1000.0, 1090.0, 'accepted', NULL, NULL, NULL);"
            "INSERT INTO mandates VALUES (2, 'm2', 'k2', x'00', 1000.0, 1090.0, 'complete', x'01', 1001.0, NULL);"
            "INSERT INTO cycles VALUES (1, 'c2', 'm2', 'm', 'o', 's_', 'COMPLETE', NULL, 1.0, 2.0);"
        )
    for _ in range(2):
        journal = Journal(path)
        (row,) = await journal.run(journal.unfinished)
        assert (row.mandate, row.remaining, row.attempt) == ("m1", 90.0, 1), "all of its time, whatever the clock says"
        assert (await journal.run(partial(journal.by_id, "c2"))).reply == b"\x01"
        assert await journal.run(journal.counts) == {"active": 0, "complete": 1, "failed": 0}
        journal.close()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (CURRENT,)


async def test_a_journal_of_the_second_version_notes_moments_from_now_on(path):
    Journal(path).close()
    with closing(sqlite3.connect(path)) as older:
        older.executescript(
            "ALTER TABLE mandates RENAME COLUMN read TO unread; DROP INDEX steps_send; PRAGMA user_version = 2;"
            "INSERT INTO mandates (mandate, key, body, accepted, remaining, state, reply, finished)"
            " VALUES ('m1', 'k1', x'', 1.0, 1.0, 'complete', x'', 2.0);"
        )
    journal = Journal(path)
    assert (await journal.run(lambda: journal.by_id("m1"))).read is None
    await journal.run(lambda: journal.note_read("m1", "00000000000000aa"))
    assert (await journal.run(lambda: journal.by_id("m1"))).read == "00000000000000aa"
    journal.close()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (CURRENT,)
        assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'steps_send'").fetchone() == (1,)


def test_a_journal_of_a_newer_program_is_left_alone(path):
    Journal(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {CURRENT + 1}")
    with pytest.raises(BatosError, match="newer program") as caught:
        Journal(path)
    assert (caught.value.code, caught.value.data["newer"]) == ("NEWER_WORLD", True)
    assert caught.value.is_hopeless, "no waiting mends it"


@pytest.mark.parametrize(
    "made",
    [
        "CREATE TABLE songs (name TEXT)",
        f"CREATE TABLE mandates (name TEXT); PRAGMA user_version = {CURRENT}",
        "PRAGMA user_version = -1",
    ],
)
def test_another_programs_database_is_no_journal(path, made):
    with closing(sqlite3.connect(path)) as db:
        db.executescript(made)
    with pytest.raises(BatosError, match="another program's") as caught:
        Journal(path)
    assert caught.value.code == "DAMAGED"


def test_a_form_of_file_that_sqlite_does_not_know_is_damage(path):
    Journal(path).close()
    data = bytearray(path.read_bytes())
    data[44:48] = b"\xff" * 4  # the format of its schema
    path.write_bytes(data)
    with pytest.raises(BatosError, match="unsupported file format") as caught:
        Journal(path)
    assert caught.value.code == "DAMAGED"


def damage(path, first, last):
    """Noise over these bytes of a journal with something in it."""
    Journal(path).close()
    fill(path, 300)
    Journal(path).close()
    with path.open("r+b") as file:
        file.seek(first)
        file.write(bytes((7 * number + 3) % 256 for number in range(last - first)))


@pytest.mark.parametrize("page", range(12))
def test_a_journal_that_is_damaged_anywhere_is_named_with_the_remedy(path, page):
    damage(path, page * 4096, page * 4096 + 4096)
    with pytest.raises(BatosError) as caught:
        Journal(path)
    error = caught.value
    assert (error.code, error.exit_code, error.data["path"]) == ("DAMAGED", 7, str(path))
    assert str(path) in error.message
    assert "backup" in error.hint
    assert problems(path)


async def test_damage_that_comes_to_light_later_is_told(path, monkeypatch):
    monkeypatch.setattr(schema, "SMALL", 0)  # as a journal that is too large to be looked through first
    damage(path, 4096, 8192)
    told = []
    journal = Journal(path, told.append)
    with pytest.raises(BatosError):
        await journal.run(lambda: journal._db.execute("SELECT count(body) FROM mandates").fetchall())
    assert [error.code for error in told] == ["DAMAGED"]
    journal.close()


@pytest.mark.parametrize("broken", [False, True])
def test_the_check_says_whether_a_journal_is_whole(tmp_path, broken):
    path = tmp_path / "journal.sqlite"
    if broken:
        damage(path, 4096, 8192)
    else:
        Journal(path).close()
    words = [sys.executable, "-m", "actors.orchestrator", "--home", str(tmp_path), "--check"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == (7 if broken else 0)
    assert bool(json.loads(done.stdout)["journal"]) is broken


def test_no_journal_has_no_problems(path):
    assert problems(path) == []


async def test_a_journal_of_the_third_version_knows_who_asks_from_now_on(path):
    Journal(path).close()
    with closing(sqlite3.connect(path)) as older:
        older.executescript(
            "DROP TABLE tokens; DROP TABLE spent; DROP TABLE mandates;"
            "CREATE TABLE mandates (seq INTEGER PRIMARY KEY AUTOINCREMENT, mandate TEXT NOT NULL UNIQUE,"
            " key TEXT NOT NULL UNIQUE, body BLOB NOT NULL, accepted REAL NOT NULL, remaining REAL NOT NULL,"
            " attempt INTEGER NOT NULL DEFAULT 1, state TEXT NOT NULL DEFAULT 'accepted', reply BLOB, finished REAL,"
            " cancelled REAL, read TEXT  -- the transaction\n); PRAGMA user_version = 3;"
            "INSERT INTO mandates (mandate, key, body, accepted, remaining) VALUES ('m1', 'k1', x'00', 1.0, 1.0);"
        )
    assert ["message of mandate m1" in one for one in entries.unreadable(path)] == [True], (
        "it is looked through as it is"
    )
    journal = Journal(path)
    agent = Origin(kind="mcp", name="claude-code", rights=["ask"], token="ab")
    assert (await journal.run(lambda: journal.by_id("m1"))).origin is None
    assert (await journal.run(lambda: journal.accept("m2", "k2", b"", 9.0, agent))).origin == agent
    assert [row.origin for row in await journal.run(journal.unfinished)] == [None, agent]
    journal.close()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (CURRENT,)
        db.execute("DROP TABLE tokens")
    with pytest.raises(BatosError, match="tables of it are missing"):
        Journal(path)


async def test_an_origin_that_the_disk_has_damaged_is_nobodys_user(path):
    Journal(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(
            "INSERT INTO mandates (mandate, key, body, accepted, remaining, origin) VALUES ('m1', 'k1', ?, 1.0, 1.0, x'c1')",
            (codec.pack(Mandate(target="box", selector="area_")),),
        )
        db.commit()
    assert ["origin of mandate m1" in one for one in entries.unreadable(path)] == [True]
    journal = Journal(path)
    (row,) = await journal.run(journal.unfinished)
    with pytest.raises(BatosError):
        _ = row.origin
    journal.close()


async def test_a_journal_of_the_fourth_version_knows_what_it_still_says_of_who_was_told(path):
    Journal(path).close()
    hits = [Hit(chunk_oid="a", doc_id=doc_id, chunk_index=0, score=1.0, text="t", metadata={}) for doc_id in ("a", "b")]
    recalled = codec.pack(Found(hits=hits, seconds=0.0))
    answered = codec.pack(
        MandateReply(
            mandate="m2", state="COMPLETE", result={"sources": [{"doc_id": "c"}], "citations": [{"doc_id": "d"}]}
        )
    )
    with closing(sqlite3.connect(path)) as older:
        older.executescript(
            "DROP TABLE told; DROP INDEX mandates_whole; ALTER TABLE mandates DROP COLUMN body_sha256;"
            "ALTER TABLE mandates DROP COLUMN reply_sha256; PRAGMA user_version = 4;"
        )
        older.execute("INSERT INTO replies VALUES ('k', 'm1', ?)", (recalled,))
        older.execute(
            "INSERT INTO replies VALUES ('other', 'm1', ?)", (codec.pack(Mandate(target="box", selector="area_")),)
        )
        older.execute(
            "INSERT INTO mandates (mandate, key, body, accepted, remaining, state, reply, finished)"
            " VALUES ('m2', 'k2', x'00', 1.0, 1.0, 'complete', ?, 1.0)",
            (answered,),
        )
        older.commit()
    journal = Journal(path)
    told = journal.told
    assert await journal.run(lambda: told.documents("m1")) == ["a", "b"]
    assert await journal.run(lambda: told.documents("m2")) == ["c", "d"]
    assert await journal.run(lambda: told.documents("m3")) is None
    assert await journal.run(lambda: told.mandates(["b", "d", "z"])) == ["m1", "m2"]
    assert (await journal.run(lambda: journal.by_id("m2"))).is_expired is False
    journal.close()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (CURRENT,)
