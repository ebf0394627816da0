"""A question on its way to the mind, as the words of a command state it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from batos.asking import (
    Answer,
    Ask,
    Citation,
    Dropped,
    Facet,
    Manner,
    answer_of,
    question_of,
    within_thread,
)
from cli import wire
from cli.calls.sending import Sending
from protocol.codec import convert
from protocol.home import Home
from protocol.messages import Event, Mandate

__all__ = [
    "Answer",
    "Ask",
    "Asking",
    "Citation",
    "Dropped",
    "Facet",
    "Manner",
    "answer_of",
    "manner",
    "question_of",
    "within_thread",
]


def manner(way: str | None, thread: str | None, *, answers: bool) -> Manner:
    """As the words of the command state it."""
    return convert({"way": way or "auto", "thread": thread, "answers": answers}, Manner)


class Asking:
    """One question of this invocation."""

    def __init__(
        self,
        home: Home,
        question: str,
        *,
        detach: bool,
        key: str | None,
        seconds: float | None,
        manner: Manner = Manner(),  # noqa: B008 - it is frozen
    ) -> None:
        self.thread = manner.thread
        self.sending = Sending(home, question_of(question, manner, detach=detach), key, seconds)

    async def run(self, on_event: Callable[[Event], None]) -> Answer:
        """The answer; raises as `Sending.run`, and METHOD_FAILED where the world's own `ask_` gives something else."""
        began = time.monotonic()
        home, sending = self.sending.home, self.sending
        if self.thread is not None:
            assert isinstance(sending.mandate, Mandate)
            ask = partial(wire.ask, home)
            sending.mandate = await within_thread(ask, sending.mandate, self.thread, sending.key)
        reply = await sending.run(on_event)
        return answer_of(reply, self.thread, time.monotonic() - began, home)
