"""What the orchestrator is asked about reasons, verb by verb."""

from __future__ import annotations

from actors.orchestrator.parts import Parts
from actors.orchestrator.reasons.bisecting import Bisecting
from bus.service import Call, Handler
from protocol.messages import Bisect, Bisected


class ReasonVerbs:
    """Over the parts that answer them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def handlers(self) -> dict[str, Handler]:
        return {"bisect": self.bisect}

    async def bisect(self, request: Bisect, call: Call) -> Bisected:
        parts = self._parts
        wanted = lambda: not call.cancelled.is_set()  # noqa: E731
        return await Bisecting(parts.store, parts.caller, parts.settings, call.partial, wanted).run(request)
