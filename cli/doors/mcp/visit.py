"""One call of a tool: what it may ask the system, and what becomes of it where its client stops waiting."""

from __future__ import annotations

from collections.abc import Callable

from batos.line import Line, Sent, within
from protocol.messages import Event, Mandate, MandateReply

Tell = Callable[[str, float | None, float | None], None]
"""Hears in plain words what is done; how much of it, and of how much, where that is known."""


class Visit:
    """`line` asks the system as the client of this door; `tell` has the client hear how far it is."""

    def __init__(self, line: Line, tell: Tell, on_event: Callable[[Event], None]) -> None:
        self.line = line
        self.tell = tell
        self._on_event = on_event
        self._sent: Sent | None = None

    async def mandate(self, mandate: Mandate, key: str | None, seconds: float | None) -> MandateReply:
        """How a mandate ends."""
        self._sent = Sent(self.line, within(mandate, seconds), key, self._on_event)
        return await self._sent.ended()

    async def ends(self, *, is_cancelled: bool) -> None:
        """Its client waits no more. A mandate is cancelled where the client says so, and goes on where it has gone."""
        if self._sent is None:
            return
        if is_cancelled:
            await self._sent.cancel()
        else:
            await self._sent.leave()
