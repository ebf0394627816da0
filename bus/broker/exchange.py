"""The broker's logic, without a socket: which workers are there, which requests wait, and which are under way.

This is Majordomo 0.2 (https://rfc.zeromq.org/spec/18/) with one frame for each message. Workers say `ready` and `heartbeat`,
a request goes to the least loaded worker of its service, and its replies go back to the client. Nothing is kept on disk: after
a restart the workers register again.

It differs from Majordomo in this:
* A worker takes as many requests of each verb at once as it announced; the rest wait here, in a bounded queue, until
  their deadline. Credit and queue are the verb's own, so that a request waits behind its like alone: seventy mandates
  that wait for somebody leave the way free for a look and for a cancel. `status` neither waits nor counts: whether
  somebody is there must be known at once and under any load.
* `disconnect` with an id is about that one request. From a client: nobody waits for it any more. To a worker: the
  same. From a worker: it is given back untouched.
* `disconnect` without an id ends a client, lets a worker finish without new work, and tells a worker that beats
  without being known to say `ready` again.
* A request whose caller has gone still counts as load until its worker answers: it is still being worked on.
* Only who shows a token becomes a worker (`bus/admission.py`). What a stranger sends is answered at most, never kept.
"""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Final

import msgspec
import structlog

from bus.answer import refusal, reply_to
from bus.broker.expiries import Expiries
from bus.link import HEARTBEAT_S, SILENCE_S, sealed
from bus.process.often import Often
from bus.registration import Admits, registration
from protocol.envelope import Envelope
from protocol.errors import BatosError
from protocol.messages import ActorStatus
from protocol.verbs import VERBS

QUEUE: Final = 1024
QUEUE_BYTES: Final = 64 << 20
MAX_ID: Final = 128  # characters in the id of a request
MAX_STATUS: Final = 256  # questions for its status that a worker has at once
SUSPECT_S: Final = HEARTBEAT_S * 1.5
"""Who was silent for so long is spoken to: sending to a peer that has died fails at once."""
GRACE_S: Final = 0.25
"""A worker that gives up at the deadline has so long to say so itself."""

_log = structlog.get_logger("broker")

Out = tuple[bytes, bytes]
"""A peer and the frame for it."""


class _Worker:
    """`held` are the requests that it has, each with its verb; `load` counts them by verb, against its capacity."""

    __slots__ = ("capacity", "heard", "held", "leaving", "load", "service")

    def __init__(self, service: str, capacity: int, heard: float) -> None:
        self.service = service
        self.capacity = capacity
        self.heard = heard
        self.held: dict[str, str] = {}
        self.load: Counter[str] = Counter()
        self.leaving = False

    def give(self, ident: str, verb: str) -> None:
        self.held[ident] = verb
        self.load[verb] += 1

    def take(self, ident: str) -> None:
        verb = self.held.pop(ident, None)
        if verb is not None:
            self.load[verb] -= 1


class _Client:
    __slots__ = ("heard", "requests")

    def __init__(self, heard: float) -> None:
        self.heard = heard
        self.requests: set[str] = set()


class _Request:
    __slots__ = ("client", "envelope", "expires", "frame", "line", "worker")

    def __init__(self, envelope: Envelope, frame: bytes, client: bytes, expires: float) -> None:
        # The body stays in the frame alone: a queue of large messages must not be held twice.
        self.envelope = msgspec.structs.replace(envelope, body=None)
        self.frame = frame
        self.client: bytes | None = client
        self.expires = expires
        self.worker: bytes | None = None
        self.line = (envelope.service, envelope.verb)  # it waits among requests for the same, and only there


class Exchange:
    """`receive`, `tick`, `speak` and `lost` change the state and give what is to be sent. `now` is monotonic, in seconds."""

    def __init__(self, admits: Admits, *, queue: int = QUEUE, clock: Callable[[], float] = time.monotonic) -> None:
        self._admits = admits
        self.boot = f"broker-{os.urandom(8).hex()}"
        self._limit = queue
        self._clock = clock
        self._started = clock()
        self._beat = sealed(Envelope(id="", kind="heartbeat", service="broker", sender=self.boot))
        self._workers: dict[bytes, _Worker] = {}
        self._clients: dict[bytes, _Client] = {}
        self._requests: dict[str, _Request] = {}
        self._queues: dict[tuple[str, str], deque[str]] = {}
        self._queued_bytes = 0
        self._expiries = Expiries()
        self._ticked: float | None = None
        self._out: list[Out] = []
        self._stray = Often(_log, "a reply that nobody waits for was dropped")
        self._unfit = Often(_log, "a worker that cannot register was refused")

    def receive(self, peer: bytes, frame: bytes, envelope: Envelope, now: float) -> list[Out]:
        """One message from `peer`, as it came and opened."""
        worker = self._workers.get(peer)
        if worker is not None:
            worker.heard = now
        client = self._clients.get(peer)
        if client is not None:
            client.heard = now
        match envelope.kind:
            case "heartbeat":
                self._out.append((peer, self._beat))
                if envelope.service and peer not in self._workers:
                    self._tell(peer, "disconnect", envelope.service)
            case "request":
                self._on_request(peer, frame, envelope, now)
            case "partial" | "final" | "failure":
                self._on_reply(peer, frame, envelope)
            case "ready":
                self._on_ready(peer, envelope, now)
            case "disconnect":
                self._on_disconnect(peer, envelope)
        return self._flush()

    def tick(self, now: float) -> list[Out]:
        """Let time pass: deadlines, suspects, the lost. To be called at least every half a heartbeat."""
        peers: list[tuple[bytes, _Worker | _Client]] = [*self._workers.items(), *self._clients.items()]
        if self._ticked is not None and now - self._ticked > SILENCE_S / 2:
            # The broker itself stood still; what its peers said meanwhile is still on its way.
            for _, known in peers:
                known.heard = now
        self._ticked = now
        self._stray.tick()
        self._unfit.tick()
        while (ident := self._expiries.due(now)) is not None:
            self._expire(ident, now)
        for peer, known in peers:
            silent = now - known.heard
            if silent > SILENCE_S:
                self._lose(peer)
            elif silent > SUSPECT_S:
                self._out.append((peer, self._beat))
        return self._flush()

    def speak(self) -> list[Out]:
        """Somebody's connection was lost. Nobody says whose, so all are spoken to: a frame for who has gone fails."""
        self._out.extend((peer, self._beat) for peer in {**self._workers, **self._clients})
        return self._flush()

    def lost(self, peer: bytes) -> list[Out]:
        """A frame for `peer` could not be delivered: it has gone."""
        self._lose(peer)
        return self._flush()

    def services(self) -> dict[str, int]:
        """The services that are served now, and by how many workers."""
        counted: dict[str, int] = {}
        for worker in self._workers.values():
            if not worker.leaving:
                counted[worker.service] = counted.get(worker.service, 0) + 1
        return counted

    # What peers say ------------------------------------------------------------------------------------------

    def _on_request(self, peer: bytes, frame: bytes, envelope: Envelope, now: float) -> None:
        expires = envelope.deadline or float("inf")
        request = _Request(envelope, frame, peer, expires)
        service = envelope.service
        if service == "broker":
            self._out.append((peer, self._answer_itself(envelope)))
        elif service not in VERBS:
            self._refuse(request, BatosError("UNKNOWN_VERB", f"there is no service {service[:100]!r}"))
        elif not 0 < len(envelope.id) <= MAX_ID or envelope.id in self._requests:
            self._refuse(request, BatosError("BAD_MESSAGE", "the id of a request must be new, and short"))
        elif expires <= now:
            self._refuse(request, BatosError("TIMEOUT", "the deadline had passed when the request arrived"))
        elif envelope.verb not in VERBS[service]:
            # Known here as well: each verb has a queue, and a stranger's word must not make one.
            self._refuse(request, BatosError("UNKNOWN_VERB", f"{service} has no verb {envelope.verb[:100]!r}"))
        elif envelope.verb == "status":
            worker = self._choose(request.line, always=True)
            if worker is None:
                self._refuse(request, _nobody(service))
            elif self._workers[worker].load["status"] >= MAX_STATUS:
                self._refuse(request, BatosError("BUSY", f"too many ask {service} how it is", "Try again later."))
            else:
                self._accept(request, peer, now)
                self._send_to(worker, request)
        else:
            queue = self._queues.setdefault(request.line, deque())
            if len(queue) >= self._limit or (queue and self._queued_bytes + len(frame) > QUEUE_BYTES):
                self._refuse(request, BatosError("BUSY", f"too many requests wait for {service}", "Try again later."))
                return
            self._accept(request, peer, now)
            queue.append(envelope.id)
            self._queued_bytes += len(frame)
            self._dispatch(request.line)

    def _on_reply(self, peer: bytes, frame: bytes, envelope: Envelope) -> None:
        request = self._requests.get(envelope.id)
        if request is None or request.worker != peer:
            self._stray.say(service=envelope.service[:100], request=envelope.id[:MAX_ID])
            return
        if request.client is not None:
            self._out.append((request.client, frame))
        if envelope.kind != "partial":
            self._forget(request)
            self._dispatch(request.line)

    def _on_ready(self, peer: bytes, envelope: Envelope, now: float) -> None:
        try:
            ready = registration(envelope, self._admits)
        except BatosError as error:
            self._unfit.say(service=envelope.service[:100], error=error.message[:500])
            self._out.append((peer, refusal(envelope, error)))
            return
        worker = self._workers.get(peer)
        if worker is not None and worker.service != envelope.service:
            self._lose(peer)
            worker = None
        if worker is None:
            worker = self._workers[peer] = _Worker(envelope.service, ready.capacity, now)
            _log.info("a worker is ready", service=envelope.service, pid=ready.pid, capacity=ready.capacity)
        worker.capacity = ready.capacity
        worker.leaving = False
        for verb in VERBS[worker.service]:
            self._dispatch((worker.service, verb))

    def _on_disconnect(self, peer: bytes, envelope: Envelope) -> None:
        request = self._requests.get(envelope.id)
        worker = self._workers.get(peer)
        if envelope.id:
            if request is not None and request.client == peer:
                self._abandon(request)
            elif request is not None and worker is not None and request.worker == peer:
                self._give_back(request, peer)
        elif worker is not None:
            worker.leaving = True
            if not worker.held:
                del self._workers[peer]
            _log.info("a worker leaves", service=worker.service, unfinished=len(worker.held))
        else:
            self._lose(peer)

    # What follows --------------------------------------------------------------------------------------------

    def _accept(self, request: _Request, peer: bytes, now: float) -> None:
        self._requests[request.envelope.id] = request
        self._clients.setdefault(peer, _Client(now)).requests.add(request.envelope.id)
        self._expiries.add(request.expires, request.envelope.id, self._requests)

    def _dispatch(self, line: tuple[str, str]) -> None:
        queue = self._queues.get(line)
        while queue:
            request = self._requests[queue[0]]
            worker = self._choose(line)
            if worker is None:
                return
            self._unqueue(request)
            self._send_to(worker, request)

    def _choose(self, line: tuple[str, str], *, always: bool = False) -> bytes | None:
        service, verb = line
        best: bytes | None = None
        for peer, worker in self._workers.items():
            if worker.service != service or worker.leaving:
                continue
            room = always or worker.load[verb] < worker.capacity
            if room and (best is None or len(worker.held) < len(self._workers[best].held)):
                best = peer
        return best

    def _send_to(self, peer: bytes, request: _Request) -> None:
        request.worker = peer
        self._workers[peer].give(request.envelope.id, request.envelope.verb)
        self._out.append((peer, request.frame))

    def _unqueue(self, request: _Request) -> None:
        self._queues[request.line].remove(request.envelope.id)
        self._queued_bytes -= len(request.frame)

    def _give_back(self, request: _Request, peer: bytes) -> None:
        self._relieve(peer, request)
        request.worker = None
        if request.client is None:
            self._forget(request)
        elif request.envelope.verb == "status":
            self._refuse(request, _nobody(request.envelope.service))
            self._forget(request)
        else:
            self._queues.setdefault(request.line, deque()).appendleft(request.envelope.id)
            self._queued_bytes += len(request.frame)
            self._dispatch(request.line)

    def _abandon(self, request: _Request) -> None:
        """Nobody waits for `request` any more."""
        if request.worker is None:
            self._unqueue(request)
            self._forget(request)
            return
        self._leave_client(request)
        self._tell(request.worker, "disconnect", request.envelope.service, request.envelope.id)

    def _expire(self, ident: str, now: float) -> None:
        request = self._requests.get(ident)
        if request is None or request.client is None:
            return
        service = request.envelope.service
        if request.worker is not None and request.expires + GRACE_S > now:
            self._expiries.add(request.expires + GRACE_S, ident, self._requests)
            return
        if request.worker is None and service not in self.services():
            self._refuse(request, _nobody(service))
        else:
            self._refuse(request, BatosError("TIMEOUT", f"{service} did not answer by the deadline"))
        self._abandon(request)

    def _lose(self, peer: bytes) -> None:
        worker = self._workers.pop(peer, None)
        if worker is not None:
            _log.warning("a worker was lost", service=worker.service, unfinished=len(worker.held))
            for ident in worker.held:
                request = self._requests[ident]
                died = f"{worker.service} was lost with the request"
                self._refuse(request, BatosError("NOT_READY", died, "It is restarted; try again.", lost=True))
                self._forget(request)
        client = self._clients.get(peer)
        if client is not None:
            for ident in list(client.requests):
                request = self._requests[ident]
                # It may only have stood still: then it learns that its request is gone.
                self._refuse(request, BatosError("NOT_READY", "the caller was silent for too long", lost=True))
                self._abandon(request)

    def _forget(self, request: _Request) -> None:
        del self._requests[request.envelope.id]
        self._leave_client(request)
        if request.worker is not None:
            self._relieve(request.worker, request)

    def _relieve(self, peer: bytes, request: _Request) -> None:
        """The worker has that request no more; one that was leaving may be done."""
        worker = self._workers.get(peer)
        if worker is not None:
            worker.take(request.envelope.id)
            if worker.leaving and not worker.held:
                del self._workers[peer]

    def _leave_client(self, request: _Request) -> None:
        if request.client is None:
            return
        client = self._clients[request.client]
        client.requests.discard(request.envelope.id)
        if not client.requests:
            del self._clients[request.client]
        request.client = None

    # What is said --------------------------------------------------------------------------------------------

    def _answer_itself(self, envelope: Envelope) -> bytes:
        if envelope.verb != "status":
            return refusal(envelope, BatosError("UNKNOWN_VERB", f"broker has no verb {envelope.verb[:100]!r}"))
        detail = {"services": self.services()}
        status = ActorStatus(ready=True, pid=os.getpid(), uptime_s=self._clock() - self._started, detail=detail)
        return sealed(reply_to(envelope, "final", status))

    def _refuse(self, request: _Request, error: BatosError) -> None:
        if request.client is not None:
            self._out.append((request.client, refusal(request.envelope, error)))

    def _tell(self, peer: bytes, kind: str, service: str, request: str = "") -> None:
        envelope = Envelope(id=request, kind=kind, service=service, sender=self.boot)  # type: ignore[arg-type]
        self._out.append((peer, sealed(envelope)))

    def _flush(self) -> list[Out]:
        out, self._out = self._out, []
        return out


def _nobody(service: str) -> BatosError:
    return BatosError("NOT_READY", f"no {service} is ready", "`batos status` says what it waits for.")
