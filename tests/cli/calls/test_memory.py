"""`remember`, `search`, `forget`: over a real broker, with a memory of ours behind it or the real one."""

from __future__ import annotations

import asyncio
import io
import os
import sys
import threading

import pytest

from bus.service import serve
from cli.calls import memory as command
from cli.main import main
from cli.render import memory as render_memory
from protocol.errors import BatosError
from protocol.messages import (
    ActorStatus,
    Found,
    Hit,
    Indexed,
    IndexProgress,
    Unindexed,
)

OID, TID = "000000000000002a", "03f1000000000001"
HIT = Hit(chunk_oid=OID, doc_id="a", chunk_index=0, score=1.5, text="a wing\nof it", metadata={"kind": "document"})


class Service:
    """A memory in a thread of its own. `make` gives its handlers, by verb, and is called in its event loop."""

    def __init__(self, home, make):
        self._home, self._make = home, make
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def start(self):
        self._thread.start()
        assert self._up.wait(60)

    def stop(self):
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    async def _serve(self):
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        handlers, close = await self._make()
        self._up.set()
        await serve(self._home.bus, "memory", handlers, stop=self._end, drain=0.0)
        await close()


class Scripted:
    """Answers as `replies` says, by verb: a reply, an error, or a function of the request. `asked`: all requests."""

    def __init__(self):
        self.asked = []
        self.replies = {"index": lambda request: Indexed(doc_id=request.doc_id, chunks=[OID, OID], tid=TID)}

    async def make(self):
        async def status(_request, _call):
            return ActorStatus(ready=True, pid=1, uptime_s=1.0)

        def answering(verb):
            async def handler(request, call):
                self.asked.append((verb, request))
                if verb == "index":
                    call.partial(IndexProgress(doc_id=request.doc_id, done=3, total=3))
                reply = self.replies[verb]
                reply = reply(request) if callable(reply) else reply
                if isinstance(reply, BatosError):
                    raise reply
                return reply

            return handler

        async def close():
            pass

        return {"status": status, **{verb: answering(verb) for verb in ("index", "search", "unindex")}}, close


@pytest.fixture
def memory(system):
    scripted = Scripted()
    system.start_broker()
    service = Service(system.home, scripted.make)
    service.start()
    yield scripted
    service.stop()


@pytest.fixture
def write(tmp_path):
    def write(name, data):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return str(path)

    return write


def stdin(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def failure(lines):
    (line,) = lines
    return line["error"]


def test_remember_names_a_file_by_its_absolute_path(memory, batos, write, monkeypatch, tmp_path):
    first, second = write("a.txt", "\ufeffOne wing."), write("b.txt", "Two wings.")
    monkeypatch.chdir(tmp_path)
    code, lines = batos("remember", "a.txt", f"../{tmp_path.name}/b.txt")
    documents = [{"doc_id": first, "chunks": 2}, {"doc_id": second, "chunks": 2}]
    assert (code, lines) == (0, [{"documents": documents, "tid": TID}])
    (_, one), (_, two) = memory.asked
    assert (one.doc_id, one.text, one.metadata) == (first, "One wing.", {"source": first, "kind": "document"})
    assert two.doc_id == second


def test_remember_can_name_a_document_and_read_standard_input(memory, batos, write, monkeypatch):
    path = write("a.txt", "One wing.")
    assert batos("remember", path, "--id", "wings")[0] == 0
    stdin(monkeypatch, b"From a pipe.")
    assert batos("remember", "-", "--id", "pipe")[0] == 0
    (_, one), (_, two) = memory.asked
    assert (one.doc_id, one.metadata["source"]) == ("wings", path)
    assert (two.doc_id, two.text, two.metadata) == ("pipe", "From a pipe.", {"source": "stdin", "kind": "document"})


def test_remember_says_so_where_nothing_changed(memory, batos, write):
    memory.replies["index"] = lambda request: Indexed(doc_id=request.doc_id, chunks=[OID], tid=None)
    path = write("a.txt", "One wing.")
    assert batos("remember", path) == (0, [{"documents": [{"doc_id": path, "chunks": 1}], "tid": None}])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "BAD_DOCUMENT"),
        (b" \n\t", "BAD_DOCUMENT"),
        (b"\xef\xbb\xbf", "BAD_DOCUMENT"),
        (b"a\0b", "BAD_DOCUMENT"),
        ("text".encode("utf-16"), "BAD_DOCUMENT"),
        (b"\x89PNG\r\n\x1a\n", "BAD_DOCUMENT"),
        (b"a" * ((4 << 20) + 1), "TOO_LARGE"),
    ],
)
def test_a_file_that_is_no_document_stops_all_before_anything_is_sent(memory, batos, write, data, code):
    good, bad = write("good.txt", "A wing."), write("bad", data)
    got, lines = batos("remember", good, bad)
    assert (got, failure(lines)["code"]) == (2, code)
    assert bad in failure(lines)["message"]
    assert failure(lines)["hint"]
    assert memory.asked == []


def test_a_file_that_cannot_be_read_stops_all_before_anything_is_sent(memory, batos, write, tmp_path):
    good = write("good.txt", "A wing.")
    deep = tmp_path / ("d" * 120) / ("e" * 120)
    deep.parent.mkdir()
    deep.write_text("A wing.")
    for bad, code in [("missing.txt", "UNREADABLE"), ("", "UNREADABLE"), (str(deep), "BAD_DOCUMENT")]:
        got, lines = batos("remember", good, bad and str(tmp_path / bad))
        assert (got, failure(lines)["code"]) == (2, code)
    got, lines = batos("remember", good, "/dev/zero")
    assert (got, failure(lines)["code"]) == (2, "TOO_LARGE")
    assert memory.asked == []


def test_a_folder_is_no_file(memory, batos, tmp_path):
    code, lines = batos("remember", str(tmp_path))
    assert (code, failure(lines)["code"]) == (2, "UNREADABLE")
    assert "is a folder" in failure(lines)["message"]


@pytest.mark.parametrize(
    "words", [["remember"], ["remember", "-"], ["remember", "a", "b", "--id", "x"], ["search"], ["forget"]]
)
def test_words_that_make_no_sense_are_a_usage_error(batos, words):
    code, lines = batos(*words)
    assert (code, failure(lines)["code"]) == (2, "USAGE")


@pytest.mark.parametrize("doc_id", ["", "a\nb", "x" * 201])
def test_an_id_must_be_one(batos, write, doc_id):
    code, lines = batos("remember", write("a", "text"), "--id", doc_id)
    assert (code, failure(lines)["code"]) == (2, "BAD_DOCUMENT")


def test_what_went_before_a_failure_is_said(memory, batos, write):
    paths = [write(name, "A wing.") for name in "abc"]

    def fails(request):
        if request.doc_id == paths[1]:
            return BatosError("STORAGE", "the disk is full", "Make room.")
        return Indexed(doc_id=request.doc_id, chunks=[OID], tid=TID)

    memory.replies["index"] = fails
    code, lines = batos("remember", *paths)
    assert (code, failure(lines)["code"], failure(lines)["data"]) == (7, "STORAGE", {"remembered": 1})
    assert "1 of 3 documents" in failure(lines)["hint"]


def test_a_document_is_sent_again_where_memory_was_lost(memory, batos, write):
    replies = [BatosError("NOT_READY", "memory stopped", lost=True), BatosError("NOT_READY", "memory waits")]

    def recovers(request):
        return replies.pop(0) if replies else Indexed(doc_id=request.doc_id, chunks=[OID], tid=TID)

    memory.replies["index"] = recovers
    assert batos("remember", write("a", "A wing."))[0] == 0
    assert len(memory.asked) == 3


def test_a_memory_that_is_not_ready_is_not_waited_for(memory, batos, write):
    memory.replies["index"] = BatosError("NOT_READY", "memory waits for the model")
    code, lines = batos("remember", write("a", "A wing."))
    assert (code, failure(lines)["code"]) == (3, "NOT_READY")


def test_nothing_runs(batos, write):
    for words in (["remember", write("a", "A wing.")], ["search", "wing"], ["forget", "a"]):
        code, lines = batos(*words)
        assert (code, failure(lines)["code"]) == (3, "NOT_RUNNING")


def test_search(memory, batos):
    memory.replies["search"] = Found(hits=[HIT], seconds=0.01)
    code, lines = batos("search", "a wing?", "--top-k", "3")
    hit = {"chunk_oid": OID, "doc_id": "a", "chunk_index": 0, "score": 1.5, "text": "a wing\nof it"}
    hit |= {"start": 0, "context": "", "alike": 0, "before": [], "after": [], "explained": None}
    assert (code, lines) == (0, [{"hits": [{**hit, "metadata": {"kind": "document"}}], "seconds": 0.01, "by": "words"}])
    ((_, asked),) = memory.asked
    assert (asked.query, asked.top_k, asked.where) == ("a wing?", 3, {})
    for top_k in ("0", "101", "x"):
        assert batos("search", "wing", "--top-k", top_k)[0] == 2


def test_a_search_is_narrowed_explained_and_of_a_moment(memory, batos):
    memory.replies["search"] = Found(hits=[HIT], seconds=0.01)
    entries = ["--where", "n=1", "--where", "kind=document", "--where", "who=", "--where", "eq=a=b"]
    times = ["--since", "1970-01-02T00:00+00:00", "--until", "1970-01-03T00:00Z", "--at", TID]
    assert batos("search", "wing", *entries, *times, "--around", "2", "--explain")[0] == 0
    ((_, asked),) = memory.asked
    assert asked.where == {"n": 1, "kind": "document", "who": "", "eq": "a=b"}
    assert (asked.since, asked.until, asked.at, asked.around, asked.explain) == (86400.0, 172800.0, TID, 2, True)
    for wrong in (["--where", "n"], ["--where", "=1"], ["--since", "soon"], ["--at", "soon"], ["--around", "21"]):
        assert batos("search", "wing", *wrong)[0] == 2


def test_forget_takes_a_name_or_a_path(memory, batos, write, monkeypatch, tmp_path):
    path = write("a.txt", "A wing.")
    monkeypatch.chdir(tmp_path)

    def known(request):
        if request.doc_id in ("wings", path):
            return Unindexed(doc_id=request.doc_id, chunks=2, tid=TID)
        return BatosError("UNKNOWN_DOCUMENT", f"no document is called {request.doc_id!r}")

    memory.replies["unindex"] = known
    assert batos("forget", "wings") == (0, [{"doc_id": "wings", "chunks": 2, "tid": TID}])
    assert batos("forget", "a.txt") == (0, [{"doc_id": path, "chunks": 2, "tid": TID}])
    code, lines = batos("forget", "b.txt")
    assert (code, failure(lines)["message"]) == (2, "no document is called 'b.txt'")


def test_a_person_reads_passages_and_nothing_that_a_terminal_would_obey(memory, home, capsys, write):
    memory.replies["search"] = Found(hits=[HIT, Hit(**{**HIT_FIELDS, "text": "\x1b[2J " + "long " * 200})], seconds=0.1)
    assert main(["--home", str(home.root), "search", "wing"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("1. a #0  1.50\n   a wing of it\n2. a #0")
    assert "\x1b" not in out
    assert "…" in out
    memory.replies["search"] = Found(hits=[], seconds=0.1)
    main(["--home", str(home.root), "search", "wing"])
    assert capsys.readouterr().out == "nothing remembered has a word of this\n"
    path = write("a", "A wing.")
    main(["--home", str(home.root), "remember", path])
    told = capsys.readouterr()
    assert told.out == f"{path}  2 passages\n"
    assert told.err == f"  {path}: 3 of 3 sentences\n"


HIT_FIELDS = {field: getattr(HIT, field) for field in HIT.__struct_fields__}


def test_progress_is_a_line_for_each_tenth():
    progress = render_memory.Progress()
    lines = [progress.line(IndexProgress(doc_id="a", done=done, total=1000)) for done in range(1, 1001)]
    assert len([line for line in lines if line]) == 11
    assert progress.line(IndexProgress(doc_id="b", done=1, total=1)) == "  b: 1 of 1 sentences"


def test_all_of_it_was_known_is_said():
    found = command.Memories([command.Remembered("a", 1)], None)
    assert render_memory.remembered(found) == "a  1 passage\nall of it was remembered already"


@pytest.mark.model
def test_the_whole_way_with_the_real_memory(system, batos, write, monkeypatch):
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
    service = Service(home, make)
    service.start()
    path = write("birds.txt", "A wing gives lift to the bird. Feathers keep it warm.")
    code, (made,) = batos("remember", path)
    assert (code, made["documents"][0]["doc_id"]) == (0, path)
    assert batos("remember", path)[1][0] == {**made, "tid": None}
    code, (found,) = batos("search", "What are feathers for?")
    assert (code, found["hits"][0]["doc_id"]) == (0, path)
    assert "Feathers keep it warm." in found["hits"][0]["text"]
    code, (gone,) = batos("forget", path, "--key", "k1")
    assert (code, gone["doc_id"], gone["chunks"]) == (0, path, made["documents"][0]["chunks"])
    assert batos("search", "feathers")[1][0]["hits"] == []
    assert batos("forget", path, "--key", "k1") == (0, [gone]), "the answer may have been lost"
    code, lines = batos("forget", path)
    assert (code, failure(lines)["code"]) == (2, "UNKNOWN_DOCUMENT")
    service.stop()
