"""What the orchestrator is asked about reasons, verb by verb."""

from __future__ import annotations

from actors.orchestrator.parts import Parts
from actors.orchestrator.reasons.bisecting import Bisecting
from actors.orchestrator.reasons.rethinking import Rethinking
from bus.service import Call, Handler
from protocol.messages import Bisect, Bisected, Replay, Replayed


class ReasonVerbs:
    """Over the parts that answer them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def handlers(self) -> dict[str, Handler]:
        return {"bisect": self.bisect, "replay": self.replay}

    async def bisect(self, request: Bisect, call: Call) -> Bisected:
        parts = self._parts
        wanted = lambda: not call.cancelled.is_set()  # noqa: E731
        return await Bisecting(parts.store, parts.caller, parts.settings, call.partial, wanted).run(request)

    async def replay(self, request: Replay, call: Call) -> Replayed:
        parts = self._parts
        rethinking = Rethinking(parts.store, parts.journal, parts.caller, parts.settings)
        return await rethinking.run(request, call.cancelled)
