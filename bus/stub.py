"""A bus without sockets, for tests: the real messages, the real checks, no processes.

Every request and reply goes through the real codec and the same validation as in a service, so that what works here
works on the wire. What a handler raises by mistake reaches its caller as INTERNAL, as on the wire, and is kept:
`join` raises it again, so that no test passes over it.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import msgspec

from bus.answer import Call, answer
from bus.client import Pending
from bus.link import sealed
from protocol.envelope import Envelope, open_frame
from protocol.errors import BatosError
from protocol.origin import Origin
from protocol.verbs import AnyVerb, Partial, Reply, Request, Verb

StubHandler = Callable[..., msgspec.Struct | Awaitable[msgspec.Struct]]
"""Takes the request, or the request and its `Call`; may be a coroutine function."""


class StubBus:
    """A `Caller` whose services are the functions in `handlers`, by (service, verb). `calls` keeps what was asked.

    `origin` is as a client's; `origins` keeps that of each call.
    """

    def __init__(
        self, handlers: Mapping[tuple[str, str], StubHandler] | None = None, *, origin: Origin | None = None
    ) -> None:
        self.handlers: dict[tuple[str, str], StubHandler] = dict(handlers or {})
        self.calls: list[tuple[str, str, Any]] = []
        self.origin = origin
        self.origins: list[Origin | None] = []
        self.errors: list[Exception] = []
        self._running: set[asyncio.Task[bytes]] = set()

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
        """As `Client.call`; a service without a handler is one that is not ready."""
        pending = Pending(verb, on_partial)
        sent = sealed(
            Envelope(
                id=os.urandom(16).hex(),
                kind="request",
                service=verb.service,
                verb=verb.name,
                sender="stub",
                idem=idem,
                causation=causation,
                deadline=time.monotonic() + seconds,
                partials=on_partial is not None,
                origin=origin or self.origin,
                body=request,
            )
        )
        handler = self.handlers.get((verb.service, verb.name))
        if handler is None:
            raise BatosError("NOT_READY", f"no {verb.service} is ready")
        call = Call(open_frame(sent), lambda frame: pending.take(open_frame(frame)))
        task = asyncio.create_task(answer({verb.name: self._wrapped(verb, handler)}, call))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        waiting: list[asyncio.Future[Any]] = [task, pending.reply]
        try:
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not task.done():
                call.cancelled.set()
        if task.done():
            pending.take(open_frame(task.result()))
        if not pending.reply.done():
            raise BatosError("TIMEOUT", f"{verb.service} did not answer {verb.name} within {seconds:g} s")
        return cast("Reply", await pending.reply)

    async def join(self, *, fail_fast: bool = True) -> None:
        """Wait until every handler has ended; raise the first unexpected error of one."""
        while self._running:
            await asyncio.wait(self._running)
        if fail_fast and self.errors:
            raise self.errors[0]

    def _wrapped(self, verb: AnyVerb, handler: StubHandler) -> Callable[[Any, Call], Awaitable[msgspec.Struct]]:
        takes_call = len(inspect.signature(handler).parameters) > 1

        async def wrapped(request: Any, call: Call) -> msgspec.Struct:
            self.calls.append((verb.service, verb.name, request))
            self.origins.append(call.envelope.origin)
            try:
                made = handler(request, call) if takes_call else handler(request)
                return await made if inspect.isawaitable(made) else made
            except BatosError:
                raise
            except Exception as error:
                self.errors.append(error)
                raise

        return wrapped
