"""What the first candidate of a message costs by itself: its request read, and the likeliest row written, with nothing around it.

The request is made by the image's own methods, as plain Python. Its intent begins with a word that no other request has, so
that no more of it is remembered from before than of any new message's.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

import msgspec

from bench.writing.image import cycle
from bench.writing.sampling import Task
from bus.client import Client
from protocol import verbs
from protocol.messages import Infer, Row, Sampling

NARROW_TOKENS: Final = 56
TOKENS: Final = 400


async def seconds_alone(bus: Client, task: Task, form: str) -> float:
    """The seconds of the first candidate's row for `task` in `form`, alone."""
    image = cycle()
    first = task.examples[0]
    message: dict[str, Any] = {
        "selector": task.selector, "parameters": task.parameters, "args": first.args, "kwargs": first.kwargs,
        "slots": task.slots, "examples": msgspec.to_builtins(task.examples), "intent": f"{uuid4().hex[:4]}: {task.intent}",
    }  # fmt: skip
    turns = image._construct_architectural_covenant_prompt(message, form, [])  # noqa: SLF001 - it is the seed's name
    grammar = image.candidate_grammar_(message, 0) if form == "narrow" else image.open_grammar_(message, True)
    row = msgspec.convert(
        {"turns": turns, "grammar": grammar, "max_tokens": NARROW_TOKENS if form == "narrow" else TOKENS}, Row
    )
    request = Infer(rows=[msgspec.structs.replace(row, sampling=Sampling(temperature=0.0))])
    return (await bus.call(verbs.INFER, request, seconds=1200)).seconds
