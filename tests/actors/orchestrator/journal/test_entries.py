"""What stands in a journal whose pages are whole, and cannot be read all the same."""

from __future__ import annotations

from functools import partial

import pytest

from actors.orchestrator.journal.entries import unreadable
from actors.orchestrator.journal.schema import problems


async def test_a_journal_in_which_nothing_is_damaged_says_so(house, tmp_path):
    house.new("box", width=5, height=6)
    await house.send("box", "_clone_persistent_", key="k1")
    path = house.journal._database._path
    assert unreadable(path) == []
    assert unreadable(tmp_path / "none") == []


@pytest.mark.parametrize(("column", "what"), [("body", "message"), ("reply", "end")])
async def test_what_was_damaged_within_an_entry_is_named(house, column, what):
    house.new("box", width=5, height=6)
    reply = await house.send("box", "_clone_persistent_", key="k1")
    spoil = partial(house.journal._db.execute, f"UPDATE mandates SET {column} = x'c1ff'")
    await house.journal.run(spoil)
    path = house.journal._database._path
    assert problems(path) == []
    (found,) = unreadable(path)
    assert f"the {what} of mandate {reply.mandate} cannot be read" in found
