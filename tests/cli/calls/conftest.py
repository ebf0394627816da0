"""A memory of ours behind a real broker: it keeps what it is told, says what it has, and can be made to fail."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from bus.service import serve
from protocol.checks.documents import check
from protocol.errors import BatosError
from protocol.messages import (
    ActorStatus,
    Documents,
    DocumentsReply,
    DocumentView,
    Indexed,
    IndexProgress,
    Unindexed,
)

OID, TID = "000000000000002a", "03f1000000000001"


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


class Shelf:
    """`kept` has the documents by id; `asked` every request but for lists, in order.

    `replies` says by verb what is answered instead: a reply, an error, or a function of the request; None is no answer of its own.
    """

    def __init__(self):
        self.kept = {}
        self.asked = []
        self.replies = {}
        self.at_once = self.most_at_once = 0
        self.page = 1000

    def index(self, request):
        document = check(request.doc_id, request.text, request.metadata)
        chunks = [OID] * (1 + request.text.count("\n\n"))
        before = self.kept.pop(request.was, None) or self.kept.get(request.doc_id)
        tid = None if before is not None and before[0].sha256 == document.sha256 else TID
        view = DocumentView(
            doc_id=request.doc_id,
            chunks=len(chunks),
            created=time.time(),
            sha256=document.sha256,
            metadata=request.metadata,
        )
        self.kept[request.doc_id] = view, request.text
        return Indexed(doc_id=request.doc_id, chunks=chunks, tid=tid)

    def unindex(self, request):
        if request.doc_id not in self.kept:
            return BatosError("UNKNOWN_DOCUMENT", f"no document is called {request.doc_id!r}")
        view, _ = self.kept.pop(request.doc_id)
        return Unindexed(doc_id=request.doc_id, chunks=view.chunks, tid=TID)

    def documents(self, request: Documents):
        views = [self.kept[doc_id][0] for doc_id in sorted(self.kept) if doc_id.startswith(request.beginning)]
        views = [view for view in views if request.after is None or view.doc_id > request.after]
        page = views[: min(self.page, request.limit)]
        return DocumentsReply(documents=page, next=page[-1].doc_id if len(views) > len(page) else None)

    async def make(self):
        async def status(_request, _call):
            return ActorStatus(ready=True, pid=1, uptime_s=1.0)

        def answering(verb):
            async def handler(request, call):
                if verb != "documents":
                    self.asked.append((verb, request))
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
                try:
                    if verb == "index":
                        call.partial(IndexProgress(doc_id=request.doc_id, done=3, total=3))
                        await asyncio.sleep(0)
                    reply = self.replies.get(verb)
                    reply = reply(request) if callable(reply) else reply
                    reply = getattr(self, verb)(request) if reply is None else reply
                finally:
                    self.at_once -= 1
                if isinstance(reply, BatosError):
                    raise reply
                return reply

            return handler

        async def close():
            pass

        verbs = ("index", "search", "unindex", "documents", "catch_up")
        return {"status": status, **{verb: answering(verb) for verb in verbs}}, close


@pytest.fixture
def memory(system):
    shelf = Shelf()
    system.start_broker()
    service = Service(system.home, shelf.make)
    service.start()
    yield shelf
    service.stop()


@pytest.fixture
def serve_memory():
    """`Service`, for a test with another memory."""
    return Service


@pytest.fixture
def write(tmp_path):
    def write(name, data):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return str(path)

    return write


@pytest.fixture
def failure():
    """The failure that a command ended with."""

    def failure(lines):
        (line,) = lines
        return line["error"]

    return failure
