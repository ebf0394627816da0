"""`documents` and `forget`: by id, by path, by pattern; a document goes as a whole."""

from __future__ import annotations

import pytest

from protocol.errors import BatosError
from protocol.messages import Index

TID = "03f1000000000001"


@pytest.fixture
def birds(memory, batos, write):
    paths = {name: write(name, "A wing.") for name in ("a.txt", "b.md", "sub/c.txt")}
    batos("remember", *paths.values())
    batos("remember", paths["a.txt"], "--id", "wings")
    return paths


def test_a_name_or_a_path(birds, batos, failure, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    nothing = {"derived": None, "derived_tid": None}  # where no orchestrator says what came of it
    assert batos("forget", "wings") == (0, [{"doc_id": "wings", "chunks": 1, "tid": TID, **nothing}])
    assert batos("forget", "a.txt") == (0, [{"doc_id": birds["a.txt"], "chunks": 1, "tid": TID, **nothing}])
    code, lines = batos("forget", "a.txt")
    assert (code, failure(lines)["code"], failure(lines)["message"]) == (
        2,
        "UNKNOWN_DOCUMENT",
        "no document is called 'a.txt'",
    )


def test_several_and_patterns(memory, birds, batos, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code, (found,) = batos("forget", "sub/*", "*.md", "wings", "--dry-run")
    assert (code, found["dry_run"]) == (0, True)
    assert [one["doc_id"] for one in found["documents"]] == [birds["sub/c.txt"], birds["b.md"], "wings"]
    assert len(memory.kept) == 4
    code, (found,) = batos("forget", "sub/*", "*.md", "wings")
    assert (code, found["dry_run"], [one["tid"] for one in found["documents"]]) == (0, False, [TID] * 3)
    assert list(memory.kept) == [birds["a.txt"]]
    assert batos("forget", "nothing*")[1][0]["documents"] == []


def test_one_unknown_id_among_several_forgets_nothing(memory, birds, batos, failure):
    code, lines = batos("forget", "wings", "nobody")
    assert (code, failure(lines)["code"]) == (2, "UNKNOWN_DOCUMENT")
    assert len(memory.kept) == 4


def test_an_id_may_look_like_a_pattern(memory, batos, write):
    path = write("a[1].txt", "A wing.")
    other = write("a1.txt", "A wing.")
    batos("remember", path, other)
    assert batos("forget", path)[0] == 0
    assert list(memory.kept) == [other]


def test_the_folder_that_one_is_in_is_no_pattern(memory, batos, write, monkeypatch, tmp_path):
    path, other = write("a[12]/x.md", "A wing."), write("a1/x.md", "A beak.")
    batos("remember", path, other)
    monkeypatch.chdir(tmp_path / "a[12]")
    code, (found,) = batos("forget", "./x*")
    assert (code, [one["doc_id"] for one in found["documents"]], list(memory.kept)) == (0, [path], [other])


def test_all_are_listed_whatever_one_of_them_is_called(memory, birds, batos):
    batos("remember", birds["a.txt"], "--id", "*")
    assert len(batos("documents")[1][0]["documents"]) == 5


def test_a_key_is_for_one(memory, birds, batos):
    assert batos("forget", "wings", "b.md", "--key", "k")[0] == 2
    assert batos("forget", "wings", "--key", "k")[0] == 0


def test_a_large_document_goes_as_a_whole(memory, batos, write):
    path = write("large.txt", "A wing and a feather.\n\n" * 50_000)
    made = batos("remember", path)[1][0]
    assert len(memory.kept) == 2
    second, _ = memory.kept[f"{path}//2"]
    assert second.metadata["begins"] == len(memory.kept[path][1])
    code, (gone,) = batos("forget", path)
    assert (code, gone["chunks"], memory.kept) == (0, made["documents"][0]["chunks"], {})
    assert [request.doc_id for verb, request in memory.asked if verb == "unindex"] == [f"{path}//2", path]
    batos("remember", path)
    assert batos("forget", f"{path}//2")[1] == [gone], "whoever names a part means the document"
    assert memory.kept == {}


def test_what_is_there_is_listed(memory, birds, batos, told):
    code, (found,) = batos("documents", "--match", "*.txt")
    assert (code, [one["doc_id"] for one in found["documents"]]) == (0, [birds["a.txt"], birds["sub/c.txt"]])
    one = found["documents"][0]
    assert (one["source"], one["kind"], one["format"], one["chunks"]) == (birds["a.txt"], "document", "text", 1)
    assert len(batos("documents")[1][0]["documents"]) == 4
    code, out, _ = told("documents")
    lines = out.splitlines()
    assert lines[-1] == "4 documents, 4 passages"
    assert lines[-2].strip() == f"from {birds['a.txt']}"
    assert lines[-3].endswith("text           1  wings")
    assert told("documents", "--match", "x*")[1].startswith("nothing like that is remembered")


def test_what_the_mind_has_left_is_counted_and_shown_where_it_is_wanted(memory, birds, batos, told):
    source = "def up_(self):\n    return self.n + 1 + 1 + 1 + 1\n"
    memory.index(Index(doc_id="method:1:up_", text=source, metadata={"kind": "method", "source": source}))
    assert len(batos("documents")[1][0]["documents"]) == 4
    assert told("documents")[1].splitlines()[-1] == "the mind has left 1 document of its own: --all"
    lines = told("documents", "--all")[1].splitlines()
    assert lines[-1] == "5 documents, 5 passages"
    assert any(line.strip() == "from def up_(self): …" for line in lines)
    assert len(batos("documents", "--all")[1][0]["documents"]) == 5
    assert len(batos("documents", "--match", "method:*")[1][0]["documents"]) == 1


def test_a_person_is_told_what_stays_in_the_history(memory, birds, told):
    stays = [
        "what came of it is not known while the orchestrator is away",
        "The world's history has it: `batos pack --purge` takes it out of that too.",
    ]
    assert told("forget", "wings")[1].splitlines() == ["wings is forgotten, 1 passage", *stays]
    assert told("forget", "*")[1].splitlines()[-3:] == ["3 documents, 3 passages: forgotten", *stays]


def test_what_somebody_else_has_forgotten_is_no_error(memory, birds, batos):
    memory.replies["unindex"] = BatosError("UNKNOWN_DOCUMENT", "gone")
    code, (found,) = batos("forget", "*.txt")
    assert (code, len(found["documents"])) == (0, 2)
