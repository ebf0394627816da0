"""Commits, differences and what was taken back, in 80 columns."""

from __future__ import annotations

import io

import pytest

from cli.render.past import log, undo
from protocol.codec import Ref
from protocol.messages import (
    Blocked,
    ChangedObject,
    ChangedSlot,
    DiffReply,
    DocumentDiff,
    Logged,
    LoggedCommit,
    MethodDiff,
    ObjectDiff,
    SlotDiff,
    Undone,
)

TID = "040d5d604bbf03bb"
SLOTS = [ChangedSlot(slot="width", how="changed"), ChangedSlot(slot="area_", how="new", is_method=True)]
BOX = ChangedObject(oid="00" * 8, name="box", how="changed", slots=SLOTS)
COMMIT = LoggedCommit(tid=TID, time=0.0, by="user:lena", why="set box width", cycle="c1", objects=[BOX])


def fits(text):
    return all(len(line) <= 80 for line in text.splitlines())


def test_a_commit_is_told_in_three_lines():
    first, second, third = log.logged(Logged(commits=[COMMIT])).splitlines()
    assert first.endswith(f"user:lena{' ' * 34}{TID}")
    assert len(first) == 80
    assert (second, third) == ("  set box width (cycle c1)", "    box ~width +area_")


def test_however_much_was_changed_lines_fit():
    many = [ChangedSlot(slot=f"a_rather_long_name_{number}_", how="new") for number in range(50)]
    wide = ChangedObject(oid="00" * 8, name="x" * 60, how="new", was="y" * 30, slots=many)
    commit = LoggedCommit(tid=TID, time=0.0, by="mcp:" + "z" * 60, why="w " * 100, objects=[wide], touched=1)
    text = log.logged(Logged(commits=[commit], next=TID, begins=TID))
    assert "and 38 more" in text
    assert f"--before {TID}" in text
    assert "packed away" in text
    assert fits("\n".join(text.splitlines()[1:]))


def test_nothing_is_said_to_be_nothing():
    assert log.logged(Logged(commits=[])) == "nothing was written"
    assert "nothing differs" in log.differences(DiffReply(a=TID, b=TID, objects=[]), io.StringIO())


def test_a_difference_shows_values_names_and_sources():
    method = MethodDiff(selector="area_", how="changed", author="c1", diff="--- a\n+++ b\n@@ -1 +1 @@\n-one\n+two")
    slots = [
        SlotDiff(slot="pen", how="new", after=Ref("ab" * 8)),
        SlotDiff(slot="width", how="changed", before=5, after=7),
        SlotDiff(slot="old", how="gone", before="x" * 1000),
    ]
    one = ObjectDiff(oid="00" * 8, name="crate", was="box", kind="object", how="changed", slots=slots, methods=[method])
    found = DiffReply(
        a=TID, b=TID, objects=[one], documents=[DocumentDiff(doc_id="a.txt", how="new")], names={"ab" * 8: "pen"}
    )
    text = log.differences(found, io.StringIO())
    lines = text.splitlines()
    assert lines[0] == "~ crate  was box"
    assert "    + pen = @pen" in lines
    assert "    ~ width = 5 → 7" in lines
    assert lines[-4:] == ["    ~ area_  by c1", "      -one", "      +two", "+ document a.txt"]
    assert fits(text)


@pytest.mark.parametrize("dry_run", [True, False])
def test_what_was_taken_back_and_what_is_in_the_way(dry_run):
    done = Undone(
        undone=[TID],
        blocked=[Blocked(tid=TID, object="box", slot="width", by=TID, why="it has changed since")] * 12,
        objects=[BOX] * 12,
        depends=["box.four_"],
        forgets=["answer:c1"],
        left=["a.txt"] * 20,
        tid=None if dry_run else TID,
    )
    text = undo.undone(done, dry_run=dry_run)
    assert text.startswith("this would take back 1 commit:" if dry_run else f"1 commit taken back, as {TID}:")
    for part in ("… and 2 more objects", "in the way: box.width", "in use by box.four_", "answer:c1", "and 10 more"):
        assert part in text
