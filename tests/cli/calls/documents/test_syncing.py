"""`remember --sync`: after it, memory holds what the folder holds, and nothing else of memory was touched."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.calls.documents import planning, remembering
from cli.calls.documents.folders import Wanted
from cli.reading import files


def held(memory, folder):
    """What memory holds of a folder: paths below it, and the texts."""
    return {
        os.path.relpath(doc_id, folder): text
        for doc_id, (_, text) in memory.kept.items()
        if doc_id.startswith(f"{folder}/")
    }


def remove(path):
    Path(path).unlink()


def on_disk(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in Path(folder).rglob("*") if path.is_file()}


def test_new_changed_renamed_and_vanished_files(memory, batos, write, tmp_path):
    folder = str(tmp_path / "docs")
    for name in ("same", "changed", "renamed", "vanished"):
        write(f"docs/{name}.txt", f"A wing, {name}.")
    outside = write("outside.txt", "Not of the folder.")
    assert batos("remember", "--sync", folder)[0] == 0
    batos("remember", outside)
    batos("remember", write("docs/named.txt", "Named."), "--id", "mine")
    Path(f"{folder}/named.txt").unlink()
    write("docs/changed.txt", "Another wing.")
    Path(f"{folder}/renamed.txt").rename(f"{folder}/new name.txt")
    Path(f"{folder}/vanished.txt").unlink()
    write("docs/new.txt", "A new wing.")
    code, (made,) = batos("remember", "--sync", folder, "--yes")
    assert code == 0
    told = {Path(one["doc_id"]).name: one["change"] for one in made["documents"]}
    assert told == {"same.txt": "same", "changed.txt": "changed", "new name.txt": "renamed", "new.txt": "new"}
    (renamed,) = [one for one in made["documents"] if one["was"]]
    assert Path(renamed["was"]).name == "renamed.txt"
    assert [Path(one["doc_id"]).name for one in made["forgotten"]] == ["vanished.txt"]
    assert held(memory, folder) == on_disk(folder)
    assert {"mine", outside} <= set(memory.kept)


def test_nothing_is_forgotten_unasked(memory, batos, write, failure, tmp_path):
    path = write("docs/a.txt", "A wing.")
    write("docs/b.txt", "A feather.")
    batos("remember", str(tmp_path / "docs"))
    Path(path).unlink()
    code, lines = batos("remember", "--sync", str(tmp_path / "docs"))
    assert (code, failure(lines)["code"]) == (2, "USAGE")
    assert path in memory.kept
    code, (found,) = batos("remember", "--sync", str(tmp_path / "docs"), "--dry-run")
    assert (code, found["forgets"], path in memory.kept) == (0, [path], True)
    assert batos("remember", str(tmp_path / "docs"))[0] == 0
    assert path in memory.kept, "without --sync nothing is forgotten"


def test_a_folder_that_is_not_there_is_not_an_empty_one(memory, batos, write, failure, tmp_path):
    write("docs/a.txt", "A wing.")
    batos("remember", str(tmp_path / "docs"))
    shutil.rmtree(tmp_path / "docs")
    code, lines = batos("remember", "--sync", str(tmp_path / "docs"), "--yes")
    assert (code, failure(lines)["code"]) == (2, "UNREADABLE")
    assert len(memory.kept) == 1
    for words in (["--id", "x"], [write("a.txt", "text")]):
        assert batos("remember", "--sync", str(tmp_path), *words)[0] == 2


def test_what_is_left_out_and_still_there_stays(memory, batos, write, tmp_path):
    write("docs/a.txt", "A wing.")
    write("docs/b.md", "A feather.")
    batos("remember", str(tmp_path / "docs"))
    assert batos("remember", "--sync", str(tmp_path / "docs"), "--include", "*.md", "--yes")[0] == 0
    assert len(memory.kept) == 2


def test_a_file_that_has_no_text_any_more_is_forgotten(memory, batos, write, tmp_path):
    path = write("docs/a.txt", "A wing.")
    batos("remember", str(tmp_path / "docs"))
    write("docs/a.txt", b"\x89PNG\r\n\x1a\n\0\0")
    code, (made,) = batos("remember", "--sync", str(tmp_path / "docs"), "--yes")
    assert (code, [one["doc_id"] for one in made["forgotten"]], memory.kept) == (2, [path], {})


def test_a_file_that_is_too_large_now_is_not_forgotten(memory, batos, write, tmp_path, monkeypatch):
    path = write("docs/a.txt", "A wing.")
    batos("remember", str(tmp_path / "docs"))
    monkeypatch.setattr(files, "MAX_TEXT_BYTES", 20)
    write("docs/a.txt", "A wing. " * 10)
    code, (made,) = batos("remember", "--sync", str(tmp_path / "docs"), "--yes")
    assert (code, made["refused"][0]["code"], made["forgotten"], list(memory.kept)) == (2, "TOO_LARGE", [], [path])


def test_what_was_only_named_like_a_file_of_the_folder_stays(memory, batos, write, tmp_path):
    write("docs/a.txt", "A wing.")
    named = str(tmp_path / "docs" / "named")
    batos("remember", write("b.txt", "A feather."), "--id", named)
    assert batos("remember", "--sync", str(tmp_path / "docs"), "--yes")[1][0]["forgotten"] == []
    assert named in memory.kept


def test_all_parts_of_a_large_file_go_and_are_renamed(memory, batos, write, tmp_path):
    path = write("docs/large.txt", "A wing and a feather.\n\n" * 50_000)
    batos("remember", "--sync", str(tmp_path / "docs"))
    assert len(memory.kept) == 2
    Path(path).rename(tmp_path / "docs" / "other.txt")
    assert batos("remember", "--sync", str(tmp_path / "docs"))[0] == 0, "nothing is lost, so nobody is asked"
    assert sorted(memory.kept) == [str(tmp_path / "docs" / "other.txt"), f"{tmp_path}/docs/other.txt//2"]
    Path(tmp_path / "docs" / "other.txt").unlink()
    assert batos("remember", "--sync", str(tmp_path / "docs"), "--yes")[0] == 0
    assert memory.kept == {}


def test_pages_of_what_is_known_are_read_to_the_end(memory, batos, write, tmp_path):
    memory.page = 2
    for number in range(7):
        write(f"docs/{number}.txt", f"Wing {number}.")
    batos("remember", str(tmp_path / "docs"))
    made = batos("remember", "--sync", str(tmp_path / "docs"))[1][0]
    assert {one["change"] for one in made["documents"]} == {"same"}
    assert len(made["documents"]) == 7


NAMES = st.sampled_from(["a.txt", "b.txt", "c.txt", "sub/a.txt", "sub/d.txt"])
TEXTS = st.sampled_from(["A wing.", "A feather.", "A beak.", "A tail."])


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(NAMES, TEXTS), min_size=2, max_size=3))
async def test_whatever_becomes_of_a_folder_memory_follows(memory, home, tmp_path, states):
    folder = tmp_path / "docs"
    for state in states:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, text in state.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        planned = await planning.plan(home, Wanted([str(folder)], sync=True))
        await remembering.remember(home, planned)
        assert held(memory, str(folder)) == state


@pytest.mark.parametrize("change", ["rewritten", "removed"])
async def test_a_folder_that_changes_meanwhile_does_no_harm(memory, home, write, tmp_path, change):
    path, other = write("docs/a.txt", "A wing."), write("docs/b.txt", "A feather.")
    planned = await planning.plan(home, Wanted([str(tmp_path / "docs")], sync=True))
    if change == "rewritten":
        write("docs/a.txt", "Another wing.")
    else:
        remove(path)
    made = await remembering.remember(home, planned)
    assert [one.path for one in made.refused] == [path]
    assert list(memory.kept) == [other]
    again = await remembering.remember(home, await planning.plan(home, Wanted([str(tmp_path / "docs")], sync=True)))
    assert again.refused == []
    assert held(memory, str(tmp_path / "docs")) == on_disk(tmp_path / "docs")
