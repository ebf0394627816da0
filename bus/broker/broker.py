"""The broker: one ROUTER socket, and the exchange behind it.

It runs in one thread and never waits for a peer: who does not take its frames is treated as gone. A frame that is
no message is logged and dropped; it costs nobody else anything.
"""

from __future__ import annotations

import argparse
import math
import os
import signal
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import structlog
import zmq

from bus.admission import Admission
from bus.broker.exchange import Exchange, Out
from bus.link import HEARTBEAT_S, HIGH_WATER, LINGER_MS
from bus.monitor import LOST, Monitor
from bus.process.lock import hold
from bus.process.often import Often
from bus.process.program import ended
from bus.process.pulse import Pulse
from protocol import codec
from protocol.envelope import open_frame
from protocol.errors import BatosError
from protocol.home import find_home

_TICK_S: Final = HEARTBEAT_S / 5
_SOON_S: Final = 0.01
"""After a connection was lost, sending to its peer fails no later than this."""
_BATCH: Final = 200
"""Messages read before time is looked at again."""
_INBOX: Final = 32
"""Messages of one peer that libzmq reads ahead. What is over that waits at the peer, and costs no memory here."""

_log = structlog.get_logger("broker")


class Broker:
    """A broker at `endpoint`; `run` serves until `stop`, which any thread or signal handler may call."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._path = Path(endpoint.removeprefix("ipc://"))
        self._admission = Admission(self._path.parent)
        self._exchange = Exchange(admits=self._admission.admits)
        self._malformed = Often(_log, "a malformed message was dropped")
        self._deaf = Often(_log, "a peer does not take its messages")
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def stop(self) -> None:
        os.eventfd_write(self._wake, 1)

    def run(self) -> None:
        """Serve. HOME_HELD where another broker has the socket; a socket file that nobody holds is replaced."""
        context = zmq.Context()
        router = context.socket(zmq.ROUTER)
        monitor = Monitor(router)
        try:
            # libzmq unlinks whatever stands at the path, so only the lock protects a live broker.
            with hold(self._path.with_suffix(".lock"), "the bus"), self._admission.open():
                router.set(zmq.ROUTER_MANDATORY, 1)
                router.set(zmq.LINGER, LINGER_MS)
                router.set(zmq.SNDHWM, HIGH_WATER)
                router.set(zmq.RCVHWM, _INBOX)
                router.set(zmq.MAXMSGSIZE, codec.MAX_FRAME_BYTES)
                router.bind(self._endpoint)
                _log.info("the broker is up", boot=self._exchange.boot, endpoint=self._endpoint)
                self._serve(router, monitor, Pulse(self._path.parent, "broker"))
                monitor.close()
                router.close()
                self._path.unlink(missing_ok=True)
        finally:
            monitor.close()
            router.close()
            context.term()
            os.close(self._wake)

    def _serve(self, router: zmq.Socket[bytes], monitor: Monitor, pulse: Pulse) -> None:
        poller = zmq.Poller()
        poller.register(router, zmq.POLLIN)
        poller.register(monitor.socket, zmq.POLLIN)
        poller.register(self._wake, zmq.POLLIN)
        next_tick = time.monotonic()
        missing = False
        while True:
            ready = dict(poller.poll(math.ceil(max(0.0, next_tick - time.monotonic()) * 1000)))
            if self._wake in ready:
                pulse.end()
                return
            for _ in range(_BATCH if router in ready else 0):
                try:
                    peer, *frames = router.recv_multipart(zmq.NOBLOCK)
                except zmq.Again:
                    break
                self._take(router, peer, frames)
            now = time.monotonic()
            if monitor.socket in ready and LOST in monitor.read():
                missing, next_tick = True, min(next_tick, now + _SOON_S)
            if now >= next_tick:
                if missing:
                    missing = False
                    self._send(router, self._exchange.speak())
                self._send(router, self._exchange.tick(now))
                self._malformed.tick()
                self._deaf.tick()
                next_tick = now + _TICK_S
                pulse.beat()

    def _take(self, router: zmq.Socket[bytes], peer: bytes, frames: list[bytes]) -> None:
        try:
            if len(frames) != 1:
                raise BatosError("BAD_MESSAGE", f"a message of {len(frames)} frames")  # noqa: TRY301
            envelope = open_frame(frames[0])
        except BatosError as error:
            self._malformed.say(peer=peer.hex(), error=str(error)[:500])
            return
        self._send(router, self._exchange.receive(peer, frames[0], envelope, time.monotonic()))

    def _send(self, router: zmq.Socket[bytes], messages: list[Out]) -> None:
        waiting = deque(messages)
        while waiting:
            peer, frame = waiting.popleft()
            try:
                router.send_multipart([peer, frame], zmq.NOBLOCK)
            except zmq.ZMQError as error:
                if error.errno not in (zmq.EHOSTUNREACH, zmq.EAGAIN):
                    raise
                if error.errno == zmq.EAGAIN:
                    self._deaf.say(peer=peer.hex())
                waiting.extend(self._exchange.lost(peer))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bus.broker", description="The message broker of one home.")
    parser.add_argument("--home", required=True)
    options = parser.parse_args(arguments)
    home = find_home(options.home)

    def work() -> None:
        broker = Broker(home.prepare().bus)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: broker.stop())
        broker.run()

    return ended("broker", home, work)
