"""The caller's side of the bus: one typed request, its partial replies, its one answer.

Nothing is sent twice by itself. A request goes out only while a broker is known to be there, so a caller who was
told NOT_RUNNING can be sure that nothing of it waits in a queue. When the broker or the worker is lost after that,
the error is NOT_READY with `data["lost"]`: the request may or may not have been carried out.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Protocol, Self, cast

from bus.link import SILENCE_S, Link, sealed
from protocol.codec import convert
from protocol.envelope import Envelope
from protocol.errors import BatosError
from protocol.failure import Failure, raised_from
from protocol.origin import Origin
from protocol.verbs import AnyVerb, Partial, Reply, Request, Verb

GRACE_S: Final = 0.5
"""After the deadline, the broker's word on why it passed is awaited for so long."""


class Caller(Protocol):
    """Who can call a service: the real client, or the stub bus in a test."""

    async def call(
        self,
        verb: Verb[Request, Reply, Partial],
        request: Request,
        *,
        seconds: float,
        idem: str = "",
        causation: str = "",
        on_partial: Callable[[Partial], None] | None = None,
        origin: Origin | None = None,
    ) -> Reply:
        """The typed reply of `verb`; raises BatosError. `origin` is who has caused this, where that is another than the caller."""


class Pending:
    """A request that waits for its reply: what comes for it is checked against its verb."""

    def __init__(self, verb: AnyVerb, on_partial: Callable[[Any], None] | None) -> None:
        self.verb = verb
        self.on_partial = on_partial
        self.reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def take(self, envelope: Envelope) -> None:
        if self.reply.done():
            return
        try:
            if envelope.kind == "partial" and self.verb.partial is not None:
                message = convert(envelope.body, self.verb.partial)
                if self.on_partial is not None:
                    self.on_partial(message)
            elif envelope.kind == "final":
                self.reply.set_result(convert(envelope.body, self.verb.reply))
            elif envelope.kind == "failure":
                self.fail(raised_from(convert(envelope.body, Failure)))
            else:
                self.fail(BatosError("BAD_MESSAGE", f"{envelope.service} sent an unexpected {envelope.kind}"))
        except Exception as error:  # noqa: BLE001 - it is raised again where the call waits
            self.fail(error)

    def fail(self, error: Exception) -> None:
        if not self.reply.done():
            self.reply.set_exception(error)


class Client:
    """A connection to the broker at `endpoint`; made in use, inside an event loop.

    `patience` (seconds) is how long a call waits for a broker to be there before it fails with NOT_RUNNING: an
    actor's must outlast a restart of the broker, a person's need not. `origin` is who asks by this connection, None where that
    is the user of the home.
    """

    def __init__(
        self, endpoint: str, sender: str, *, patience: float = SILENCE_S, origin: Origin | None = None
    ) -> None:
        self._endpoint = endpoint
        self._sender = sender
        self._patience = patience
        self._origin = origin
        self._link: Link | None = None
        self._boot: str | None = None
        self._alive = asyncio.Event()
        self._pending: dict[str, Pending] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def call(
        self,
        verb: Verb[Request, Reply, Partial],
        request: Request,
        *,
        seconds: float,
        idem: str = "",
        causation: str = "",
        on_partial: Callable[[Partial], None] | None = None,
        origin: Origin | None = None,
    ) -> Reply:
        """Ask the verb's service, and return its typed reply. Raises BatosError.

        That is the failure with which the service answered, or one of NOT_RUNNING (no broker), NOT_READY (no worker, or with
        `lost` the worker died on the way), BUSY, TIMEOUT, UNKNOWN_VERB, BAD_VALUE, TOO_LARGE.
        """
        started = time.monotonic()
        envelope = Envelope(
            id=os.urandom(16).hex(),
            kind="request",
            service=verb.service,
            verb=verb.name,
            sender=self._sender,
            idem=idem,
            causation=causation,
            deadline=time.monotonic() + seconds,
            partials=on_partial is not None,
            origin=origin or self._origin,
            body=request,
        )
        frame = sealed(envelope)
        if self._link is None:
            self._link = Link(
                self._endpoint, service="", sender=self._sender, receive=self._receive, broker=self._on_broker
            )
        try:
            await asyncio.wait_for(self._alive.wait(), min(self._patience, seconds))
        except TimeoutError:
            raise BatosError(
                "NOT_RUNNING", "no broker answers on the bus", "Start the system with `batos up`."
            ) from None
        pending = self._pending[envelope.id] = Pending(verb, on_partial)
        try:
            self._link.send(frame)
            left = seconds - (time.monotonic() - started)
            return cast("Reply", await asyncio.wait_for(pending.reply, left + GRACE_S))
        except TimeoutError:
            self._give_up(envelope)
            raise BatosError("TIMEOUT", f"{verb.service} did not answer {verb.name} within {seconds:g} s") from None
        except asyncio.CancelledError:
            self._give_up(envelope)
            raise
        finally:
            del self._pending[envelope.id]

    async def close(self) -> None:
        """Tell the broker, which tells the workers, and let go; calls under way fail with NOT_RUNNING."""
        link, self._link = self._link, None
        self._alive.clear()
        for pending in self._pending.values():
            pending.fail(BatosError("NOT_RUNNING", "this connection to the bus was closed"))
        if link is not None:
            link.send(sealed(Envelope(id="", kind="disconnect", service="", sender=self._sender)))
            await link.close()

    def _receive(self, envelope: Envelope) -> None:
        pending = self._pending.get(envelope.id)
        if pending is not None:
            pending.take(envelope)

    def _on_broker(self, boot: str | None) -> None:
        if self._link is None:
            return
        if self._boot is not None and boot != self._boot:
            for pending in self._pending.values():
                pending.fail(BatosError("NOT_READY", "the broker was lost with the request", "Try again.", lost=True))
        self._boot = boot
        if boot is None:
            self._alive.clear()
        else:
            self._alive.set()

    def _give_up(self, request: Envelope) -> None:
        if self._link is not None:
            self._link.send(sealed(Envelope(id=request.id, kind="disconnect", service="", sender=self._sender)))
