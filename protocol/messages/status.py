"""How an actor is: the one question that all of them answer."""

from __future__ import annotations

import msgspec

from protocol.codec import Value


class StatusQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Ask how the actor is. It is answered at once, under any load."""


class ActorStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How an actor is. `waiting_for` says what one that is not ready needs; `detail` has facts of that actor alone."""

    ready: bool
    pid: int
    uptime_s: float
    waiting_for: str = ""
    detail: dict[str, Value] = {}
