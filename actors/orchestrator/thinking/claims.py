"""Who is thinking about what: at most one running cycle for a message that an object does not understand.

A second mandate that comes to the same place waits for the first one's end and then thinks anew, in a world that
understands the message by then. Whoever waits has given up its own claims first, so nobody waits in a circle.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from protocol.errors import BatosError


@dataclass(slots=True)
class Claim:
    """A mandate's hold on (object, selector). `ended` comes with the error that ended it, or None."""

    mandate: str
    ended: asyncio.Future[BatosError | None]


class Joined(Exception):  # noqa: N818  no failure: the mandate goes on when the other one has ended
    """Another mandate is about to write the method that this one needs."""

    def __init__(self, selector: str, claim: Claim) -> None:
        super().__init__(selector)
        self.selector = selector
        self.claim = claim


@dataclass(slots=True)
class Claims:
    """All claims of the running mandates."""

    _held: dict[tuple[str, str], Claim] = field(default_factory=dict)

    def take(self, target: str, selector: str, mandate: str) -> None:
        """Claim the message for `mandate`; raises Joined where another one holds it."""
        held = self._held.get((target, selector))
        if held is None:
            ended: asyncio.Future[BatosError | None] = asyncio.get_running_loop().create_future()
            self._held[target, selector] = Claim(mandate, ended)
        elif held.mandate != mandate:
            raise Joined(selector, held)

    def release(self, mandate: str, error: BatosError | None = None) -> None:
        """Let go of all that `mandate` holds, and tell those who wait."""
        for key, claim in list(self._held.items()):
            if claim.mandate == mandate:
                del self._held[key]
                claim.ended.set_result(error)
