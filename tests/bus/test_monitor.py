"""The loss of a connection is heard as such, before any silence could show it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import zmq

from bus import link
from bus.link import Link
from bus.monitor import LOST, MADE, Monitor
from protocol.envelope import Envelope, open_frame, seal

PATIENCE_S = 20.0


def events(monitor: Monitor, wanted: int) -> None:
    found: list[int] = []
    while wanted not in found:
        assert monitor.socket.poll(PATIENCE_S * 1000)
        found += monitor.read()


def test_a_connection_that_is_made_and_lost_is_told(short_path: Path) -> None:
    endpoint = f"ipc://{short_path}/s"
    with zmq.Context() as context:
        watched = context.socket(zmq.DEALER)
        monitor = Monitor(watched)
        watched.connect(endpoint)
        with context.socket(zmq.ROUTER) as other:
            other.bind(endpoint)
            events(monitor, MADE)
            assert monitor.read() == []
        events(monitor, LOST)
        monitor.close()
        monitor.close()
        watched.close()


class Ends:
    """The broker's end of a link, which answers each heartbeat as the broker of that boot."""

    def __init__(self, context: zmq.Context[Any], endpoint: str, boot: str) -> None:
        self.router = context.socket(zmq.ROUTER)
        self.router.set(zmq.LINGER, 1000)
        self.router.bind(endpoint)
        self.boot = boot

    def answer(self) -> None:
        assert self.router.poll(PATIENCE_S * 1000), "no heartbeat came"
        peer, frame = self.router.recv_multipart()
        assert open_frame(frame).kind == "heartbeat"
        beat = Envelope(id="", kind="heartbeat", service="broker", sender=self.boot)
        self.router.send_multipart([peer, seal(beat)])


async def test_a_link_hears_of_the_brokers_end_and_of_the_next_one_without_waiting(
    short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a heartbeat nor a silence is due within the time of this test."""
    monkeypatch.setattr(link, "HEARTBEAT_S", 1000.0)
    monkeypatch.setattr(link, "SILENCE_S", 1000.0)
    endpoint = f"ipc://{short_path}/s"
    told: asyncio.Queue[str | None] = asyncio.Queue()
    ours = Link(endpoint, service="", sender="test", receive=lambda _: None, broker=told.put_nowait)
    with zmq.Context() as context:
        for boot in ("first", "second"):
            ends = Ends(context, endpoint, boot)
            await asyncio.to_thread(ends.answer)
            assert await asyncio.wait_for(told.get(), PATIENCE_S) == boot
            ends.router.close()
            assert await asyncio.wait_for(told.get(), PATIENCE_S) is None
    await ours.close()
