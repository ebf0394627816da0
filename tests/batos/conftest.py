"""A world behind the client without processes: a house's orchestrator with all its verbs, on the client's own loop."""

from __future__ import annotations

import asyncio
import logging

import pytest
import structlog

from actors.guardian.jail.jail import Jail
from batos import World, line
from batos.loop import background
from bus.stub import StubBus
from protocol.messages import ActorStatus, Found, Hit, Indexed, Unindexed
from tests.actors.orchestrator.conftest import House


class Behind:
    """What a World meets: `house` is the orchestrator's, `bus` answers its verbs, and `remembered` are the documents."""

    def __init__(self, tmp_path):
        self.run = background().run
        self.remembered = {}
        self.run(self._open(tmp_path))

    async def _open(self, tmp_path):
        self.jail = Jail(workers=1)
        await self.jail.start()
        self.house = House(tmp_path, self.jail)
        handlers = {("orchestrator", verb): handler for verb, handler in self.house.handlers().items()}
        self.bus = StubBus(handlers)
        for service in ("orchestrator", "inference", "memory", "guardian", "broker"):
            self.bus.handlers[service, "status"] = lambda _: ActorStatus(ready=True, pid=1, uptime_s=1.0)
        self.bus.handlers["memory", "index"] = self.index
        self.bus.handlers["memory", "search"] = self.search
        self.bus.handlers["memory", "unindex"] = lambda one: Unindexed(
            doc_id=one.doc_id, chunks=len(self.remembered.pop(one.doc_id)), tid="0" * 16
        )

    def index(self, request):
        self.remembered[request.doc_id] = request.text
        return Indexed(doc_id=request.doc_id, chunks=["00"], tid="0" * 16)

    def search(self, request):
        hits = [
            Hit(chunk_oid="0" * 16, doc_id=doc_id, chunk_index=0, score=1.0, text=text, metadata={})
            for doc_id, text in self.remembered.items()
        ]
        return Found(hits=hits[: request.top_k], seconds=0.0)

    async def close(self):
        await self.house.close()
        await self.jail.close()


@pytest.fixture
def behind(tmp_path, monkeypatch):
    made = Behind(tmp_path)

    def bus(self):
        made.bus.origin = self.origin
        return made.bus

    monkeypatch.setattr(line.Line, "_bus", bus)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))  # of the actor in here
    yield made
    structlog.reset_defaults()
    made.run(made.close())


@pytest.fixture
def world(behind):
    with World() as made:
        yield made


@pytest.fixture
def box(world):
    return world.new("box", width=5, height=6)


@pytest.fixture
def played(behind):
    """What the model writes: a list of texts for each round."""
    return behind.house.played


@pytest.fixture
def later(behind):
    """A round that is written once the test says so: `(write, opened)`."""
    opened = asyncio.Event()

    def make(text):
        async def write():
            await opened.wait()
            return [text] * 2

        return write

    return make, lambda: background()._loop.call_soon_threadsafe(opened.set)
