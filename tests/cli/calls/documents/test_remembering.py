"""`remember`: over a real broker, with a memory of ours behind it or the real one."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from cli.calls.documents.remembering import AT_ONCE
from cli.reading.parts import PART
from protocol.errors import BatosError

OID, TID = "000000000000002a", "03f1000000000001"


def stdin(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def changes(result):
    return {Path(one["doc_id"]).name: one["change"] for one in result["documents"]}


def test_a_file_is_named_by_its_absolute_path(memory, batos, write, monkeypatch, tmp_path):
    first, second = write("a.txt", "\ufeffOne wing."), write("b.txt", "Two wings.")
    monkeypatch.chdir(tmp_path)
    code, (made,) = batos("remember", "a.txt", f"../{tmp_path.name}/b.txt")
    assert (code, made["tid"], made["refused"], made["forgotten"]) == (0, TID, [], [])
    assert made["documents"] == [
        {"doc_id": path, "chunks": 1, "change": "new", "format": "text", "was": "", "notes": []}
        for path in (first, second)
    ]
    asked = {request.doc_id: request for _, request in memory.asked}
    assert set(asked) == {first, second}
    said = dict(asked[first].metadata)
    assert len(said.pop("file_sha256")) == 64
    assert (asked[first].text, said) == ("One wing.", {"source": first, "kind": "document", "format": "text"})


def test_a_document_can_be_named_and_come_from_standard_input(memory, batos, write, monkeypatch):
    path = write("a.txt", "One wing.")
    assert batos("remember", path, "--id", "wings")[0] == 0
    stdin(monkeypatch, b"From a pipe.")
    assert batos("remember", "-", "--id", "pipe")[0] == 0
    (_, one), (_, two) = memory.asked
    assert (one.doc_id, one.metadata["source"]) == ("wings", path)
    assert (two.doc_id, two.text, two.metadata["source"]) == ("pipe", "From a pipe.", "stdin")


def test_what_is_the_same_is_not_sent_again(memory, batos, write):
    path = write("a.txt", "One wing.")
    batos("remember", path)
    asked = len(memory.asked)
    code, (made,) = batos("remember", path)
    assert (code, changes(made), made["tid"]) == (0, {"a.txt": "same"}, None)
    write("a.txt", "Two wings.")
    assert changes(batos("remember", path)[1][0]) == {"a.txt": "changed"}
    assert len(memory.asked) == asked + 1


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "BAD_DOCUMENT"),
        (b" \n\t", "BAD_DOCUMENT"),
        (b"\xef\xbb\xbf", "BAD_DOCUMENT"),
        (b"a\0b", "BAD_DOCUMENT"),
        (b"\x89PNG\r\n\x1a\n", "BAD_DOCUMENT"),
    ],
)
def test_a_file_that_is_no_document_is_named_and_the_others_are_remembered(memory, batos, write, data, code):
    good, bad = write("good.txt", "A wing."), write("bad", data)
    got, (made,) = batos("remember", good, bad)
    assert (got, changes(made)) == (2, {"good.txt": "new"})
    (refused,) = made["refused"]
    assert (refused["path"], refused["code"]) == (bad, code)
    assert refused["message"]
    assert refused["hint"]
    got, (lost,) = batos("remember", bad)
    assert (got, lost["error"]["code"]) == (2, code)
    assert bad in lost["error"]["message"]


def test_what_cannot_be_read_is_refused(memory, batos, write, tmp_path):
    good = write("good.txt", "A wing.")
    for bad, code in [("/dev/zero", "TOO_LARGE"), (str(tmp_path / "missing.txt"), "UNREADABLE")]:
        got, (made,) = batos("remember", good, bad)
        assert (got, [one["code"] for one in made["refused"]]) == (2, [code])
    assert list(memory.kept) == [good]


def test_a_folder_is_read_but_for_what_is_hidden_or_litter(memory, batos, write, tmp_path):
    for name in ("a.md", "sub/b.txt", ".hidden", ".git/config", "node_modules/x.js", "sub/__pycache__/c.py", "d.py~"):
        write(name, "A wing.")
    code, (made,) = batos("remember", str(tmp_path))
    assert (code, changes(made)) == (0, {"a.md": "new", "b.txt": "new"})
    code, (made,) = batos("remember", str(tmp_path), "--include", "*.md", "--include", "*.rst")
    assert changes(made) == {"a.md": "same"}
    code, (made,) = batos("remember", str(tmp_path), "--exclude", "sub")
    assert changes(made) == {"a.md": "same"}


def test_an_empty_folder_is_nothing_to_remember(memory, told, tmp_path):
    assert told("remember", str(tmp_path))[:2] == (0, "there is nothing to remember\n")


def test_a_dry_run_reads_all_and_sends_nothing(memory, batos, write, tmp_path):
    write("a.md", "# Wings\n\nTwo of them.")
    write("b.html", "<html><script>x()</script></html>")
    write("c.txt", "Gr\u00fc\u00dfe".encode("latin-1"))
    code, (found,) = batos("remember", str(tmp_path), "--dry-run")
    assert (code, found["dry_run"], memory.asked) == (2, True, [])
    assert [(one["format"], one["characters"]) for one in found["documents"]] == [("markdown", 21), ("text", 5)]
    assert "guess" in found["documents"][1]["notes"][0]
    assert [Path(one["path"]).name for one in found["refused"]] == ["b.html"]


@pytest.mark.parametrize(
    "words", [["remember"], ["remember", "-"], ["remember", "a", "b", "--id", "x"], ["search"], ["forget"]]
)
def test_words_that_make_no_sense_are_a_usage_error(batos, failure, words):
    code, lines = batos(*words)
    assert (code, failure(lines)["code"]) == (2, "USAGE")


@pytest.mark.parametrize("doc_id", ["", "a\nb", "x" * 4097])
def test_an_id_must_be_one(batos, write, failure, doc_id):
    code, lines = batos("remember", write("a", "text"), "--id", doc_id)
    assert (code, failure(lines)["code"]) == (2, "BAD_DOCUMENT")


def test_several_are_under_way_at_once_and_not_too_many(memory, batos, write, tmp_path):
    for number in range(40):
        write(f"{number}.txt", f"Wing {number}.")
    assert batos("remember", str(tmp_path))[0] == 0
    assert len(memory.kept) == 40
    assert 1 < memory.most_at_once <= AT_ONCE


def test_what_went_before_a_failure_is_said(memory, batos, write, failure):
    paths = [write(name, "A wing.") for name in "abc"]
    batos("remember", paths[0])
    memory.replies["index"] = BatosError("STORAGE", "the disk is full", "Make room.")
    code, lines = batos("remember", *paths)
    assert (code, failure(lines)["code"], failure(lines)["data"]) == (7, "STORAGE", {"remembered": 1})
    assert "1 of 3 documents" in failure(lines)["hint"]


def test_what_memory_itself_refuses_keeps_nothing_else_back(memory, batos, write):
    paths = [write(name, "A wing.") for name in "abc"]
    memory.replies["index"] = lambda request: (
        BatosError("TOO_LARGE", "too many passages") if request.doc_id == paths[1] else None
    )
    code, (made,) = batos("remember", *paths)
    assert (code, changes(made)) == (2, {"a": "new", "c": "new"})
    assert [one["path"] for one in made["refused"]] == [paths[1]]


def test_a_document_is_sent_again_where_memory_was_lost(memory, batos, write):
    replies = [BatosError("NOT_READY", "memory stopped", lost=True), BatosError("NOT_READY", "memory waits")]
    memory.replies["index"] = lambda _: replies.pop(0) if replies else None
    assert batos("remember", write("a", "A wing."))[0] == 0
    assert len(memory.asked) == 3


def test_a_memory_that_is_not_ready_is_not_waited_for(memory, batos, write, failure):
    memory.replies["index"] = BatosError("NOT_READY", "memory waits for the model")
    code, lines = batos("remember", write("a", "A wing."))
    assert (code, failure(lines)["code"]) == (3, "NOT_READY")


def test_nothing_runs(batos, write, failure):
    for words in (["remember", write("a", "A wing.")], ["search", "wing"], ["forget", "a"], ["documents"]):
        code, lines = batos(*words)
        assert (code, failure(lines)["code"]) == (3, "NOT_RUNNING")


def test_a_large_file_is_one_document_in_parts(memory, batos, write):
    sections = [f"## Section {n}\n\n" + "A wing and a feather. " * 400 + "\n" for n in range(250)]
    path = write("large.md", "".join(sections))
    code, (made,) = batos("remember", path)
    parts = sorted(memory.kept)
    assert (code, len(made["documents"]), len(parts)) == (0, 1, 3)
    assert parts == [path, f"{path}//2", f"{path}//3"]
    assert "".join(memory.kept[part][1] for part in parts) == "".join(sections)
    assert all(memory.kept[part][1].startswith("## Section") and len(memory.kept[part][1]) <= PART for part in parts)
    assert memory.asked[-1][1].doc_id == path, "where the first part stands, the others do"
    assert changes(batos("remember", path)[1][0]) == {"large.md": "same"}
    (listed,) = batos("documents")[1][0]["documents"]
    assert (listed["doc_id"], listed["chunks"]) == (path, made["documents"][0]["chunks"])
    write("large.md", "## Section 1\n\nSmall now.")
    assert changes(batos("remember", path)[1][0]) == {"large.md": "changed"}
    assert list(memory.kept) == [path]


def test_a_large_file_whose_run_was_stopped_goes_on(memory, batos, write, failure):
    path = write("large.txt", "A wing and a feather.\n\n" * 80_000)
    memory.replies["index"] = lambda request: (
        BatosError("STORAGE", "the disk is full") if request.doc_id.endswith("//3") else None
    )
    assert failure(batos("remember", path)[1])["code"] == "STORAGE"
    assert list(memory.kept) == [f"{path}//2"]
    memory.replies.clear()
    assert changes(batos("remember", path)[1][0]) == {"large.txt": "changed"}
    assert sorted(memory.kept) == [path, f"{path}//2", f"{path}//3"]


def test_a_person_reads_what_was_remembered_and_refused(memory, told, write):
    path, bad, guessed = write("a", "A wing."), write("b", b"GIF89a\0"), write("c", "Gr\u00fc\u00dfe".encode("latin-1"))
    code, out, err = told("remember", path)
    assert (code, out, err) == (0, f"{path}  1 passage\n", f"  {path}: 3 of 3 sentences\n")
    code, out, err = told("remember", path, bad, guessed)
    assert code == 2
    assert out.splitlines() == [
        f"{path}  1 passage",
        f"{guessed}  1 passage",
        f"  {guessed}: read as Windows-1252 (Latin-1), which is a guess (80% sure)",
        "not remembered: 1",
        "  it is a GIF picture, and holds no text",
        f"    {bad}",
        "  → Read its text with a program such as tesseract, and remember that.",
    ]
    assert told("remember", path)[1] == f"{path}  1 passage\nall of it was remembered already\n"


def test_many_are_counted(memory, told, write, tmp_path):
    for number in range(30):
        write(f"{number}.txt", f"Wing {number}.")
    code, out, err = told("remember", str(tmp_path))
    assert (code, out) == (0, "30 documents, 30 passages: 30 new\n")
    assert 15 <= len(err.splitlines()) <= 21
    assert err.splitlines()[-1] == "  30 of 30 files"


@pytest.mark.model
def test_the_whole_way_with_the_real_memory(system, batos, write, monkeypatch, serve_memory):
    from actors.memory.actor import Memory
    from world import awakening
    from world.store import open_store

    home = system.home
    monkeypatch.setenv("OMP_NUM_THREADS", os.environ.get("OMP_NUM_THREADS", "1"))
    home.config.write_text(f'[storage]\nuri = "file://{home.database}?blobstorage_dir={home.blobs}"\n')
    store = open_store(home.settings(), home, name="test", seconds=1)
    awakening.awaken(store.db)
    store.close()

    async def make():
        memory = Memory(home)
        await memory.begin()
        return memory.handlers(), memory.close

    system.start_broker()
    service = serve_memory(home, make)
    service.start()
    path = write("birds.txt", "A wing gives lift to the bird. Feathers keep it warm.")
    code, (made,) = batos("remember", path)
    assert (code, made["documents"][0]["doc_id"]) == (0, path)
    again = batos("remember", path)[1][0]
    assert (again["tid"], changes(again)) == (None, {"birds.txt": "same"})
    code, (found,) = batos("search", "What are feathers for?")
    assert (code, found["hits"][0]["doc_id"]) == (0, path)
    assert "Feathers keep it warm." in found["hits"][0]["text"]
    (listed,) = batos("documents", "--match", "*birds*")[1][0]["documents"]
    assert (listed["doc_id"], listed["format"], listed["chunks"]) == (path, "text", made["documents"][0]["chunks"])
    path = str(Path(path).rename(f"{path}.moved"))
    made = batos("remember", "--sync", str(Path(path).parent))[1][0]
    assert [one["change"] for one in made["documents"]] == ["renamed"]
    (moved,) = batos("search", "What are feathers for?")[1][0]["hits"]
    assert (moved["doc_id"], moved["chunk_oid"]) == (path, found["hits"][0]["chunk_oid"]), "nothing was embedded again"
    code, (gone,) = batos("forget", path, "--key", "k1")
    assert (code, gone["doc_id"], gone["chunks"]) == (0, path, made["documents"][0]["chunks"])
    assert batos("search", "feathers")[1][0]["hits"] == []
    assert batos("forget", path, "--key", "k1") == (0, [gone]), "the answer may have been lost"
    code, (lost,) = batos("forget", path)
    assert (code, lost["error"]["code"]) == (2, "UNKNOWN_DOCUMENT")
    service.stop()


@pytest.mark.parametrize("name", [b"bad\xff.txt", b"two\nlines.txt"])
def test_a_name_that_cannot_be_printed_is_refused_and_no_terminal_obeys_it(memory, told, write, tmp_path, name):
    write("good.txt", "A wing.")
    Path(os.fsdecode(bytes(tmp_path) + b"/" + name)).write_text("A wing.")
    code, out, _ = told("remember", str(tmp_path))
    assert (code, len(memory.kept)) == (2, 1)
    assert "Rename it" in out
    assert len(out.splitlines()) == 5


def test_a_path_has_one_name_however_many_slashes_it_begins_with(memory, batos, write):
    path = write("a.txt", "A wing.")
    batos("remember", f"/{path}")
    assert list(memory.kept) == [path]


def test_no_part_of_a_large_document_is_written_over(memory, batos, write, failure):
    path = write("large.txt", "A wing and a feather.\n\n" * 50_000)
    batos("remember", path)
    code, lines = batos("remember", write("a.txt", "A beak."), "--id", f"{path}//2")
    assert (code, failure(lines)["code"]) == (2, "BAD_DOCUMENT")
    assert sorted(memory.kept) == [path, f"{path}//2"]


@pytest.mark.parametrize("ending", [b".txt", b".html"])
def test_a_file_whose_path_cannot_be_printed_is_remembered_under_another_name(memory, batos, tmp_path, ending):
    path = os.fsdecode(bytes(tmp_path) + b"/bad\xff\x1b[31m" + ending)
    Path(path).write_text("<!doctype html><p>A wing.</p>" if ending == b".html" else "A wing.")
    assert batos("remember", path, "--id", "named")[0] == 0
    view, text = memory.kept["named"]
    assert (view.metadata["source"], text) == (f"{tmp_path}/bad\\udcff\\x1b[31m{ending.decode()}", "A wing.")


@pytest.mark.parametrize("options", [[], ["--sync", "--yes"]])
def test_a_folder_whose_path_cannot_be_printed_keeps_no_other_from_being_remembered(
    memory, batos, write, tmp_path, options
):
    folder = os.fsdecode(bytes(tmp_path) + b"/bad\xff")
    Path(folder).mkdir()
    Path(folder, "a.txt").write_text("A wing.")
    path = write("good/a.txt", "A wing.")
    code, (made,) = batos("remember", folder, str(tmp_path / "good"), *options)
    assert (code, len(made["refused"]), list(memory.kept)) == (2, 1, [path])


def test_an_empty_name_is_not_the_folder_that_one_is_in(memory, batos, write, monkeypatch, tmp_path):
    write("a.txt", "A wing.")
    monkeypatch.chdir(tmp_path)
    code, (said,) = batos("remember", "")
    assert (code, said["error"]["code"], memory.kept) == (2, "USAGE", {})
