"""The actor over a stub bus, with the real model and a world in a file."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace

import pytest

from actors.memory import actor, catalog, reindexing
from actors.memory.index import sources
from actors.memory.reader import PassageReader
from bus.stub import StubBus
from protocol import verbs
from protocol.errors import BatosError
from protocol.messages import CatchUp, Index, IndexProgress, Rank, Search, StatusQuery, Unindex
from protocol.verbs import VERBS
from tests.actors.memory.test_reindexing import older
from world.store import commit

LONG = " ".join(f"Sentence number {n} is about the number {n}." for n in range(100))


def bus_of(memory):
    return StubBus({("memory", verb): handler for verb, handler in memory.handlers().items()})


async def ask(memory, verb, request, **more):
    return await bus_of(memory).call(VERBS["memory"][verb], request, seconds=30, **more)


async def say(memory, outbox, *texts):
    await memory._store.run(lambda: outbox(memory._store.db, *texts))


async def commits(memory):
    log = await memory._store.run(lambda: memory._store.db.storage.undoLog(0, 100))
    return [entry["description"].decode() for entry in log if entry["user_name"].endswith(b"memory")][::-1]


@pytest.mark.model
async def test_a_document_is_remembered_found_and_forgotten(start):
    memory = await start()
    told: list[IndexProgress] = []
    request = Index(doc_id="numbers", text=LONG, metadata={"kind": "document"})
    indexed = await ask(memory, "index", request, on_partial=told.append)
    assert indexed.doc_id == "numbers"
    assert len(indexed.chunks) == len(set(indexed.chunks)) > 1
    assert [each.done for each in told][:7] == [16, 32, 48, 64, 80, 96, 100]
    again = await ask(memory, "index", request)
    assert (again.chunks, again.tid) == (indexed.chunks, None)
    found = await ask(memory, "search", Search(query="Which sentence is number 77?", top_k=1))
    (hit,) = found.hits
    assert "number 77" in hit.text
    assert hit.text in LONG
    assert (hit.doc_id, hit.metadata) == ("numbers", {"kind": "document"})
    assert indexed.chunks[hit.chunk_index] == hit.chunk_oid
    memory = await start()
    assert (await ask(memory, "search", Search(query="number 77"))).hits != []
    gone = await ask(memory, "unindex", Unindex(doc_id="numbers"))
    assert gone.chunks == len(indexed.chunks)
    assert (await ask(memory, "search", Search(query="number 77"))).hits == []
    assert await commits(memory) == ["index numbers", "unindex numbers"]


@pytest.mark.model
async def test_rank_is_the_cosine_of_meanings(start):
    memory = await start()
    query = "How do birds fly?"
    texts = ["Birds fly with their wings.", "Bread is baked in an oven.", query]
    scores = (await ask(memory, "rank", Rank(query=query, texts=texts))).scores
    assert scores[2] == pytest.approx(1.0, abs=1e-4)
    assert 1 >= scores[2] > scores[0] > scores[1] >= -1
    assert (await ask(memory, "rank", Rank(query="", texts=[]))).scores == []


@pytest.mark.model
@pytest.mark.parametrize(
    ("verb", "request_", "code"),
    [
        ("index", Index(doc_id="d", text=" \n"), "BAD_DOCUMENT"),
        ("index", Index(doc_id="d", text="a\0"), "BAD_DOCUMENT"),
        ("index", Index(doc_id="", text="a"), "BAD_DOCUMENT"),
        ("index", Index(doc_id="d", text="a" * ((4 << 20) + 1)), "TOO_LARGE"),
        ("unindex", Unindex(doc_id="d"), "UNKNOWN_DOCUMENT"),
        ("search", Search(query="a", top_k=0), "BAD_ARGUMENT"),
        ("search", Search(query="a", top_k=101), "BAD_ARGUMENT"),
        ("search", Search(query="a" * 65537), "TOO_LARGE"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_changes_nothing(start, verb, request_, code):
    memory = await start()
    with pytest.raises(BatosError) as caught:
        await ask(memory, verb, request_)
    assert caught.value.code == code
    assert await commits(memory) == []


@pytest.mark.model
async def test_what_nobody_waits_for_is_not_written(start):
    memory = await start()
    bus, told = bus_of(memory), []
    calling = asyncio.create_task(
        bus.call(verbs.INDEX, Index(doc_id="d", text=LONG), seconds=30, on_partial=told.append)
    )
    while not told:
        await asyncio.sleep(0.001)
    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)
    await bus.join()
    assert await commits(memory) == []


@pytest.mark.model
async def test_two_at_once_are_both_remembered(start):
    memory = await start()
    texts = {f"d{n}": f"Wings and lift, {n}." for n in range(4)}
    await asyncio.gather(*(ask(memory, "index", Index(doc_id=name, text=text)) for name, text in texts.items()))
    found = await ask(memory, "search", Search(query="wing"))
    assert {hit.doc_id for hit in found.hits} == texts.keys()


@pytest.mark.model
async def test_the_outbox_is_remembered_once_whatever_happens(start, outbox, monkeypatch):
    memory = await start()
    await say(memory, outbox, "first wings", "", "third wings", "fourth wings")
    real = catalog.keep

    def dies(db, document, pieces, past=None):
        if past == 3:
            raise BatosError("STORAGE", "the storage server was killed", lost=True)
        return real(db, document, pieces, past)

    monkeypatch.setattr(catalog, "keep", dies)
    with pytest.raises(BatosError) as caught:
        await ask(memory, "catch_up", CatchUp())
    assert caught.value.code == "STORAGE"
    monkeypatch.undo()
    memory = await start()
    status = await ask(memory, "status", StatusQuery())
    assert (status.ready, status.detail["cursor"]) == (True, 4)
    assert (await ask(memory, "catch_up", CatchUp())).cursor == 4
    found = await ask(memory, "search", Search(query="wings"))
    assert sorted(hit.text for hit in found.hits) == ["first wings", "fourth wings", "third wings"]
    assert await commits(memory) == [
        "outbox 1: index note:1",
        "outbox 2: nothing to index",
        "outbox 3: index note:3",
        "outbox 4: index note:4",
    ]


@pytest.mark.model
async def test_two_that_catch_up_at_once_remember_each_line_once(start, outbox):
    memory = await start()
    await say(memory, outbox, "one", "two", "three")
    replies = await asyncio.gather(*(ask(memory, "catch_up", CatchUp()) for _ in range(3)))
    assert [reply.cursor for reply in replies] == [3, 3, 3]
    assert len(await commits(memory)) == 3


async def test_until_it_is_ready_it_says_what_it_waits_for(start):
    memory = await start(begin=False)
    status = await ask(memory, "status", StatusQuery())
    assert (status.ready, status.waiting_for) == (False, "the storage server")
    for verb, request in [
        ("index", Index(doc_id="d", text="t")),
        ("unindex", Unindex(doc_id="d")),
        ("search", Search(query="q")),
        ("rank", Rank(query="q", texts=[])),
        ("catch_up", CatchUp()),
    ]:
        with pytest.raises(BatosError) as caught:
            await ask(memory, verb, request)
        assert caught.value.code == "NOT_READY"


@pytest.mark.model
async def test_what_was_read_is_found_while_the_model_is_loaded(start, monkeypatch):
    memory = await start()
    await ask(memory, "index", Index(doc_id="d", text="The lantern burns at the gate."))
    memory = await start(begin=False)
    loading, loaded = asyncio.Event(), asyncio.Event()
    load = PassageReader.load

    async def slow(reader):
        loading.set()
        await loaded.wait()
        await load(reader)

    monkeypatch.setattr(PassageReader, "load", slow)
    beginning = asyncio.create_task(memory.begin())
    await loading.wait()
    assert [hit.doc_id for hit in (await ask(memory, "search", Search(query="lantern"))).hits] == ["d"]
    with pytest.raises(BatosError) as caught:
        await ask(memory, "rank", Rank(query="q", texts=["a lantern"]))
    assert caught.value.code == "NOT_READY"
    loaded.set()
    await beginning
    assert len((await ask(memory, "rank", Rank(query="q", texts=["a lantern"]))).scores) == 1


async def test_a_model_that_cannot_be_used_is_named_and_not_waited_for(home, start):
    home.config.write_text(home.config.read_text() + '[memory]\nmodel = "/nowhere"\n')
    memory = await start(begin=False)
    with pytest.raises(BatosError, match="no sentence-transformers model at /nowhere") as caught:
        await memory.begin()
    assert caught.value.code == "BAD_MODEL"


@pytest.mark.model
async def test_an_older_index_is_made_anew_before_anything_else(start, monkeypatch):
    memory = await start()

    def age():
        older(SimpleNamespace(db=memory._store.db), "mail")

    await memory._store.run(age)
    memory = await start(begin=False)
    told, answered = [], []
    real = reindexing.reindex

    def reindex(db):
        told.append(memory.waiting_for)
        return real(db)

    load = PassageReader.load

    async def slow(reader):
        answered.append(await ask(memory, "search", Search(query="email")))
        await load(reader)

    monkeypatch.setattr(reindexing, "reindex", reindex)
    monkeypatch.setattr(PassageReader, "load", slow)
    await memory.begin()
    assert told == ["its index", "its index, which has 1 of 1 documents"]
    assert [(len(found.hits), found.by) for found in answered] == [(1, "words")]
    await memory._embedding
    found = await ask(memory, "search", Search(query="What came by post?"))
    assert (found.by, found.hits[0].doc_id) == ("words and meaning", "mail")
    assert (await ask(memory, "status", StatusQuery())).detail["without_vectors"] == 0


@pytest.mark.model
async def test_what_shares_no_word_is_found_by_its_meaning(start):
    memory = await start()
    await ask(memory, "index", Index(doc_id="leave", text="Parental leave lasts sixteen weeks and is paid in full."))
    await ask(memory, "index", Index(doc_id="bread", text="The dough rests overnight in a cool cellar."))
    found = await ask(memory, "search", Search(query="time off when a baby is born", explain=True))
    assert found.by == "words and meaning"
    assert [hit.doc_id for hit in found.hits] == ["leave"]
    assert found.hits[0].explained.terms == []
    assert found.hits[0].explained.cosine > 0.25


@pytest.mark.model
async def test_a_past_moment_is_searched_as_it_was(start):
    memory = await start()
    first = await ask(memory, "index", Index(doc_id="d", text="The lantern burns at the gate."))
    await ask(memory, "unindex", Unindex(doc_id="d"))
    assert (await ask(memory, "search", Search(query="lantern"))).hits == []
    for _ in range(2):
        found = await ask(memory, "search", Search(query="lantern", at=first.tid))
        assert [hit.text for hit in found.hits] == ["The lantern burns at the gate."]


@pytest.mark.model
async def test_a_moment_yet_to_come_is_that_of_now_each_time(start):
    memory = await start()
    await ask(memory, "index", Index(doc_id="d", text="The lantern burns at the gate."))
    search = Search(query="lantern", at="7f" * 8)
    assert len((await ask(memory, "search", search)).hits) == 1
    await ask(memory, "unindex", Unindex(doc_id="d"))
    assert (await ask(memory, "search", search)).hits == []


@pytest.mark.model
async def test_what_somebody_wrote_on_before_a_pack_is_found(start):
    memory = await start()
    await ask(memory, "index", Index(doc_id="d", text="The lantern burns at the gate."))

    def pack():
        with commit(memory._store.db, user="test", description="a note") as connection:
            connection.root()["knowledge_catalog_obj"].documents["d"].chunks[0].set_slot("note", "mine")
        memory._store.db.pack()

    await memory._store.run(pack)
    assert [hit.doc_id for hit in (await ask(memory, "search", Search(query="lantern"))).hits] == ["d"]


@pytest.mark.model
async def test_what_was_read_before_the_model_was_known_is_read_again(start, monkeypatch):
    memory = await start()
    await ask(memory, "index", Index(doc_id="d", text="The lantern burns at the gate."))
    memory = await start(begin=False)
    read, known = threading.Event(), threading.Event()
    view_at, identity_of, load = sources.view_at, actor.identity_of, PassageReader.load

    def slow(*arguments):
        view = view_at(*arguments)
        read.set()
        assert known.wait(30)
        return view

    def identity_afterwards(folder):
        assert read.wait(30)
        return identity_of(folder)

    async def loaded(reader):
        known.set()
        await load(reader)

    monkeypatch.setattr(sources, "view_at", slow)
    monkeypatch.setattr(actor, "identity_of", identity_afterwards)
    monkeypatch.setattr(PassageReader, "load", loaded)
    beginning = asyncio.create_task(memory.begin())
    while not memory._is_awake:
        await asyncio.sleep(0.001)
    assert [hit.doc_id for hit in (await ask(memory, "search", Search(query="lantern"))).hits] == ["d"]
    await beginning
    await memory._embedding
    assert await commits(memory) == ["index d"]


@pytest.mark.model
async def test_a_write_of_which_nobody_knows_how_it_ended_is_looked_at_again(start, monkeypatch):
    memory = await start()
    real = catalog.keep

    def landed(db, document, pieces, past=None):
        real(db, document, pieces, past)
        raise BatosError("STORAGE", "the storage server was killed", lost=True)

    monkeypatch.setattr(catalog, "keep", landed)
    with pytest.raises(BatosError, match="killed"):
        await ask(memory, "index", Index(doc_id="d", text="The lantern burns at the gate."))
    monkeypatch.undo()
    assert [hit.doc_id for hit in (await ask(memory, "search", Search(query="lantern"))).hits] == ["d"]
    assert (await ask(memory, "index", Index(doc_id="d", text="The lantern burns at the gate."))).tid is None


@pytest.mark.model
async def test_a_search_waits_for_no_commit(start, monkeypatch):
    memory = await start()
    await ask(memory, "index", Index(doc_id="d", text="The lantern burns at the gate."))
    writing, answered = threading.Event(), threading.Event()
    real = catalog.keep

    def slow(*arguments):
        writing.set()
        assert answered.wait(30)
        return real(*arguments)

    monkeypatch.setattr(catalog, "keep", slow)
    indexing = asyncio.create_task(ask(memory, "index", Index(doc_id="e", text="Another lantern.")))
    await asyncio.to_thread(writing.wait, 30)
    found = await ask(memory, "search", Search(query="lantern"))
    answered.set()
    await indexing
    assert [hit.doc_id for hit in found.hits] == ["d"]
    assert len((await ask(memory, "search", Search(query="lantern"))).hits) == 2
