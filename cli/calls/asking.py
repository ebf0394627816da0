"""A question on its way to the mind: the mandate that asks it, and the answer that comes back.

A question is a message like any other: `ask_`, sent to the mind itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import msgspec

from cli import wire
from cli.calls.sending import Sending
from protocol.codec import Value, convert
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Event, Mandate

MIND: Final = "orchestrator_obj"
MAX_CHARACTERS: Final = 4000


class Facet(msgspec.Struct, frozen=True):
    """A partial answer. `expert` is the expert that spoke for the persona, None its base model."""

    persona: str
    facet: str
    query: str
    answer: str
    expert: str | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What `ask` came to. `bypassed`: so simple a question that no cycle was needed. Detached, it has no answer yet;
    nor where a facet is proposed.
    """

    mandate: str
    cycle: str | None
    state: str
    answer: str | None = None
    facets: list[Facet] = []
    sources: list[dict[str, Any]] = []
    tid: str | None = None
    seconds: float = 0.0
    bypassed: bool = False
    remembered: bool = False
    proposal: str | None = None


class Asking:
    """One question of this invocation."""

    def __init__(self, home: Home, question: str, *, detach: bool, key: str | None, seconds: float | None) -> None:
        if not question.strip():
            raise BatosError("USAGE", "the question is empty", 'Ask something: batos ask "What is known about X?"')
        if any("\ud800" <= letter <= "\udfff" for letter in question):
            raise BatosError("USAGE", "the question is not valid Unicode", "Give it in UTF-8.")
        if len(question) > MAX_CHARACTERS:
            raise BatosError(
                "TOO_LARGE",
                f"a question of {len(question)} characters, the limit is {MAX_CHARACTERS}",
                "Remember the text with `batos remember`, and ask about it.",
            )
        mandate = Mandate(target=MIND, selector="ask_", args=[question], detach=detach)
        self.sending = Sending(home, mandate, key, seconds)

    async def run(self, on_event: Callable[[Event], None]) -> Answer:
        """The answer; raises as `Sending.run`, and METHOD_FAILED where the world's own `ask_` gives something else."""
        began = time.monotonic()
        reply = await self.sending.run(on_event)
        has_answer = reply.state == "COMPLETE"
        facts = {
            "mandate": reply.mandate,
            "cycle": reply.cycle,
            "state": reply.state,
            "tid": reply.tid,
            "seconds": round(time.monotonic() - began, 3),
            "remembered": reply.remembered,
            "proposal": reply.proposal,
        }
        try:
            return convert({**(_found(reply.result) if has_answer else {}), **facts}, Answer)
        except BatosError as error:
            raise BatosError(
                "METHOD_FAILED",
                f"ask_ was answered with what is no answer: {error.message}",
                f"See the method: {wire.command(self.sending.home, 'source', MIND, 'ask_')}",
                mandate=reply.mandate,
            ) from error


def _found(result: Value) -> dict[str, Any]:
    if not isinstance(result, dict) or not isinstance(result.get("answer"), str):
        raise BatosError("BAD_VALUE", 'there is no text called "answer"')
    return result
