"""The broker as a process: one a home, and a clean end."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import Any

import pytest
import zmq

from bus.broker.broker import Broker
from bus.client import Client
from bus.link import sealed
from bus.registration import Ready
from protocol import verbs
from protocol.envelope import Envelope
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import StatusQuery


async def test_a_broker_stops_cleanly_on_sigterm(broker_process: Any) -> None:
    broker_process.process.terminate()
    assert await asyncio.to_thread(broker_process.process.wait) == 0
    assert not (broker_process.home.run / "bus.sock").exists()


def test_a_stale_socket_is_replaced_and_a_live_one_refused(home: Home, broker_process: Any) -> None:
    broker_process.kill()
    assert (home.run / "bus.sock").exists(), "the dead broker's"
    broker_process.start()
    with pytest.raises(BatosError, match=str(broker_process.process.pid)) as caught:
        Broker(home.bus).run()
    assert caught.value.code == "HOME_HELD"
    second = subprocess.run(
        [sys.executable, "-m", "bus.broker", "--home", str(home.root)], capture_output=True, text=True, check=False
    )
    assert second.returncode == 3
    assert "HOME_HELD" in second.stderr
    assert broker_process.process.poll() is None


async def test_a_flood_of_noise_is_a_few_lines_of_the_log(home: Home, broker_process: Any) -> None:
    """Frames that are no messages, and messages of a right form that nobody here may send."""
    strange = [
        sealed(Envelope(id="1", kind="final", service="inference", verb="infer", body={})),
        sealed(Envelope(id="", kind="ready", service="inference", body=Ready(capacity=9))),
        sealed(Envelope(id="", kind="ready", service="nothing", body={"capacity": "many"})),
        sealed(Envelope(id="", kind="heartbeat", service="memory")),
    ]
    with zmq.Context() as context:
        for _ in range(5):
            with context.socket(zmq.DEALER) as peer:
                peer.connect(home.bus)
                for _ in range(300):
                    for frame in (os.urandom(200), b"", *strange):
                        await asyncio.to_thread(peer.send, frame)
    async with Client(home.bus, "test") as client:
        assert (await client.call(verbs.STATUS["broker"], StatusQuery(), seconds=60)).detail == {"services": {}}
    events = [json.loads(line)["event"] for line in broker_process.log.read_text().splitlines()]
    assert len(events) == len(set(events)), "each once"
    assert {"a malformed message was dropped", "a worker that cannot register was refused"} <= set(events)
