"""An awakened world in a file, and the real model, which is small enough to be loaded here."""

from __future__ import annotations

import os

import pytest
from persistent.mapping import PersistentMapping
from ZODB import DB
from ZODB.FileStorage import FileStorage
from ZODB.utils import get_pickle_metadata, u64

from actors.memory import catalog, searching
from actors.memory.actor import Memory
from actors.memory.embedding import Embedder, find_model
from actors.memory.index import sources
from actors.memory.index.packing import unpack, unpack_vectors
from actors.memory.preparing import prepared
from actors.memory.searching import Asked
from actors.memory.texts.passages import Passage
from protocol.checks.documents import check
from protocol.home import Home
from protocol.messages import Search
from world import awakening
from world.store import commit, open_store, snapshot
from world.values import oid_of


@pytest.fixture
def home(short_path):
    """A home whose world is a file, awake."""
    home = Home(short_path / "home").prepare()
    home.config.write_text(f'[storage]\nuri = "file://{home.database}?blobstorage_dir={home.blobs}"\n')
    store = open_store(home.settings(), home, name="test", seconds=1)
    awakening.awaken(store.db)
    store.close()
    return home


@pytest.fixture
async def start(home):
    """Start the actor; stop the one before it, if it runs."""
    running = []

    async def start(*, begin=True):
        while running:
            await running.pop().close()
        memory = Memory(home)
        running.append(memory)
        if begin:
            await memory.begin()
        return memory

    yield start
    for memory in running:
        await memory.close()


@pytest.fixture(autouse=True)
def _threads(monkeypatch):
    """Loading a model says in the environment how many threads it may use; other tests have their own."""
    monkeypatch.setenv("OMP_NUM_THREADS", os.environ.get("OMP_NUM_THREADS", "1"))


MODEL = b"a model!"


class World:
    """A database that can be closed and opened again, and what tests ask of it."""

    def __init__(self, path):
        self.path = path
        self.open()

    def open(self):
        self.db = DB(FileStorage(str(self.path)))

    def reopen(self):
        self.db.close()
        self.open()

    def say(self, *texts, **metadata):
        append(self.db, *texts, **metadata)

    def keep(self, doc_id, *passages, text=None, **metadata):
        document = check(doc_id, text or " ".join(passages), metadata)
        return catalog.known(self.db, document) or self.write(document, passages)

    def write(self, document, passages, past=None):
        made = pieces(passages)
        for piece in made[:-1]:
            catalog.bring(self.db, document, piece)
        kept, _ = catalog.keep(self.db, document, made, past)
        return kept

    def hits(self, query, top_k=10, question=None, **where):
        """Found by words in what the world holds now."""
        search = Search(query=query, top_k=top_k, where=where)
        return searching.find(self.db, sources.view_at(self.db, MODEL), Asked(search, question, 0.5))

    def find(self, query, top_k=10, **where):
        return [(hit.doc_id, hit.text) for hit in self.hits(query, top_k, **where)]

    def documents(self):
        with snapshot(self.db) as connection:
            return list(connection.root()["knowledge_catalog_obj"].documents)

    def commits(self):
        return [entry for entry in self.db.storage.undoLog(0, 100) if entry["user_name"].endswith(b"memory")]


def pieces(passages, vectors=None):
    """Texts as they are kept, with vectors where there are some."""
    return prepared([Passage(text, 0) for text in passages], vectors, b"" if vectors is None else MODEL)


def append(db, *texts, **metadata):
    """Append notes to the outbox, as the orchestrator does."""
    with commit(db, user="orchestrator", description="notes") as connection:
        outbox = connection.root()["outbox"]
        for text in texts:
            seq = (outbox.maxKey() if len(outbox) else 0) + 1
            outbox[seq] = PersistentMapping({"doc_id": f"note:{seq}", "text": text, "metadata": metadata})


@pytest.fixture
def outbox():
    return append


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path / "world.fs")
    awakening.awaken(made.db)
    yield made
    made.db.close()


@pytest.fixture(scope="session")
def embedder():
    """The embedded default model."""
    return Embedder(find_model(""))


def assert_whole(db):
    """Objects, postings and vectors are of the same passages, and no passage stands in the world that no document has."""
    held = {}
    with snapshot(db) as connection:
        for doc_id, document in connection.root()["knowledge_catalog_obj"].documents.items():
            assert document.doc_id == doc_id
            for segment, chunks in document.parts():
                assert (len(unpack(segment.words).lengths) if chunks else 0) == len(chunks)
                assert not segment.vectors or len(unpack_vectors(segment.vectors, len(chunks))) == len(chunks)
            for number, chunk in enumerate(document.chunks):
                assert (chunk.doc_id, chunk.chunk_index) == (doc_id, number)
                held[int(oid_of(chunk), 16)] = chunk.text
        slots = connection.root()["knowledge_catalog_obj"]._slots
        if "index" in slots and "indexed_to" not in slots:
            assert set(slots["index"]._docweight) == held.keys()
        at = None
        while True:
            oid, _, data, at = db.storage.record_iternext(at)
            if get_pickle_metadata(data)[1] == "Passage" and u64(oid) not in held:
                assert dict(connection.get(oid)._slots) == {}, "an orphan"
            if at is None:
                break
    view = sources.view_at(db, MODEL)
    assert {view.passage(number) for number in range(view.count)} == held.keys()
    return held
