"""Memory's index: bytes in the world, bytes in memory, and how long a search, a start and a search beside a large write take.

    python -m bench.memory [--commits N] [--passages N] [--searches N] [--json]

Passages are sentences of made-up words of Zipf's frequencies, and their vectors random ones around some hundred centres: none of
that is measured for quality (`bench.retrieval` does that), only for its cost. The storage is a process of its own as ever; memory's actor
runs here, asked through its handlers, so the bus is left out. A search encodes its question with the embedded model and
reads ten passages from the world. Texts are no part of the index: their bytes are told apart.
The peer on the disk is zope.index's Okapi in the same world, as `[memory] index = "okapi"` has it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from ZODB import DB
from ZODB.FileStorage import FileStorage

from actors.memory import catalog, reindexing
from actors.memory.actor import SWITCHED_S, Memory
from actors.memory.embedding import find_model, identity_of
from actors.memory.index import sources
from actors.memory.preparing import Prepared, prepared
from actors.memory.texts.passages import Passage
from bench.claims import Claim, processor, report
from bus.stub import StubBus
from protocol.checks.documents import Document, check
from protocol.home import Home
from protocol.messages import Search, Unindex
from protocol.verbs import VERBS
from world import awakening
from world.memory import Document as Stored
from world.memory import Passage as StoredPassage
from world.store import commit

COMMITS: Final = 2000
PASSAGES: Final = 100_000
SEARCHES: Final = 300
WIDTH: Final = 384
OF_DOCUMENT: Final = 5
"""Passages of a document, of which there are many."""
WORDS: Final = 60
VOCABULARY: Final = 100_000
CENTRES: Final = 200
LARGE: Final = 5000
"""Passages of the document that is written and forgotten beside searches."""
AT_ONCE: Final = 400
"""Documents of a transaction while a world is built for searching."""


class Made(NamedTuple):
    """What passages are made of: the words by their frequency, and the centres of their vectors."""

    words: list[str]
    centres: Any
    random: np.random.Generator

    def texts(self, count: int) -> list[str]:
        numbers = self.random.zipf(1.3, size=(count, WORDS)) % VOCABULARY
        return [" ".join(self.words[number] for number in row) + "." for row in numbers]

    def pieces(self, texts: list[str], model: bytes) -> list[Prepared]:
        rows = self.random.standard_normal((len(texts), WIDTH), dtype=np.float32)
        rows += self.centres[self.random.integers(0, CENTRES, len(texts))]
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return prepared([Passage(text, 0) for text in texts], rows, model)


def made() -> Made:
    """The same words and vectors each time."""
    random = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = ["".join(random.choice(letters, size)) for size in random.integers(3, 10, VOCABULARY)]
    return Made(words, 1.2 * random.standard_normal((CENTRES, WIDTH)).astype(np.float32), random)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.memory")
    parser.add_argument("--commits", type=int, default=COMMITS)
    parser.add_argument("--passages", type=int, default=PASSAGES)
    parser.add_argument("--searches", type=int, default=SEARCHES)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if min(asked.commits, asked.passages // 2, asked.searches) < 1:
        parser.error("at least one commit, two passages and one search")
    sys.setswitchinterval(SWITCHED_S)  # as the actor's own process has it
    source, model = made(), identity_of(find_model(""))
    claims = [*disk(source, model, asked.commits, 1), *disk(source, model, asked.commits, OF_DOCUMENT)]
    with tempfile.TemporaryDirectory(prefix="b-") as folder:
        home = Home(Path(folder)).prepare()
        build(home, source, model, asked.passages // 2)
        claims += asyncio.run(started(home, asked.passages // 2))
        build(home, source, model, asked.passages - asked.passages // 2)
        claims += asyncio.run(searched(home, source, model, asked.searches))
    report("memory", claims, device=processor(), as_json=asked.json)
    return 0 if all(claim.ok for claim in claims) else 1


def disk(source: Made, model: bytes, commits: int, passages: int) -> Iterator[Claim]:
    """Bytes a passage over separate commits of a document each, without the texts, and what indexing costs the processor."""
    ours = _disk(source, model, commits, passages, is_okapi=False)
    okapi = _disk(source, model, max(50, commits // 10), passages, is_okapi=True)
    told = f"{commits} commits, {passages} a document"
    states = (("", ours.before, okapi.before, 4000), ("packed, ", ours.packed, okapi.packed, 1500))
    for state, mine, theirs, most in states:
        yield Claim(
            f"disk a passage, {state}{told}",
            round(mine),
            {"zope.index, a tenth of them": round(theirs), "text beside it": round(ours.text)},
            "bytes",
            f"<= {most}",
            mine <= most,
        )
    yield Claim(
        f"indexing without embedding, {told}",
        round(ours.rate),
        {"zope.index, a tenth of them": round(okapi.rate)},
        "passages a processor second",
        ">= 4000",
        ours.rate >= 4000,
    )


class Disk(NamedTuple):
    """Bytes a passage, and passages a second of this process."""

    before: float
    packed: float
    text: float
    rate: float


def _disk(source: Made, model: bytes, commits: int, passages: int, *, is_okapi: bool) -> Disk:
    with tempfile.TemporaryDirectory(prefix="b-") as folder:
        path = Path(folder) / "world.fs"
        db = DB(FileStorage(str(path)))
        try:
            awakening.awaken(db)
            while reindexing.fit_okapi(db, is_okapi) is not None:
                pass
            empty, texts = path.stat().st_size, 0
            documents = [source.texts(passages) for _ in range(commits)]
            seconds = 0.0
            for number, text in enumerate(documents):
                texts += sum(len(each) for each in text)
                document = _document(number, text)
                vectors = source.random  # drawn before the clock starts
                rows = vectors.standard_normal((passages, WIDTH), dtype=np.float32)
                began = time.process_time()
                pieces = prepared([Passage(each, 0) for each in text], rows, model)
                catalog.keep(db, document, pieces)
                seconds += time.process_time() - began
            before = path.stat().st_size - empty - texts
            db.pack()
            packed = path.stat().st_size - empty - texts
        finally:
            db.close()
    count = commits * passages
    return Disk(before / count, packed / count, texts / count, count / seconds)


def build(home: Home, source: Made, model: bytes, passages: int) -> None:
    """Add documents to the world of a home, many of them in a transaction."""
    db = DB(FileStorage(str(home.database), blob_dir=str(home.blobs)))
    try:
        awakening.awaken(db)
        for begin in range(0, passages // OF_DOCUMENT, AT_ONCE):
            with commit(db, user="bench", description="many") as connection:
                documents: Any = catalog.catalog_of(connection).documents
                first = len(documents)
                for number in range(first, first + min(AT_ONCE, passages // OF_DOCUMENT - begin)):
                    texts = source.texts(OF_DOCUMENT)
                    (piece,) = source.pieces(texts, model)
                    said = _document(number, texts)
                    stored = Stored(said.doc_id, said.sha256, dict(said.metadata), time.time())
                    stored.segment = piece.segment
                    stored.own = tuple(StoredPassage(text, n, stored) for n, text in enumerate(texts))
                    documents[said.doc_id] = stored
    finally:
        db.close()


@contextlib.asynccontextmanager
async def remembering(home: Home) -> AsyncIterator[tuple[Memory, float, float]]:
    """Memory over the storage of `home`, a process of its own; the seconds in which it reads its view, and those of its processor."""
    command = [sys.executable, "-m", "actors.storage", "--home", str(home.root)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as storage:  # noqa: ASYNC220  nobody waits for its start
        memory = Memory(home)
        try:
            await memory.begin()
            store: Any = memory._store  # noqa: SLF001  the actor's own parts are measured
            began, computed = time.perf_counter(), time.process_time()
            await store.read(lambda: sources.view_at(store.db, memory._model))  # noqa: SLF001
            yield memory, time.perf_counter() - began, time.process_time() - computed
        finally:
            await memory.close()
            storage.terminate()


async def started(home: Home, passages: int) -> list[Claim]:
    """What the view costs at a start, and in memory."""
    async with remembering(home) as (memory, seconds, computed):
        view: Any = memory._view  # noqa: SLF001
        held = sum(each.nbytes for each in view.blocks) / view.count
        assert view.count == passages
    told = {"of it memory's processor": round(computed, 2)}
    return [
        Claim(f"start, {passages:,} passages", round(seconds, 2), told, "s", "<= 3", seconds <= 3),
        Claim("memory a passage, its vector of 768 bytes in it", round(held), {}, "bytes", "<= 1500", held <= 1500),
    ]


async def searched(home: Home, source: Made, model: bytes, searches: int) -> list[Claim]:
    """How long a search takes, alone and beside a large write, and a forget."""
    async with remembering(home) as (memory, _, _):
        bus = StubBus({("memory", verb): handler for verb, handler in memory.handlers().items()})
        count = memory._view.count if memory._view else 0  # noqa: SLF001
        questions = [" ".join(text.split()[10:18]) for text in source.texts(searches)]

        async def search(number: int) -> float:
            began = time.perf_counter()
            request = Search(query=questions[number % searches], top_k=10)
            found = await bus.call(VERBS["memory"]["search"], request, seconds=30)
            assert len(found.hits) == 10
            return time.perf_counter() - began

        async def beside(work: Callable[[], Awaitable[Any]]) -> float:
            task = asyncio.ensure_future(work())
            taken, number = [], 0
            while not task.done():
                taken.append(await search(number))
                number += 1
            await task
            return max(taken)

        for number in range(20):
            await search(number)
        began = time.process_time()
        alone = sorted([await search(number) for number in range(searches)])
        computed = (time.process_time() - began) / searches
        reader: Any = memory._reader  # noqa: SLF001
        encoding = []
        for question in questions[:100]:
            began = time.perf_counter()
            await reader.question(question)
            encoding.append(time.perf_counter() - began)
        median, late = statistics.median(alone), alone[int(0.95 * len(alone))]
        texts = source.texts(LARGE)
        document, pieces = _document(-1, texts), source.pieces(texts, model)
        store: Any = memory._store  # noqa: SLF001
        while_written = await beside(lambda: memory._keep(store, document, pieces))  # noqa: SLF001
        gone = Unindex(doc_id=document.doc_id)
        while_forgotten = await beside(lambda: bus.call(VERBS["memory"]["unindex"], gone, seconds=60))
    encoded = {
        "encoding the question alone, p50": round(1000 * statistics.median(encoding), 1),
        "processor time of a search, mean": round(1000 * computed, 1),
    }
    told = {"p50 alone": round(1000 * median, 1), "p95 alone": round(1000 * late, 1)}
    more = [
        (1000 * (slowest - late), what) for slowest, what in ((while_written, "write"), (while_forgotten, "forget"))
    ]
    return [
        Claim(f"search, {count:,} passages, p50", round(1000 * median, 1), encoded, "ms", "<= 20", median <= 0.02),
        Claim(f"search, {count:,} passages, p95", round(1000 * late, 1), encoded, "ms", "<= 40", late <= 0.04),
        *(
            Claim(
                f"the slowest search beside a {what} of {LARGE:,}", round(ms, 1), told, "ms more", "<= 100", ms <= 100
            )
            for ms, what in more
        ),
    ]


def _document(number: int, texts: list[str]) -> Document:
    name = f"/home/somebody/documents/reports/report-{number:06d}.txt"
    return check(name, " ".join(texts), {"source": name, "kind": "document"})


if __name__ == "__main__":
    raise SystemExit(main())
