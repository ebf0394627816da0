"""The memory actor's shell: verbs in, passages out, and the start.

Its life: 1. it answers `status` at once; 2. it waits for the world, indexes it anew where a newer form of the world
asks for that, and searches what stands there; 3. it loads the model of meaning; 4. it remembers what the outbox holds; 5. it is
ready. Embedding goes on in a thread of its own, a batch at a time, never in a transaction; what is written is written in order.
"""

from __future__ import annotations

import asyncio
import functools
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import structlog

from actors.memory import catalog, comparing, outbox, reindexing, searching
from actors.memory.catalog import KeptDocument
from actors.memory.comparing import Comparing
from actors.memory.documents import listing, moving, owning
from actors.memory.embedding import DEFAULT_MODEL, find_model, identity_of
from actors.memory.index import sources
from actors.memory.index.view import Change, View
from actors.memory.outbox import Entry
from actors.memory.preparing import Prepared, prepared
from bus.life import Actor
from bus.service import Call, Handler, stop_on_signals
from protocol.checks.documents import Document, check, check_id, signed
from protocol.errors import BatosError
from protocol.home import Home
from protocol.home import Memory as Settings
from protocol.messages import (
    CatchUp,
    CaughtUp,
    Documents,
    DocumentsReply,
    Embed,
    Embedded,
    Found,
    Index,
    Indexed,
    IndexProgress,
    Passages,
    PassagesReply,
    Rank,
    Ranked,
    Search,
    Unindex,
    Unindexed,
)
from world import awakening
from world.store import Store, open_store

if TYPE_CHECKING:
    from actors.memory.reader import PassageReader

SWITCHED_S: Final = 0.0005
"""Seconds after which a thread that computes lets another one go on, a tenth of Python's own: a search hands over to torch, numpy
and the storage many times, and beside a large commit it waits so long each time."""

EMBEDDED_AT_ONCE: Final = 64
"""Passages of one transaction that gives them vectors: a second's work."""

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
        self._comparing = Comparing()
        self._model = b""
        self._view: View | None = None
        self._doubts = 0
        """How often the view was thrown away; one that was being read meanwhile is read again."""
        self._past: tuple[bytes, View] | None = None
        self._looking = asyncio.Lock()
        self._embedding: asyncio.Task[None] | None = None

    def handlers(self) -> dict[str, Handler]:
        return {
            "index": self.index,
            "unindex": self.unindex,
            "documents": self.documents,
            "search": self.search,
            "rank": self.rank,
            "embed": self.embed,
            "passages": self.passages,
            "catch_up": self.catch_up,
            "status": self.status,
        }

    async def close(self) -> None:
        if self._embedding is not None:
            self._embedding.cancel()
            await asyncio.gather(self._embedding, return_exceptions=True)
        if self._reader is not None:
            self._reader.close()
        if self._store is not None:
            await asyncio.to_thread(self._store.close)

    async def index(self, request: Index, call: Call) -> Indexed:
        store = self._ready()
        document = check(request.doc_id, request.text, signed(request.metadata, call.envelope.origin))
        check_own = functools.partial(owning.check_own, store.db, call.envelope.origin, document, request.was)
        kept = await store.read(lambda: catalog.known(store.db, document))
        if kept is None:
            await store.read(check_own)
            kept = await self._moved(store, document, request.was, check_own) if request.was else None
        if kept is None:
            pieces = await self._prepared(
                document,
                call.cancelled.is_set,
                lambda done, total: call.partial(IndexProgress(doc_id=document.doc_id, done=done, total=total)),
            )
            async with self._writing:
                if call.cancelled.is_set():
                    raise BatosError("CANCELLED", f"nobody waits for {document.doc_id}; nothing was written")
                await store.run(check_own)  # it may be another one's by now
                kept = await self._keep(store, document, pieces)
            _log.info("indexed", doc_id=document.doc_id, chunks=len(kept.chunks), tid=kept.tid)
        return Indexed(doc_id=document.doc_id, chunks=kept.chunks, tid=kept.tid)

    async def unindex(self, request: Unindex, call: Call) -> Unindexed:
        store = self._ready()
        async with self._writing:
            with self._looked_at_again():
                gone, change = await store.run(lambda: catalog.forget(store.db, request.doc_id, call.envelope.idem))
                await self._follow(change)
            await self._clear(store)
        _log.info("unindexed", doc_id=request.doc_id, chunks=gone.chunks, tid=gone.tid)
        return Unindexed(doc_id=request.doc_id, chunks=gone.chunks, tid=gone.tid)

    async def documents(self, request: Documents, _call: Call) -> DocumentsReply:
        store = self._readable()
        return await store.read(lambda: listing.listed(store.db, request))

    async def search(self, request: Search, _call: Call) -> Found:
        store, settings = self._readable(), self.settings.memory
        searching.check(request)
        began = time.perf_counter()
        view = await self._seen(store, request.at)
        try:
            hits, by = await searching.found(store, view, request, self._reader, settings)
        except BatosError as error:
            if error.code != "EXPIRED" or request.at is not None:
                raise
            # A passage was written on by somebody, and the world packed, since the last change of memory's own.
            self._look_again()
            hits, by = await searching.found(store, await self._seen(store), request, self._reader, settings)
        return Found(hits=hits, seconds=time.perf_counter() - began, by=by)

    async def rank(self, request: Rank, call: Call) -> Ranked:
        self._ready()
        return await self._comparing.rank(self._meaning, request, call.cancelled.is_set)

    async def embed(self, request: Embed, call: Call) -> Embedded:
        self._ready()
        model = self.settings.memory.model or DEFAULT_MODEL
        return await comparing.embed(self._meaning, request, model, call.cancelled.is_set)

    async def passages(self, request: Passages, _call: Call) -> PassagesReply:
        store = self._readable()
        return await store.read(lambda: listing.passages(store.db, request))

    async def catch_up(self, _request: CatchUp, call: Call) -> CaughtUp:
        store = self._ready()
        while not call.cancelled.is_set() and await self._remember_next(store):
            pass
        return CaughtUp(cursor=self._cursor)

    async def _detail(self) -> dict[str, Any]:
        settings = self.settings.memory
        return {
            "model": settings.model or DEFAULT_MODEL,
            "chunking": settings.chunking,
            "cursor": self._cursor,
            "without_vectors": 0 if self._view is None else len(self._view.lacking),
        }

    def _ready(self) -> Store:
        if self._store is None or self.waiting_for:
            raise self._not_ready()
        return self._store

    def _readable(self) -> Store:
        if self._store is None or not self._is_awake:
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
        began = time.monotonic()
        self._is_awake = True
        await self._reindex(store)
        folder = find_model(self.settings.memory.model)
        self._model = await asyncio.to_thread(identity_of, folder)
        self._look_again()
        self.waiting_for = "the model of meaning"
        if self._reader is None:
            self._reader = await asyncio.to_thread(_reader_of, self.settings.memory)
        await self._reader.load()
        self.waiting_for = "the outbox to be remembered"
        self._cursor = await store.run(lambda: outbox.cursor(store.db))
        while await self._remember_next(store):
            pass
        await self._seen(store)
        self._embedding = asyncio.create_task(self._embed(store))
        self.waiting_for = ""
        _log.info("ready", cursor=self._cursor, seconds=round(time.monotonic() - began, 3))

    async def _reindex(self, store: Store) -> None:
        """Bring the documents to the form that they are searched in; nothing is searched or written until all are of it."""
        self.waiting_for = "its index"
        await store.run(lambda: catalog.sweep(store.db))
        wants_okapi = self.settings.memory.index == "okapi"
        for work in (lambda: reindexing.reindex(store.db), lambda: reindexing.fit_okapi(store.db, wants_okapi)):
            while (reached := await store.run(work)) is not None:
                self.waiting_for = f"its index, which has {reached.done:,} of {reached.total:,} documents"
                _log.info("indexing anew", documents=reached.done, of=reached.total)

    async def _seen(self, store: Store, at: str | None = None) -> View:
        """The view of now, or of a moment of the past, of which the last one is kept."""
        if at is not None:
            return await self._seen_at(store, bytes.fromhex(at))
        if self._view is not None:
            return self._view
        async with self._looking:
            while self._view is None:
                model, doubts = self._model, self._doubts
                view = await store.read(lambda: sources.view_at(store.db, model))  # noqa: B023 - done before the next
                if doubts == self._doubts:
                    self._view = view
            return self._view

    async def _seen_at(self, store: Store, tid: bytes) -> View:
        model, known = self._model, self._past
        self._past = await store.read(lambda: sources.past_view(store.db, model, tid, known))
        return self._past[1]

    def _look_again(self) -> None:
        self._view = None
        self._doubts += 1

    async def _follow(self, *changes: Change | None) -> None:
        """Bring the view forward, in a thread of its own: those who search meanwhile have the one before."""
        async with self._looking:
            # One that is read from the world after the commit has it already.
            new = [
                each for each in changes if each is not None and self._view is not None and each.tid > self._view.tid
            ]
            for change in new:
                assert self._view is not None
                self._view = await asyncio.to_thread(self._view.changed, change)

    @contextmanager
    def _looked_at_again(self) -> Iterator[None]:
        """Whoever fails to write does not know whether it was written: what is searched is then read from the world anew."""
        try:
            yield
        except BaseException:
            self._look_again()
            raise

    async def _prepared(
        self, document: Document, stopped: Callable[[], bool], progress: Callable[[int, int], None] | None = None
    ) -> list[Prepared]:
        reader = self._meaning
        reading = await reader.passages(document.text, stopped, progress, metadata=document.metadata)
        return await asyncio.to_thread(prepared, reading.passages, reading.vectors, self._model)

    async def _keep(
        self, store: Store, document: Document, pieces: list[Prepared], past: int | None = None
    ) -> KeptDocument:
        """Write a document, piece by piece, unless another has written the same meanwhile."""
        if (known := await store.run(lambda: catalog.known(store.db, document))) is not None:
            return known
        with self._looked_at_again():
            for piece in pieces[:-1]:
                await store.run(functools.partial(catalog.bring, store.db, document, piece))
            kept, change = await store.run(lambda: catalog.keep(store.db, document, pieces, past))
            await self._follow(change)
        if change.gone is not None or len(pieces) > 1:
            await self._clear(store)
        return kept

    async def _clear(self, store: Store) -> None:
        """Clear what is forgotten, piece by piece: between two of them, whoever searches has the storage's ear."""
        while await store.run(lambda: catalog.clear_some(store.db)):
            pass

    async def _moved(self, store: Store, document: Document, was: str, own: Callable[[], None]) -> KeptDocument | None:
        """Let what has another id be this document, where it is the same."""
        async with self._writing:
            await store.run(own)
            with self._looked_at_again():
                found = await store.run(lambda: moving.move(store.db, document, was, self._model))
            if found is None:
                return None
            await self._follow(found[1])
        kept = found[0]
        _log.info("moved", doc_id=document.doc_id, was=was, tid=kept.tid)
        return kept

    async def _embed(self, store: Store) -> None:
        """Give their vectors to the documents that have none of this model, while all else goes on."""
        while True:
            try:
                while oids := sorted((await self._seen(store)).lacking):
                    await self._embed_some(store, oids)
            except BatosError as error:
                _log.warning("vectors have to wait", code=error.code, reason=error.message)
                await asyncio.sleep(self.retry_s)
            else:
                return

    async def _embed_some(self, store: Store, oids: list[int]) -> None:
        reader = self._meaning
        found = await store.read(lambda: reindexing.unread(store.db, oids, EMBEDDED_AT_ONCE))
        vectors = await reader.vectors([text for each in found for text in each.texts], lambda: False)
        given, at = [], 0
        for each in found:
            given.append((each, vectors[at : at + len(each.texts)]))
            at += len(each.texts)
        async with self._writing:
            with self._looked_at_again():
                changes = await store.run(lambda: reindexing.give(store.db, given, self._model))
                await self._follow(*changes)
        _log.info("embedded", documents=len(changes), left=len(oids) - len(found))

    async def _remember_next(self, store: Store) -> bool:
        """Remember one line of the outbox; whether there was one. A line that cannot be indexed blocks no other."""
        async with self._writing:
            entry = await store.run(lambda: outbox.next_entry(store.db))
            if entry is None:
                return False
            try:
                await self._remember(store, entry)
            except BatosError as error:
                if not error.is_input:
                    raise
                _log.warning("an entry cannot be indexed", seq=entry.seq, code=error.code, reason=error.message)
                await store.run(lambda: outbox.pass_over(store.db, entry.seq))
            self._cursor = entry.seq
            return True

    async def _remember(self, store: Store, entry: Entry) -> None:
        if entry.is_gone:
            doc_id = check_id(entry.doc_id)
            with self._looked_at_again():
                change = await store.run(lambda: catalog.forget_past(store.db, doc_id, entry.seq))
                await self._follow(change)
            await self._clear(store)
            _log.info("forgotten", seq=entry.seq, doc_id=entry.doc_id)
            return
        document: Document = check(entry.doc_id, entry.text, entry.metadata)
        kept = await store.run(lambda: catalog.known(store.db, document))
        if kept is None:
            pieces = await self._prepared(document, lambda: False)
            kept = await self._keep(store, document, pieces, entry.seq)
        else:
            await store.run(lambda: outbox.pass_over(store.db, entry.seq))
        _log.info("remembered", seq=entry.seq, doc_id=document.doc_id, chunks=len(kept.chunks))


def _reader_of(settings: Settings) -> PassageReader:
    from actors.memory.reader import PassageReader  # noqa: PLC0415 - numpy, which a search does not wait for

    return PassageReader(settings)


async def run(home: Home) -> None:
    """Serve until SIGTERM; NEWER_WORLD where the world is not for this program."""
    sys.setswitchinterval(SWITCHED_S)
    await Memory(home).live(stop_on_signals())
