"""How a request becomes its one answer; the same for a real service and for the stub bus.

Here alone stands whether whoever asks may ask that: no service answers what its origin has no right to.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import structlog

from bus.link import sealed
from protocol.checks.rights import check_right
from protocol.codec import convert
from protocol.envelope import Envelope
from protocol.errors import BatosError
from protocol.failure import Failure, failure_of
from protocol.verbs import find_verb

_log = structlog.get_logger("bus")


class Call:
    """One request under way. `cancelled` is set when its deadline has passed or nobody waits for it any more."""

    def __init__(self, envelope: Envelope, send: Callable[[bytes], None]) -> None:
        self.envelope = envelope
        self.cancelled = asyncio.Event()
        self._send = send

    def partial(self, message: msgspec.Struct) -> None:
        """Send one piece of progress, of the type that the verb declares, where anybody listens; from any thread."""
        declared = find_verb(self.envelope.service, self.envelope.verb).partial
        if declared is None or type(message) is not declared:
            raise TypeError(f"{self.envelope.verb} has no partial reply of type {type(message).__name__}")
        if self.envelope.partials:
            self._send(sealed(reply_to(self.envelope, "partial", message)))

    def remaining(self) -> float:
        """Seconds to the deadline, negative after it; infinite without one."""
        return self.envelope.deadline - time.monotonic() if self.envelope.deadline else float("inf")


Handler = Callable[[Any, Call], Awaitable[msgspec.Struct]]


async def answer(handlers: Mapping[str, Handler], call: Call) -> bytes:
    """The frame of the final reply or the failure; it always gives one."""
    request = call.envelope
    try:
        verb = find_verb(request.service, request.verb)
        handler = handlers.get(request.verb)
        if handler is None:
            raise BatosError("UNKNOWN_VERB", f"{request.service} does not serve {request.verb}")  # noqa: TRY301
        body = convert(request.body, verb.request)
        check_right(request.origin, verb, body)
        reply = await handler(body, call)
        if type(reply) is not verb.reply:
            raise TypeError(f"{request.verb} answers {verb.reply.__name__}, not {type(reply).__name__}")  # noqa: TRY301
        return sealed(reply_to(request, "final", reply))
    except BatosError as error:
        return refusal(request, error)
    except Exception as error:  # noqa: BLE001 - whatever a handler raises, its caller gets an answer
        _log.exception("a handler failed", service=request.service, verb=request.verb, request=request.id)
        return refusal(request, BatosError("INTERNAL", f"{type(error).__name__}: {error}", "Its log says more."))


def reply_to(request: Envelope, kind: Any, body: msgspec.Struct) -> Envelope:
    """The envelope of a reply to `request`."""
    return Envelope(
        id=request.id,
        kind=kind,
        service=request.service,
        verb=request.verb,
        sender=request.service,
        causation=request.id,
        traceparent=request.traceparent,
        body=body,
    )


def refusal(request: Envelope, error: BatosError) -> bytes:
    """The frame of a failure; where its data cannot travel, it says so instead of being lost."""
    try:
        return sealed(reply_to(request, "failure", failure_of(error)))
    except BatosError as unsendable:
        message = error.message[:4000].encode(errors="replace").decode()
        data = {"unsendable": unsendable.message[:200]}
        return sealed(reply_to(request, "failure", Failure(error.code, message, "Its log says more.", data)))
