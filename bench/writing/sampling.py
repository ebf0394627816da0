"""The peer of `bench.synthesis`: plain best-of-N on the same model, through the same inference actor.

It is asked as one would ask an instructed model, with the same facts and the same intent, and answers in a free form: no
grammar but the fence at which its answer ends, no rounds, no feedback. The first sample that passes the examples counts. Its
samples run in the same jail with the static gates off, and the covenant is forgiven them: their body is wrapped so that the
signal follows.
"""

from __future__ import annotations

import time
from itertools import takewhile
from typing import Any, Final

import msgspec

from bus.client import Client
from protocol import verbs
from protocol.codec import Ref
from protocol.examples import compare
from protocol.messages import Example, Infer, Row, Run, Sampling, Turn

NOBODY: Final = Ref("0" * 16)
ROWS: Final = 8
"""Samples in one batch."""
LEAST: Final = 8
MOST: Final = 32
TEMPERATURE: Final = 0.7
TOKENS: Final = 300
FENCED: Final = '%llguidance {}\nstart: body\nbody[stop="```"]: /(.|\\n)*/\n'
"""Any text, up to the end of its block of code."""


class Task(msgspec.Struct, frozen=True):
    id: str
    slots: dict[str, Any]
    selector: str
    parameters: list[str]
    examples: list[Example]
    hidden: list[Example]
    intent: str = ""


class Sampled(msgspec.Struct, frozen=True):
    """Whether the first sample that passed its examples passes the hidden cases, and where it came.

    `row` counts from 1, `tokens` are those drawn up to it; None where no sample passed. `drawn` are all tokens.
    """

    solved: bool
    row: int | None
    tokens: int
    drawn: int
    rows: int
    seconds: float

    def within(self, *, rows: int | None = None, tokens: int | None = None) -> bool:
        """Whether it is solved by so many samples, or by so many tokens."""
        if self.row is None or not self.solved:
            return False
        return (rows is None or self.row <= rows) and (tokens is None or self.tokens <= tokens)


async def sample(bus: Client, task: Task, budget: int) -> Sampled:
    """Samples in order until `budget` tokens are used, at least eight and at most so many."""
    began = time.monotonic()
    drawn = rows = at = 0
    first: int | None = None
    solved = False
    while first is None and rows < MOST and (rows < LEAST or drawn < budget):
        request = Infer(rows=[_row(task, rows + n) for n in range(ROWS)])
        inferred = await bus.call(verbs.INFER, request, seconds=1200)
        for generated in inferred.rows:
            rows += 1
            drawn += generated.tokens
            source = method_in(_head(task), generated.text)
            if first is None and await passes(bus, source, task, task.examples):
                first, at = rows, drawn
                solved = await passes(bus, source, task, task.hidden)
    return Sampled(solved, first, at, drawn, rows, time.monotonic() - began)


async def passes(bus: Client, source: str, task: Task, examples: list[Example]) -> bool:
    """Whether a sample does what the examples ask for; it runs in the jail, past the static gates."""
    for example in examples:
        slots = {**task.slots, **example.slots}
        run = Run(source=source, receiver=NOBODY, slots=slots, args=example.args, kwargs=example.kwargs)
        ran = await bus.call(verbs.RUN, run, seconds=60)
        if not compare(example, slots, ran.outcome).passed:
            return False
    return bool(examples)


def _head(task: Task) -> str:
    return f"def {task.selector}({', '.join(['self', *task.parameters])}):\n"


def _row(task: Task, number: int) -> Row:
    lines = [f"Write the Python method {task.selector} of an object."]
    if task.intent:
        lines.append(f"What it does: {task.intent}")
    if task.slots:
        lines.append("The object has these attributes:")
    lines += [f"self.{slot} = {value!r}" for slot, value in task.slots.items()]
    for example in task.examples:
        before = ", ".join(f"self.{slot} = {value!r}" for slot, value in example.slots.items())
        call = f"{task.selector}({', '.join(map(repr, example.args))})"
        told = [f"returns {example.returns!r}"] if example.returns is not msgspec.UNSET else []
        if isinstance(example.slots_after, dict):
            told.append("sets " + ", ".join(f"self.{slot} = {value!r}" for slot, value in example.slots_after.items()))
        lines.append(f"With {before}, {call} {' and '.join(told)}." if before else f"{call} {' and '.join(told)}.")
    begun = "```python\n" + _head(task)
    turns = [Turn(role="user", content="\n".join(lines)), Turn(role="assistant", content=begun)]
    sampling = Sampling(temperature=TEMPERATURE)
    return Row(turns=turns, sampling=sampling, seed=number, max_tokens=TOKENS, grammar=FENCED)


def method_in(head: str, text: str) -> str:
    """The method that a sample goes on with: its indented lines, without imports, and the signal after them."""
    told = text.split("```", maxsplit=1)[0].lstrip("\n")
    lines = takewhile(lambda line: not line.strip() or line.startswith("    "), told.splitlines())
    body = [line[4:] for line in lines if line.strip() and not line.lstrip().startswith(("import ", "from "))]
    wrapped = "".join(f"        {line}\n" for line in body or ["pass"])
    return f"{head}    try:\n{wrapped}    finally:\n        self._p_changed = True\n"
