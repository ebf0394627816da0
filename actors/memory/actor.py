"""The memory actor's shell: verbs in, passages out, and the start.

Its life: 1. it answers `status` at once; 2. it waits for the world, indexes it anew where a newer form of the world
asks for that, and searches what stands there; 3. it loads the model of meaning; 4. it remembers what the outbox holds; 5. it is ready. Embedding goes on in a thread of its own, a batch at a
time, and never inside a transaction; what is written is written one after the other.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

import structlog

from actors.memory import catalog, listing
from actors.memory.catalog import Entry, Gone
from bus.life import Actor
from bus.service import Call, Handler, stop_on_signals
from protocol.checks.documents import Document, check, check_id
from protocol.errors import BatosError
from protocol.home import Home
from protocol.home import Memory as Settings
from protocol.messages import (
    CatchUp,
    CaughtUp,
    Documents,
    DocumentsReply,
    Found,
    Index,
    Indexed,
    IndexProgress,
    Rank,
    Ranked,
    Search,
    Unindex,
    Unindexed,
)
from world import awakening
from world.store import Store, open_store

if TYPE_CHECKING:
    from actors.memory.embedding import Vectors
    from actors.memory.reader import PassageReader

MAX_FAMILIAR: Final = 1000
"""Texts whose vectors are kept for the next ranking, the latest."""

_log = structlog.get_logger("memory")


class Memory(Actor):
    """The parts of a running memory actor."""

    service = "memory"

    def __init__(self, home: Home) -> None:
        super().__init__(home, "the storage server")
        self._reader: PassageReader | None = None
        self._store: Store | None = None
        self._is_awake = False
        self._writing = asyncio.Lock()
        self._cursor = 0
        self._familiar: dict[str, Vectors] = {}

    def handlers(self) -> dict[str, Handler]:
        return {
            "index": self.index,
            "unindex": self.unindex,
            "documents": self.documents,
            "search": self.search,
            "rank": self.rank,
            "catch_up": self.catch_up,
            "status": self.status,
        }

    async def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
        if self._store is not None:
            await asyncio.to_thread(self._store.close)

    async def index(self, request: Index, call: Call) -> Indexed:
        store = self._ready()
        document = check(request.doc_id, request.text, request.metadata)
        kept = await store.run(lambda: catalog.known(store.db, document), again=True)
        if kept is None:
            passages = await self._meaning.passages(
                document.text,
                call.cancelled.is_set,
                lambda done, total: call.partial(IndexProgress(doc_id=document.doc_id, done=done, total=total)),
            )
            async with self._writing:
                if call.cancelled.is_set():
                    raise BatosError("CANCELLED", f"nobody waits for {document.doc_id}; nothing was written")
                kept = await store.run(lambda: catalog.keep(store.db, document, passages))
            _log.info("indexed", doc_id=document.doc_id, chunks=len(kept.chunks), tid=kept.tid)
        return Indexed(doc_id=document.doc_id, chunks=kept.chunks, tid=kept.tid)

    async def unindex(self, request: Unindex, call: Call) -> Unindexed:
        store = self._ready()
        async with self._writing:
            gone: Gone = await store.run(lambda: catalog.forget(store.db, request.doc_id, call.envelope.idem))
        _log.info("unindexed", doc_id=request.doc_id, chunks=gone.chunks, tid=gone.tid)
        return Unindexed(doc_id=request.doc_id, chunks=gone.chunks, tid=gone.tid)

    async def documents(self, request: Documents, _call: Call) -> DocumentsReply:
        store = self._store
        if store is None or not self._is_awake:
            raise self._not_ready()
        return await store.run(lambda: listing.listed(store.db, request), again=True)

    async def search(self, request: Search, _call: Call) -> Found:
        if self._store is None or not self._is_awake:
            raise self._not_ready()
        store = self._store  # what has been read is found by its words, and needs no model
        if not 1 <= request.top_k <= catalog.MAX_HITS:
            raise BatosError("BAD_ARGUMENT", f"top_k is {request.top_k}", f"Give 1 to {catalog.MAX_HITS}.")
        if len(request.query) > catalog.MAX_QUERY:
            raise BatosError("TOO_LARGE", f"a query of {len(request.query)} characters", "Ask with fewer words.")
        began = time.perf_counter()
        hits = await store.run(lambda: catalog.find(store.db, request.query, request.top_k, request.where), again=True)
        return Found(hits=hits, seconds=time.perf_counter() - began)

    async def rank(self, request: Rank, call: Call) -> Ranked:
        self._ready()
        texts = [request.query, *request.texts]
        # What is ranked by is often the same (a codex), so its vectors are kept.
        known = {text: self._familiar[text] for text in texts if text in self._familiar}
        new = [text for text in dict.fromkeys(texts) if text not in known]
        known.update(zip(new, await self._meaning.vectors(new, call.cancelled.is_set), strict=True))
        self._familiar = dict([*self._familiar.items(), *known.items()][-MAX_FAMILIAR:])
        query = known[request.query]
        # Of unit vectors the product is the cosine; rounding may carry it past 1.
        return Ranked(scores=[min(1.0, max(-1.0, float(known[text] @ query))) for text in request.texts])

    async def catch_up(self, _request: CatchUp, call: Call) -> CaughtUp:
        store = self._ready()
        while not call.cancelled.is_set() and await self._remember_next(store):
            pass
        return CaughtUp(cursor=self._cursor)

    async def _detail(self) -> dict[str, Any]:
        settings = self.settings.memory
        return {
            "model": settings.model or "all-MiniLM-L6-v2",
            "chunking": settings.chunking,
            "cursor": self._cursor,
        }

    def _ready(self) -> Store:
        if self._store is None or self.waiting_for:
            raise self._not_ready()
        return self._store

    @property
    def _meaning(self) -> PassageReader:
        if self._reader is None:
            raise self._not_ready()
        return self._reader

    async def _step(self) -> None:
        if self._store is None:
            self._store = await asyncio.to_thread(
                open_store, self.settings, self.home, name="memory", seconds=self.retry_s * 4
            )
        store = self._store
        if await store.run(lambda: awakening.schema_version(store.db)) < awakening.CURRENT:
            raise BatosError("NOT_READY", "the world has not awakened yet.", "The orchestrator does that.")
        self._is_awake = True
        began = time.monotonic()
        await self._reindex(store)
        self.waiting_for = "the model of meaning"
        if self._reader is None:
            self._reader = await asyncio.to_thread(_reader_of, self.settings.memory)
        await self._reader.load()
        self.waiting_for = "the outbox to be remembered"
        self._cursor = await store.run(lambda: catalog.cursor(store.db))
        while await self._remember_next(store):
            pass
        self.waiting_for = ""
        _log.info("ready", cursor=self._cursor, seconds=round(time.monotonic() - began, 3))

    async def _reindex(self, store: Store) -> None:
        """Make the index anew where a newer form of the world asks for it; nothing is searched or written until it is whole."""
        self.waiting_for = "its index"
        while (reached := await store.run(lambda: catalog.reindex(store.db))) is not None:
            self.waiting_for = f"its index, which has {reached.done:,} of {reached.total:,} documents"
            _log.info("indexing anew", documents=reached.done, of=reached.total)

    async def _remember_next(self, store: Store) -> bool:
        """Remember one line of the outbox; whether there was one. A line that cannot be indexed blocks no other."""
        async with self._writing:
            entry = await store.run(lambda: catalog.next_entry(store.db))
            if entry is None:
                return False
            try:
                await self._remember(store, entry)
            except BatosError as error:
                if not error.is_input:
                    raise
                _log.warning("an entry cannot be indexed", seq=entry.seq, code=error.code, reason=error.message)
                await store.run(lambda: catalog.follow(store.db, entry.seq, None, []))
            self._cursor = entry.seq
            return True

    async def _remember(self, store: Store, entry: Entry) -> None:
        if entry.is_gone:
            await store.run(lambda: catalog.follow_gone(store.db, entry.seq, check_id(entry.doc_id)))
            _log.info("forgotten", seq=entry.seq, doc_id=entry.doc_id)
            return
        document: Document = check(entry.doc_id, entry.text, entry.metadata)
        known = await store.run(lambda: catalog.known(store.db, document))
        passages = [] if known else await self._meaning.passages(document.text, lambda: False)
        await store.run(lambda: catalog.follow(store.db, entry.seq, document, passages))
        _log.info("remembered", seq=entry.seq, doc_id=document.doc_id, chunks=len(passages))


def _reader_of(settings: Settings) -> PassageReader:
    from actors.memory.reader import PassageReader  # noqa: PLC0415 - numpy, which a search does not wait for

    return PassageReader(settings)


async def run(home: Home) -> None:
    """Serve until SIGTERM; NEWER_WORLD where the world is not for this program."""
    await Memory(home).live(stop_on_signals())
