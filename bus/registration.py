"""What a worker says to register, and which of it the broker accepts."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from protocol.codec import convert
from protocol.envelope import Envelope
from protocol.errors import BatosError
from protocol.verbs import VERBS

Admits = Callable[[str, str], bool]
"""Says whether a worker with this token may register this service."""


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """The body of `ready`: how many requests of each verb at once, who it is, and the token that it was given for its service."""

    capacity: int = 1
    pid: int = 0
    token: str = ""


def registration(envelope: Envelope, admits: Admits) -> Ready:
    """The body of a valid `ready`; BAD_MESSAGE for a malformed one, REFUSED where `admits` says no."""
    ready = convert(envelope.body, Ready)
    if envelope.service not in VERBS or envelope.service == "broker" or ready.capacity < 1:
        raise BatosError("BAD_MESSAGE", f"no worker of {envelope.service[:100]!r}, at {ready.capacity}, can be")
    if not admits(ready.token, envelope.service):
        raise BatosError(
            "REFUSED",
            f"who registers {envelope.service} must show the token that the broker gave it",
            "`batos up` starts the actors.",
        )
    return ready
