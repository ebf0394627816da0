"""How an actor is: the one question that all of them answer."""

from __future__ import annotations

import msgspec

from protocol.codec import Value


class StatusQuery(msgspec.Struct, frozen=True, kw_only=True):
    pass


class ActorStatus(msgspec.Struct, frozen=True, kw_only=True):
    """`waiting_for` says what an actor that is not ready needs. `detail` is the actor's own (values only)."""

    ready: bool
    pid: int
    uptime_s: float
    waiting_for: str = ""
    detail: dict[str, Value] = {}
