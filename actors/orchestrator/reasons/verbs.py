"""What the orchestrator is asked about reasons, verb by verb."""

from __future__ import annotations

from actors.orchestrator.parts import Parts
from actors.orchestrator.reasons.bisecting import Bisecting
from actors.orchestrator.reasons.explaining import Explaining
from actors.orchestrator.reasons.rethinking import Rethinking
from bus.service import Call, Handler
from protocol.messages import Bisect, Bisected, Reasons, Replay, Replayed, Why


class ReasonVerbs:
    """Over the parts that answer them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def handlers(self) -> dict[str, Handler]:
        return {"bisect": self.bisect, "replay": self.replay, "why": self.why}

    async def bisect(self, request: Bisect, call: Call) -> Bisected:
        parts = self._parts
        wanted = lambda: not call.cancelled.is_set()  # noqa: E731
        return await Bisecting(parts.store, parts.caller, parts.settings, call.partial, wanted).run(request)

    async def replay(self, request: Replay, call: Call) -> Replayed:
        return await self._rethinking().run(request, call.cancelled)

    async def why(self, request: Why, _: Call) -> Reasons:
        return await Explaining(self._parts.store, self._parts.journal, self._rethinking()).run(request)

    def _rethinking(self) -> Rethinking:
        parts = self._parts
        return Rethinking(parts.store, parts.journal, parts.caller, parts.settings)
