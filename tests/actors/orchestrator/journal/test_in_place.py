"""A journal that somebody removes or replaces while it is in use: what was acknowledged is in the one that stands there."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from functools import partial

import pytest

from actors.orchestrator.journal.journal import Journal
from protocol.errors import BatosError


def accept(journal, name):
    return journal.run(partial(journal.accept, name, name, b"body", 90.0))


def accepted(path):
    """The mandates in the journal that stands at `path`."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        return [row[0] for row in db.execute("SELECT mandate FROM mandates ORDER BY seq")]


@pytest.mark.parametrize("gone", [["", "-wal", "-shm"], [""], ["-wal"]])
async def test_what_was_acknowledged_is_put_back(tmp_path, gone):
    path, told = tmp_path / "journal.sqlite", []
    journal = Journal(path, told.append)
    await accept(journal, "m1")
    for ending in gone:
        path.with_name(path.name + ending).unlink()
    await accept(journal, "m2")
    with pytest.raises(BatosError, match="removed or replaced") as caught:
        await accept(journal, "m3")
    assert caught.value.data["lost"], "it is attempted again under the same key"
    assert told == [caught.value]
    journal.close()
    assert accepted(path) == ["m1", "m2"]


async def test_what_stands_in_its_place_is_kept_beside_it(tmp_path):
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    path.unlink()
    path.write_bytes(b"a backup")
    await accept(journal, "m1")
    journal.close()
    assert (tmp_path / "journal.sqlite.other").read_bytes() == b"a backup"
    assert accepted(path) == ["m1"]


async def test_it_is_seen_though_nobody_writes(tmp_path):
    path, told = tmp_path / "journal.sqlite", asyncio.Event()
    journal = Journal(path, lambda _: told.set())
    await accept(journal, "m1")
    path.unlink()
    staying = asyncio.create_task(journal.stay(0.01))
    await asyncio.wait_for(told.wait(), 10)
    staying.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await staying
    journal.close()
    assert accepted(path) == ["m1"]


async def test_what_cannot_be_put_back_is_not_acknowledged(tmp_path):
    folder = tmp_path / "home"
    folder.mkdir()
    journal = Journal(folder / "journal.sqlite")
    folder.rename(tmp_path / "away")
    with pytest.raises(BatosError, match="the journal failed"):
        await accept(journal, "m1")
    journal.close()
