"""What the journal has acknowledged is there after reopening it, once."""

from __future__ import annotations

import sqlite3

import pytest

from actors.orchestrator.journal import Journal
from protocol.errors import BatosError


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
    assert (first.mandate, first.body, first.deadline, first.state) == ("m1", b"body", 9.0, "accepted")


async def test_unfinished_mandates_survive(path):
    journal = Journal(path)
    for number in range(3):
        await journal.run(lambda n=number: journal.accept(f"m{n}", f"k{n}", b"", 0.0))
    await journal.run(lambda: journal.finish("m1", "failed", b"why"))
    journal.close()
    again = Journal(path)
    assert [row.mandate for row in await again.run(again.unfinished)] == ["m0", "m2"]
    assert await again.run(lambda: again.are_finished(["m0", "m1"])) == ["m1"]
    row = await again.run(lambda: again.by_key("k1"))
    assert (row.state, row.reply) == ("failed", b"why")
    again.close()


async def test_the_first_reply_is_kept(journal):
    assert await journal.run(lambda: journal.reply("k")) is None
    await journal.run(lambda: journal.keep("k", "m1", b"one"))
    await journal.run(lambda: journal.keep("k", "m1", b"two"))
    assert await journal.run(lambda: journal.reply("k")) == b"one"


async def test_the_story_of_a_cycle(journal):
    await journal.run(lambda: journal.begin("c1", "m1", "m", "oid", "area_"))
    await journal.run(lambda: journal.begin("c1", "m1", "m", "oid", "area_"))
    await journal.run(lambda: journal.enter("c1", "SYNTHESIZING"))
    for _ in range(2):
        await journal.run(lambda: journal.step("m1", "c1", "m.0", send="infer_", seconds=1.5, tokens=7))
        await journal.run(lambda: journal.judged("c1", "s", "reject", "COV001 …", "def area_(self): …"))
    assert await journal.run(lambda: journal.steps("c1")) == [("m.0", "infer_", 1.5, 7)]
    assert await journal.run(lambda: journal.verdicts("c1")) == [("s", "reject", "COV001 …", "def area_(self): …")]
    assert await journal.run(journal.counts) == {"active": 1, "complete": 0, "failed": 0}
    await journal.run(lambda: journal.fail("c1", b"diagnosis"))
    row = await journal.run(lambda: journal.cycle("m1"))
    assert (row.cycle, row.state, row.error) == ("c1", "FAILED", b"diagnosis")
    assert row.ended >= row.started
    assert [found.cycle for found in await journal.run(lambda: journal.cycles(10))] == ["c1"]
    assert await journal.run(journal.counts) == {"active": 0, "complete": 0, "failed": 1}


async def test_it_is_durable_by_its_settings(journal):
    pragmas = await journal.run(
        lambda: [journal._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    )
    assert pragmas == ["wal", 2]


def test_a_file_that_is_no_journal_is_a_clear_error(path):
    path.write_bytes(b"this is no database, and longer than one hundred bytes" * 10)
    with pytest.raises(BatosError, match="cannot open the journal") as caught:
        Journal(path)
    assert caught.value.code == "STORAGE"
    assert isinstance(caught.value.__cause__, sqlite3.Error)
