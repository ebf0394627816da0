"""Who is next at an object that several want to change.

Mandates are thought through side by side, and whoever publishes first wins. A mandate that has lost once takes a turn at
the objects it has lost at (named by the OIDs of their state), and thinks anew when it is its turn; until it has
published, nobody else publishes a change of them. Turns are dealt in the order in which they were first asked for.

A turn names all its objects at once, and a mandate that needs another one gives its turn up and asks for more of them
under its first number. So who has a turn never waits, and nobody waits in a circle.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import count

Message = tuple[str, str]
"""Target and selector, as the mandate states them."""


@dataclass(slots=True)
class QueuedTurn:
    """A mandate's place in the queue; `given` is set when it is its turn."""

    number: int
    mandate: str
    message: Message
    oids: frozenset[str]
    given: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Intents:
    """All turns of the running mandates, by their number."""

    _turns: list[QueuedTurn] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)

    def number(self) -> int:
        """The next place in the queue."""
        return next(self._numbers)

    async def take(self, turn: QueuedTurn) -> None:
        """Return when it is `turn`'s turn; who is cancelled meanwhile leaves the queue."""
        self._turns.append(turn)
        self._turns.sort(key=lambda one: one.number)
        self._deal()
        try:
            await turn.given.wait()
        except asyncio.CancelledError:
            self._leave(turn)
            raise

    def release(self, mandate: str) -> None:
        """Give up the turn that `mandate` has, if any."""
        for turn in [turn for turn in self._turns if turn.mandate == mandate]:
            self._leave(turn)

    def taken(self, mandate: str) -> frozenset[str]:
        """The objects at which it is another mandate's turn."""
        return frozenset(
            oid for turn in self._turns if turn.given.is_set() and turn.mandate != mandate for oid in turn.oids
        )

    def wanted(self, message: Message) -> frozenset[str]:
        """The objects for which others who have sent the same message stand in the queue now."""
        return frozenset(oid for turn in self._turns if turn.message == message for oid in turn.oids)

    def _leave(self, turn: QueuedTurn) -> None:
        self._turns.remove(turn)
        self._deal()

    def _deal(self) -> None:
        busy: set[str] = {oid for turn in self._turns if turn.given.is_set() for oid in turn.oids}
        for turn in self._turns:
            if turn.given.is_set():
                continue
            if busy.isdisjoint(turn.oids):
                turn.given.set()
            busy |= turn.oids  # nobody overtakes who waits
