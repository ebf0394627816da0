"""One process's line to the broker: a DEALER socket with a thread of its own.

The thread sends the heartbeats and reads the socket, so that a handler that keeps the event loop busy for seconds
does not make its process look dead, and so that any thread may send. What arrives is opened here and handed to the
event loop.

The broker answers each heartbeat with its own, whose `sender` is the broker's boot. A boot that changes means that
the broker has restarted and knows nothing of what was under way; a silence, or the loss of the connection, means that
there is no broker. One that can be reached again hears a heartbeat at once. With ZMQ_IMMEDIATE nothing is queued for a
broker that is not there.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import zmq

from bus.monitor import LOST, MADE, Monitor
from protocol import codec
from protocol.envelope import Envelope, open_frame, seal
from protocol.errors import BatosError

HEARTBEAT_S: Final = 0.5
SILENCE_S: Final = 2.5
"""A peer that was not heard for so long is lost."""
OUTBOX: Final = 10_000
HIGH_WATER: Final = 1000
LINGER_MS: Final = 250

_log = logging.getLogger("bus")  # structlog's own would cost a command a quarter of its start


def sealed(envelope: Envelope) -> bytes:
    """The envelope as a frame that its reader will accept; BAD_VALUE or TOO_LARGE otherwise.

    A frame that the other side refuses is dropped there without an answer, so it is opened here first: an error
    where it was made is worth the microseconds.
    """
    frame = seal(envelope)
    try:
        open_frame(frame)
    except BatosError as error:
        raise BatosError("BAD_VALUE", f"a {envelope.verb} message cannot be sent: {error.message}") from error
    return frame


class Link:
    """Send with `send`, from any thread; `receive` and `broker` are called on the event loop.

    `broker(boot)` tells of a broker that is there (with a new boot where it has restarted), `broker(None)` that it
    is gone or has fallen silent. `service` is the name under which a worker beats, empty for a client.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        service: str,
        sender: str,
        receive: Callable[[Envelope], None],
        broker: Callable[[str | None], None],
    ) -> None:
        self._endpoint = endpoint
        self._beat = seal(Envelope(id="", kind="heartbeat", service=service, sender=sender))
        self._receive = receive
        self._broker = broker
        self._loop = asyncio.get_running_loop()
        self._outbox: deque[bytes] = deque()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._closing = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"bus-{service or 'client'}", daemon=True)
        self._thread.start()

    def send(self, frame: bytes) -> None:
        """Queue one frame, from any thread. BUSY where the broker does not take them; NOT_RUNNING after `close`."""
        if len(self._outbox) >= OUTBOX:
            raise BatosError("BUSY", f"{OUTBOX} messages wait for the broker already", "Try again later.")
        with self._lock:
            if self._closing:
                raise BatosError("NOT_RUNNING", "this connection to the bus is closed")
            self._outbox.append(frame)
            os.eventfd_write(self._wake, 1)

    async def close(self) -> None:
        """Send what is queued, as far as the broker takes it at once, and end the thread."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            os.eventfd_write(self._wake, 1)
        await asyncio.to_thread(self._thread.join)
        os.close(self._wake)

    def _run(self) -> None:
        context = zmq.Context()
        socket = context.socket(zmq.DEALER)
        monitor = Monitor(socket)
        try:
            socket.set(zmq.IMMEDIATE, 1)
            socket.set(zmq.LINGER, LINGER_MS)
            socket.set(zmq.SNDHWM, HIGH_WATER)
            socket.set(zmq.RCVHWM, HIGH_WATER)
            socket.set(zmq.MAXMSGSIZE, codec.MAX_FRAME_BYTES)
            socket.set(zmq.RECONNECT_IVL, 20)
            socket.connect(self._endpoint)
            self._talk(socket, monitor)
        except Exception:  # noqa: BLE001 - a thread has nobody else to tell
            _log.exception("the connection to the bus failed: %s", self._endpoint)
            self._post(self._broker, None)
        finally:
            monitor.close()
            socket.close()
            context.term()

    def _talk(self, socket: zmq.Socket[bytes], monitor: Monitor) -> None:
        poller = zmq.Poller()
        poller.register(self._wake, zmq.POLLIN)
        poller.register(monitor.socket, zmq.POLLIN)
        boot: str | None = None
        now = heard = time.monotonic()
        next_beat = now
        while True:
            closing = self._closing
            blocked = False
            if now >= next_beat:
                blocked = not _sent(socket, self._beat)
                if not blocked:
                    next_beat = now + HEARTBEAT_S
            while self._outbox and not blocked:
                blocked = not _sent(socket, self._outbox[0])
                if not blocked:
                    self._outbox.popleft()
            if closing:
                return
            poller.register(socket, zmq.POLLIN | zmq.POLLOUT if blocked else zmq.POLLIN)
            wait = HEARTBEAT_S if blocked else max(0.0, next_beat - now)
            ready = dict(poller.poll(math.ceil(wait * 1000)))
            before, now = now, time.monotonic()
            if now - before > wait + SILENCE_S / 2:
                heard = now  # this process stood still; the silence was its own
            if self._wake in ready:
                os.eventfd_read(self._wake)
            if ready.get(socket, 0) & zmq.POLLIN:
                heard = now
                boot = self._drain(socket, boot)
            # What a lost broker has said is read before its loss.
            events = monitor.read() if monitor.socket in ready else []
            if MADE in events:
                next_beat = now
            if boot is not None and (LOST in events or now - heard > SILENCE_S):
                boot = None
                self._post(self._broker, None)

    def _drain(self, socket: zmq.Socket[bytes], boot: str | None) -> str | None:
        for _ in range(HIGH_WATER):
            try:
                frames = socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return boot
            try:
                envelope = open_frame(b"".join(frames))
            except BatosError as error:
                _log.warning("a frame from the broker was dropped: %s", error)
                continue
            if envelope.kind == "heartbeat":
                if envelope.sender != boot:
                    boot = envelope.sender
                    self._post(self._broker, boot)
            else:
                self._post(self._receive, envelope)
        return boot

    def _post(self, callback: Callable[..., None], argument: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, argument)
        except RuntimeError:
            # The event loop is closed: nobody is left to be told.
            _log.warning("a message came after the end of its event loop")


def _sent(socket: zmq.Socket[bytes], frame: bytes) -> bool:
    try:
        socket.send(frame, zmq.NOBLOCK)
    except zmq.Again:
        return False
    return True
