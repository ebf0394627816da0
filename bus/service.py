"""A worker's side of the bus: it registers one service and answers its requests.

The life of a service:

1. It connects, asks the broker for a token (`bus/admission.py`), and says `ready` with the token and its capacity for each
   verb. It does so again for each broker that it meets, so that a restarted broker learns of it.
2. Each request becomes a task of the event loop.
3. On `stop` it says `disconnect`. The broker sends it nothing more. Requests that were already on their way are given back
   untouched, and requests under way are finished.
4. What takes longer than the drain time is cancelled and answered with NOT_READY (`lost`).
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import structlog

from bus import admission
from bus.answer import Call, Handler, answer, refusal
from bus.kin import Kin
from bus.link import Link, sealed
from bus.process.pulse import Pulse
from bus.registration import Ready
from protocol.codec import convert
from protocol.envelope import Envelope
from protocol.errors import BatosError
from protocol.failure import Failure, raised_from

__all__ = ["Call", "Handler", "serve", "stop_on_signals"]

_log = structlog.get_logger("bus")


async def serve(
    endpoint: str,
    service: str,
    handlers: Mapping[str, Handler],
    *,
    stop: asyncio.Event,
    capacity: int = 64,
    drain: float = 10.0,
) -> None:
    """Answer the requests for `service`, `capacity` of each verb at once, until `stop`; `drain` is in seconds."""
    worker = _Worker(endpoint, service, handlers, capacity)
    pulse = Pulse(Path(endpoint.removeprefix("ipc://")).parent, service)
    pulse.keep(asyncio.get_running_loop())
    try:
        await stop.wait()
    finally:
        pulse.end()
        await worker.drain(drain)


def stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set; call it inside the event loop of the main thread."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


class _Worker:
    def __init__(self, endpoint: str, service: str, handlers: Mapping[str, Handler], capacity: int) -> None:
        self._service = service
        self._handlers = handlers
        self._capacity = capacity
        self._run = Path(endpoint.removeprefix("ipc://")).parent
        self._kin = Kin(self._run)
        self._joining: asyncio.Task[None] | None = None
        self._refused = ""
        self._calls: dict[str, Call] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining = False
        self._boot: str | None = None
        self._link = Link(endpoint, service=service, sender=service, receive=self._receive, broker=self._on_broker)

    async def drain(self, seconds: float) -> None:
        self._draining = True
        self._signal("disconnect")
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        unfinished = [*self._tasks, *([self._joining] if self._joining is not None else [])]
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        await self._link.close()

    def _on_broker(self, boot: str | None) -> None:
        if self._boot is not None and boot != self._boot:
            self._forget_callers()
        self._boot = boot
        if boot is not None:
            self._join()

    def _receive(self, envelope: Envelope) -> None:
        if envelope.kind == "request" and envelope.service == self._service:
            if self._draining or envelope.id in self._calls:
                self._signal("disconnect", envelope.id)
                return
            task = asyncio.create_task(self._answer(envelope))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif envelope.kind == "disconnect" and envelope.id:
            call = self._calls.get(envelope.id)
            if call is not None:
                call.cancelled.set()
        elif envelope.kind == "disconnect":
            # The broker does not know this worker (any more); whoever it served has been told so.
            self._forget_callers()
            self._join()
        elif envelope.kind == "failure" and not envelope.id:
            self._note_refusal(raised_from(convert(envelope.body, Failure)))
        else:
            _log.warning("an unexpected message was dropped", kind=envelope.kind, about=envelope.service)

    async def _answer(self, request: Envelope) -> None:
        call = self._calls[request.id] = Call(request, self._link.send)
        timer = None
        if request.deadline:
            timer = asyncio.get_running_loop().call_later(max(0.0, call.remaining()), call.cancelled.set)
        try:
            frame = await answer(self._handlers, call)
        except asyncio.CancelledError:
            lost = BatosError("NOT_READY", f"{self._service} stopped before it had an answer", "Try again.", lost=True)
            frame = refusal(request, lost)
        finally:
            del self._calls[request.id]
            if timer is not None:
                timer.cancel()
        self._link.send(frame)

    def _forget_callers(self) -> None:
        for call in self._calls.values():
            call.cancelled.set()

    def _join(self) -> None:
        """Register. Where it fails, the broker answers the next heartbeat of an unknown worker, and it is tried again."""
        if not self._draining and (self._joining is None or self._joining.done()):
            self._joining = asyncio.create_task(self._register())

    async def _register(self) -> None:
        try:
            token = await asyncio.to_thread(admission.ask, self._run, self._kin, self._service)
        except BatosError as error:
            self._note_refusal(error)
            return
        if not self._draining:
            self._refused = ""
            self._signal("ready", body=Ready(capacity=self._capacity, pid=os.getpid(), token=token))

    def _note_refusal(self, error: BatosError) -> None:
        """Said once, though it is tried again and again."""
        if error.message != self._refused:
            self._refused = error.message
            _log.error("not registered", service=self._service, code=error.code, error=error.message, hint=error.hint)

    def _signal(self, kind: str, request: str = "", *, body: Ready | None = None) -> None:
        envelope = Envelope(id=request, kind=kind, service=self._service, sender=self._service, body=body)  # type: ignore[arg-type]
        self._link.send(sealed(envelope))
