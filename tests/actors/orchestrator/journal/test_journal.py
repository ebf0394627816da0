"""What the journal has acknowledged is there after reopening it, once."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from functools import partial

import pytest

from actors.orchestrator import views
from actors.orchestrator.journal.journal import Answered, Journal, VerdictRow
from protocol.errors import BatosError
from protocol.messages import Step


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.sqlite"


@pytest.fixture
async def journal(path):
    opened = Journal(path)
    yield opened
    opened.close()


async def test_a_key_is_accepted_once(journal):
    first = await journal.run(lambda: journal.accept("m1", "key", b"body", 9.0))
    again = await journal.run(lambda: journal.accept("m2", "key", b"other", 10.0))
    assert first == again
    assert (first.mandate, first.body, first.remaining, first.state) == ("m1", b"body", 9.0, "accepted")


async def test_unfinished_mandates_survive(path):
    journal = Journal(path)
    for number in range(3):
        await journal.run(lambda n=number: journal.accept(f"m{n}", f"k{n}", b"", 0.0))
    await journal.run(lambda: journal.finish("m1", "failed", b"why"))
    journal.close()
    again = Journal(path)
    assert [row.mandate for row in await again.run(again.unfinished)] == ["m0", "m2"]
    assert await again.run(lambda: again.are_over(["m0", "m1", "m9"])) == ["m1", "m9"]
    row = await again.run(lambda: again.by_key("k1"))
    assert (row.state, row.reply) == ("failed", b"why")
    again.close()


async def test_the_first_reply_is_kept(journal):
    assert await journal.run(lambda: journal.reply("k")) is None
    await journal.run(lambda: journal.keep("k", "m1", b"one"))
    await journal.run(lambda: journal.keep("k", "m1", b"two"))
    assert await journal.run(lambda: journal.reply("k")) == b"one"


STEP = Answered(cycle="c1", state="SYNTHESIZING", path="m.0", send="infer_", size=40, tokens=7)


async def test_what_was_kept_stays_with_any_end(journal):
    for mandate, state in [("m1", "failed"), ("m2", "complete")]:
        await journal.run(partial(journal.accept, mandate, mandate, b"", 9.0))
        await journal.run(partial(journal.keep, f"r{mandate}", mandate, b"one"))
        await journal.run(partial(journal.finish, mandate, state, b""))
        assert await journal.run(partial(journal.reply, f"r{mandate}")) == b"one"


async def test_a_failed_mandate_is_opened_again_once(journal):
    first = await journal.run(lambda: journal.accept("m1", "k1", b"", 9.0))
    await journal.run(lambda: journal.cancel("m1"))
    await journal.run(lambda: journal.finish("m1", "failed", b"why"))
    opened = await journal.run(lambda: journal.attempt_again(first, 30.0, None))
    assert (opened.state, opened.reply, opened.cancelled, opened.remaining, opened.attempt) == (
        "accepted",
        None,
        None,
        30.0,
        2,
    )
    assert await journal.run(lambda: journal.attempt_again(first, 99.0, None)) == opened


async def test_what_is_left_of_the_time_is_noted(journal):
    await journal.run(lambda: journal.accept("m1", "k1", b"", 9.0))
    await journal.run(lambda: journal.spend("m1", 4.5))
    assert [row.remaining for row in await journal.run(journal.unfinished)] == [4.5]


@pytest.mark.parametrize(("state", "cycle"), [("complete", "COMPLETE"), ("failed", "FAILED")])
async def test_a_mandate_takes_its_cycles_with_it_and_those_of_a_lost_end_are_settled(journal, state, cycle):
    for mandate in ("m1", "m2"):
        await journal.run(partial(journal.accept, mandate, mandate, b"", 9.0))
        await journal.run(partial(journal.begin, f"c{mandate}", mandate, "m", "oid", "area_"))
        await journal.run(partial(journal.enter, f"c{mandate}", "SYNTHESIZING"))
    await journal.run(lambda: journal.finish("m1", state, b""))
    assert (await journal.run(lambda: journal.cycle("cm1"))).state == cycle
    await journal.run(lambda: journal.begin("c9", "m1", "m.1", "oid", "area_"))
    await journal.run(lambda: journal.begin("c8", "nobody", "m", "oid", "area_"))
    await journal.run(journal.settle)
    found = {name: (await journal.run(partial(journal.cycle, name))).state for name in ("c9", "c8", "cm2")}
    assert found == {"c9": cycle, "c8": "FAILED", "cm2": "SYNTHESIZING"}


async def test_no_cycle_ends_before_it_began(journal, monkeypatch):
    await journal.run(lambda: journal.begin("c1", "m1", "m", "oid", "area_"))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 86_400)
    (running,) = (await journal.run(lambda: views.cycles(journal, None, 9))).cycles
    await journal.run(lambda: journal.enter("c1", "COMPLETE"))
    story = (await journal.run(lambda: views.cycles(journal, "c1", 9))).story
    assert [running.seconds, story.seconds, *(stay.seconds for stay in story.states)] == [0.0, 0.0, 0.0]


async def test_the_story_of_a_cycle(journal):
    await journal.run(lambda: journal.begin("c1", "m1", "m", "oid", "area_"))
    await journal.run(lambda: journal.begin("c1", "m1", "m", "oid", "area_"))
    await journal.run(lambda: journal.enter("c1", "SYNTHESIZING"))
    for _ in range(2):
        await journal.run(lambda: journal.step("m1", STEP, 1.5))
        await journal.run(lambda: journal.judged("c1", "s", "reject", "COV001 …", "def area_(self): …"))
    assert await journal.run(lambda: journal.steps("c1")) == [
        Step(path="m.0", send="infer_", seconds=1.5, tokens=7, state="SYNTHESIZING", size=40)
    ]
    (verdict,) = await journal.run(lambda: journal.verdicts("c1"))
    assert verdict == VerdictRow("s", "reject", "COV001 …", "def area_(self): …", chosen=False, installed=False)
    assert await journal.run(journal.counts) == {"active": 1, "complete": 0, "failed": 0}
    await journal.run(lambda: journal.fail("c1", b"diagnosis"))
    row = await journal.run(lambda: journal.cycle("m1"))
    assert (row.cycle, row.state, row.error) == ("c1", "FAILED", b"diagnosis")
    assert row.ended >= row.started
    assert [found.cycle for found in await journal.run(lambda: journal.cycles(10))] == ["c1"]
    assert await journal.run(journal.counts) == {"active": 0, "complete": 0, "failed": 1}
    assert [state for state, _ in await journal.run(lambda: journal.transitions("c1"))] == ["SYNTHESIZING", "FAILED"]


async def test_cycles_know_which_ones_they_have_caused(journal):
    for cycle, mandate, path in [
        ("c1", "m1", "m.0"),
        ("c2", "m1", "m.0.3.1"),
        ("c3", "m1", "m.1"),
        ("c4", "m2", "m.0.1"),
    ]:
        await journal.run(partial(journal.begin, cycle, mandate, path, "oid", "area_"))
    assert [row.cycle for row in await journal.run(lambda: journal.caused("c1"))] == ["c2"]


async def test_a_mandate_is_found_by_its_own_id_and_by_its_cycles(journal):
    await journal.run(lambda: journal.accept("m1", "k1", b"", 0.0))
    await journal.run(lambda: journal.accept("m2", "k2", b"", 0.0))
    await journal.run(lambda: journal.begin("c2", "m2", "m.0", "oid", "area_"))
    found = [await journal.run(partial(journal.by_id, name)) for name in ("m1", "m2", "c2", "c1")]
    assert [row and row.mandate for row in found] == ["m1", "m2", "m2", None]


async def test_a_journal_of_an_older_program_is_brought_up_to_date(path):
    with closing(sqlite3.connect(path)) as older:
        older.execute(
            "CREATE TABLE steps (seq INTEGER PRIMARY KEY, mandate TEXT, cycle TEXT, path TEXT, send TEXT,"
            " seconds REAL, tokens INTEGER)"
        )
        older.execute("INSERT INTO steps VALUES (1, 'm1', 'c1', 'm.0', 'infer_', 1.5, 7)")
        older.execute(
            "CREATE TABLE mandates (seq INTEGER PRIMARY KEY, mandate TEXT, key TEXT, body BLOB, accepted REAL,"
            " deadline REAL, state TEXT, reply BLOB, finished REAL)"
        )
        older.execute("INSERT INTO mandates VALUES (1, 'm1', 'k1', x'00', 1.0, 2.0, 'accepted', NULL, NULL)")
        older.commit()
    again = Journal(path)
    assert [(step.send, step.state, step.size) for step in await again.run(lambda: again.steps("c1"))] == [
        ("infer_", "", 0)
    ]
    assert [row.cancelled for row in await again.run(again.unfinished)] == [None]
    await again.run(lambda: again.cancel("m1"))
    (row,) = await again.run(again.unfinished)
    assert row.cancelled is not None
    again.close()


@pytest.mark.parametrize(("durable", "level"), [(True, 2), (False, 1)])
async def test_it_is_durable_by_its_settings(journal, durable, level):
    pragmas = await journal.run(
        lambda: [journal._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")],
        durable=durable,
    )
    assert pragmas == ["wal", level]


def test_a_file_that_is_no_journal_is_a_clear_error(path):
    path.write_bytes(b"this is no database, and longer than one hundred bytes" * 10)
    with pytest.raises(BatosError, match="is damaged") as caught:
        Journal(path)
    assert caught.value.code == "DAMAGED"
    assert isinstance(caught.value.__cause__, sqlite3.Error)


def test_a_journal_that_cannot_be_opened_is_a_clear_error(path):
    path.mkdir()
    with pytest.raises(BatosError, match="cannot open the journal") as caught:
        Journal(path)
    assert caught.value.code == "STORAGE"


async def test_a_unique_beginning_stands_for_an_id(journal):
    for mandate, cycle in (("01AAAA0001", "c8e6950001"), ("01AAAA0002", "c8e7000002"), ("01BBBB0003", "c8e6950003")):
        await journal.run(lambda m=mandate: journal.accept(m, m, b"", 1.0))
        await journal.run(lambda m=mandate, c=cycle: journal.begin(c, m, "m", "o", "area_"))

    async def mandate_of(id_):
        row = await journal.run(lambda: journal.by_id(id_))
        return row and row.mandate

    assert await mandate_of("01BB") == await mandate_of("01bbbb") == await mandate_of("01BBBB0003") == "01BBBB0003"
    assert await mandate_of("c8e7") == await mandate_of("C8E700000") == "01AAAA0002"
    assert (await journal.run(lambda: journal.cycle("01BB"))).cycle == "c8e6950003"
    assert (await journal.run(lambda: journal.cycle("c8e6950003"))).mandate == "01BBBB0003"
    for nobody in ("01B", "01CC", "", "01BBBB0003X", "%", "c8e7%"):
        assert await mandate_of(nobody) is None
        assert await journal.run(lambda id_=nobody: journal.cycle(id_)) is None
    for several in ("01AAAA", "c8e695"):
        with pytest.raises(BatosError, match="several") as caught:
            await mandate_of(several)
        assert caught.value.code == "BAD_ARGUMENT"
