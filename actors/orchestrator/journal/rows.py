"""What stands in the journal's tables, a struct for each kind of row that is read."""

from __future__ import annotations

import msgspec

from protocol import codec
from protocol.errors import BatosError
from protocol.origin import Origin


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """One send of a method has its answer, of `size` bytes: an entry of the trace."""

    cycle: str | None
    state: str
    path: str
    send: str
    size: int
    tokens: int


class MandateRow(msgspec.Struct, frozen=True):
    """`remaining`: seconds that it still had when it was last heard of. `attempt` counts from 1. `read`: a transaction's id.

    `packed` is its origin as it stands in the journal. `body_sha256` is the digest of a body that is kept no longer, nor is its reply.
    """

    mandate: str
    body: bytes
    accepted: float
    remaining: float
    attempt: int
    state: str
    reply: bytes | None
    cancelled: float | None
    read: str | None
    packed: bytes | None = None
    body_sha256: str | None = None

    @property
    def is_expired(self) -> bool:
        """Whether of its message and of its end only the digests are kept."""
        return self.body_sha256 is not None

    @property
    def origin(self) -> Origin | None:
        """Who has asked for it; None is the user of the home."""
        return None if self.packed is None else codec.unpack(self.packed, Origin)


def expired(mandate: str, what: str, hint: str) -> BatosError:
    """That `what` asks for is gone from the journal, though the mandate itself is known."""
    return BatosError(
        "EXPIRED",
        f"the message and the end of mandate {mandate} are not kept any more, so {what}",
        f"{hint} `keep` in batos.toml says how long they are.",
        mandate=mandate,
    )


class CycleRow(msgspec.Struct, frozen=True):
    cycle: str
    mandate: str
    target: str
    selector: str
    state: str
    error: bytes | None
    started: float
    ended: float | None


class VerdictRow(msgspec.Struct, frozen=True):
    sha256: str
    verdict: str
    problem: str
    source: str
    chosen: bool
    installed: bool
