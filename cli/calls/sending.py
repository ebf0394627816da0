"""A mandate on its way to the orchestrator, and the waiting for its end.

One invocation has one idempotency key. Where the broker or the orchestrator is lost while we wait, the same mandate
goes out again under the same key, and the durable inbox answers it once.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import msgspec

from batos.line import LAST_WORD_S, LOST_S, check_key
from bus.again import Again
from cli import wire
from protocol import verbs
from protocol.errors import BatosError
from protocol.home import Home
from protocol.mandates import MAX_SECONDS
from protocol.messages import Correct, Event, Mandate, MandateReply
from protocol.verbs import Verb

__all__ = ["LAST_WORD_S", "LOST_S", "Sending", "check_key", "patience"]


def patience(seconds: float) -> float:
    """`seconds` if so long can be waited; USAGE otherwise."""
    if not (math.isfinite(seconds) and seconds > 0):
        raise BatosError("USAGE", f"--timeout {seconds} is no time to wait", "Give seconds, more than 0.")
    return seconds


class Sending:
    """One mandate of this invocation, which the `verb` asks for; what is known of it at any moment, for whoever is interrupted.

    `seconds` is how long we wait for it, and how long it may take. None: it takes what the orchestrator gives it, and we wait
    for its end.
    """

    def __init__(
        self,
        home: Home,
        mandate: Mandate | Correct,
        key: str | None,
        seconds: float | None,
        verb: Verb[Any, MandateReply, Event] = verbs.MANDATE,
    ) -> None:
        self.key = check_key(key)
        self.home = home
        self.seconds = MAX_SECONDS if seconds is None else patience(seconds)
        self.once_lost = LOST_S if seconds is None else math.inf
        self._until = time.monotonic() + self.seconds
        given = None if seconds is None else min(self.seconds, MAX_SECONDS)
        self.verb = verb
        self.mandate = msgspec.structs.replace(mandate, seconds=given)
        self.id = ""
        self.cycle = ""
        self.proposal = ""

    async def run(self, on_event: Callable[[Event], None]) -> MandateReply:
        """The reply, however often the system is lost on the way; TIMEOUT when our patience ends first."""
        again = Again(self.seconds + LAST_WORD_S, once_lost=self.once_lost)
        async with wire.client(self.home) as bus:
            await wire.reach(self.home, bus, "orchestrator")

        def note(event: Any) -> None:
            self.id = event.mandate
            self.cycle = event.cycle or self.cycle
            again.back()
            on_event(event)

        while (left := again.left) > 0:
            try:
                async with wire.client(self.home) as bus:
                    return await bus.call(self.verb, self.mandate, seconds=left, idem=self.key, on_partial=note)
            except BatosError as error:
                # A TIMEOUT that does not say `goes_on` is of the bus, which has given up, and not of the mandate.
                is_late = error.code == "TIMEOUT" and "goes_on" not in error.data
                if not is_late and not again.may(error, was_taken=bool(self.id)):
                    raise self._known(error) from error
            await again.rest()
        if again.is_lost and self.once_lost < math.inf:
            raise self.abandoned("TIMEOUT", f"the system was lost, and not there again within {self.once_lost:g} s")
        raise self.abandoned("TIMEOUT", f"no answer within {self.seconds:g} s")

    async def settled(self, reply: MandateReply, on_event: Callable[[Event], None]) -> MandateReply:
        """What becomes of a proposal: the reply once its user has spoken, or `reply` itself where our patience ends first."""
        self.proposal = reply.proposal or ""
        self.seconds = max(LAST_WORD_S, self._until - time.monotonic())
        self.mandate = msgspec.structs.replace(self.mandate, wait=True)
        begun: list[Event] = []

        def note(event: Event) -> None:
            if event.event != "accepted":
                begun.append(event)
            on_event(event)

        try:
            return await self.run(note)
        except BatosError as error:
            if error.code == "TIMEOUT" and error.data.get("goes_on") and not begun:
                return reply
            raise

    def abandoned(self, code: str, why: str) -> BatosError:
        """What to say when we stop waiting: the mandate does not, as far as is known (`goes_on`, else None)."""
        if self.proposal:
            hint = f"See the method: {wire.command(self.home, 'proposals', self.proposal)}"
            return self._known(
                BatosError(code, f"{why}; mandate {self.id} goes on to wait for your word", hint, goes_on=True)
            )
        if self.id:
            look, end = (wire.command(self.home, "cycle", word, self.id) for word in ("show", "cancel"))
            hint = f"See how it ends: {look}. End it: {end}"
            return self._known(BatosError(code, f"{why}; mandate {self.id} goes on", hint, goes_on=True))
        hint = f"It may have been accepted. Ask again under its key, it never runs twice: --key {self.key}"
        return self._known(BatosError(code, f"{why}, and no word that the mandate was accepted", hint, goes_on=None))

    def _known(self, error: BatosError) -> BatosError:
        error = wire.told(self.home, error)
        known = {"key": self.key, "mandate": self.id, "cycle": self.cycle}
        facts = {name: value for name, value in known.items() if value}
        return BatosError(error.code, error.message, error.hint, **{**facts, **error.data})
