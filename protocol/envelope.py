"""The envelope around every message on the bus.

One frozen struct for all traffic: requests and their replies (PARTIAL*, then FINAL or FAILURE), and the three
signals of a worker to its broker (Majordomo 0.2: READY, HEARTBEAT, DISCONNECT).
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from protocol import codec
from protocol.errors import BatosError
from protocol.origin import Origin

VERSION: Final = 1
MAX_KEY: Final = 200
"""Characters of an idempotency key."""

Kind = Literal["request", "partial", "final", "failure", "ready", "heartbeat", "disconnect"]


class Envelope(msgspec.Struct, frozen=True):
    """`id` names one request and all its replies; `deadline` is a moment of the monotonic clock, in seconds
    (0: none). Whoever speaks on the bus runs on one machine and has that clock in common, which no jump of the wall
    clock moves.

    `partials` of a request: whether anybody listens to partial replies. Where nobody does, none is sent.

    `idem` is the idempotency key of the mandate, `causation` the id of what caused this message, `traceparent`
    the W3C trace context. `origin` is who asks, None where that is the user of the home, who may everything. `body` is the verb's typed message as plain data (`protocol.verbs.VERBS`).
    """

    id: str
    kind: Kind
    service: str
    v: int = VERSION
    verb: str = ""
    sender: str = ""
    idem: str = ""
    causation: str = ""
    traceparent: str = ""
    deadline: float = 0.0
    partials: bool = True
    origin: Origin | None = None
    body: Any = None


def check_key(key: str) -> str:
    """`key`, which is empty where none was given; BAD_ARGUMENT where it is too long."""
    if len(key) > MAX_KEY:
        raise BatosError("BAD_ARGUMENT", f"an idempotency key has at most {MAX_KEY} characters")
    return key


def seal(envelope: Envelope, *, limit: int = codec.MAX_FRAME_BYTES) -> bytes:
    """The envelope as one frame; TOO_LARGE before anything is sent."""
    frame = codec.pack(envelope)
    if len(frame) > limit:
        raise BatosError(
            "TOO_LARGE",
            f"a message of {len(frame)} bytes is over the bus limit of {limit}",
            "Send less at once.",
            bytes=len(frame),
            limit=limit,
        )
    return frame


def open_frame(frame: bytes) -> Envelope:
    """The envelope in `frame`; BAD_MESSAGE for what is malformed or of another major version."""
    envelope = codec.unpack(frame, Envelope)
    if envelope.v != VERSION:
        raise BatosError("BAD_MESSAGE", f"protocol version {envelope.v} is not spoken here, only {VERSION}")
    return envelope
