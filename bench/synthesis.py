"""The main job: of messages that nobody wrote, how many become methods that do what was meant?

    python -m bench.synthesis [TASKS.jsonl] [--json]

A task is an object, a message it does not understand, and examples; hidden cases, which no model sees, judge the
method that was installed. Ours is the whole system in a throw-away home. The peer is plain best-of-N on the same
model through the same inference actor: no grammar, no rounds, no feedback, the first sample that passes the examples
counts. It is read twice: at the tokens that ours took for the same task, and as best of 8. Its samples run in the same
jail with the static gates off, and the covenant is forgiven them: their body is wrapped so that the signal follows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

import msgspec
from ulid import ULID

from bench.claims import Claim, processor, report
from bus.client import Client
from cli import lifecycle
from protocol import verbs
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.examples import compare, read_example
from protocol.home import Home
from protocol.messages import (
    Cycles,
    Example,
    Infer,
    Mandate,
    New,
    Row,
    Run,
    Sampling,
    Source,
    Trial,
    Turn,
)

TASKS: Final = Path(__file__).with_name("tasks.jsonl")
NOBODY: Final = Ref("0" * 16)
PEER_TOKENS: Final = 64
PEER_ROWS: Final = 8
PEER_TEMPERATURE: Final = 0.8
MAX_PEER_ROWS: Final = 64


class Task(msgspec.Struct, frozen=True):
    id: str
    slots: dict[str, Any]
    selector: str
    parameters: list[str]
    examples: list[Example]
    hidden: list[Example]


class Ours(msgspec.Struct, frozen=True):
    solved: bool
    installed: bool
    tokens: Counter[str]
    seconds: float
    attempts: int
    ending: str


class Peer(msgspec.Struct, frozen=True):
    """Solved at the tokens that ours took, and with the first eight samples."""

    same_tokens: bool
    best_of_8: bool
    tokens: int
    seconds: float


def read_tasks(path: Path) -> list[Task]:
    """The tasks in a JSONL file."""
    tasks = []
    for line in path.read_text().splitlines():
        raw = json.loads(line)
        cases = {key: [read_example(case) for case in raw[key]] for key in ("examples", "hidden")}
        tasks.append(Task(raw["id"], raw["slots"], raw["selector"], raw["parameters"], **cases))
    return tasks


async def ours(bus: Client, task: Task) -> Ours:
    """The mandate, as the command would give it."""
    name = f"task-{task.id}"
    await bus.call(verbs.NEW, New(name=name, slots=task.slots), seconds=30)
    mandate = Mandate(
        target=name,
        selector=task.selector,
        parameters=task.parameters,
        args=task.examples[0].args,
        kwargs=task.examples[0].kwargs,
        examples=task.examples,
    )
    began = time.monotonic()
    ending = "COMPLETE"
    cycle: str | None = None
    attempts = 0
    try:
        reply = await bus.call(verbs.MANDATE, mandate, seconds=240, idem=str(ULID()))
        cycle, attempts = reply.cycle, reply.method.attempts if reply.method else 0
    except BatosError as error:
        ending, cycle = error.code, error.data.get("cycle")
    seconds = time.monotonic() - began
    tokens: Counter[str] = Counter()
    if cycle is not None and (story := (await bus.call(verbs.CYCLES, Cycles(id=cycle), seconds=30)).story) is not None:
        for step in story.steps:
            tokens[step.path.split(".")[2]] += step.tokens
        attempts = len(story.verdicts)
    installed = ending == "COMPLETE"
    solved = installed and await holds(bus, name, task)
    return Ours(solved, installed, tokens, seconds, attempts, ending)


async def holds(bus: Client, name: str, task: Task) -> bool:
    """Whether the installed method passes the hidden cases."""
    found = await bus.call(verbs.SOURCE, Source(target=name, selector=task.selector), seconds=30)
    trial = Trial(
        source=found.method.source or "",
        receiver=NOBODY,
        slots=task.slots,
        args=task.examples[0].args,
        examples=task.hidden,
    )
    tried = await bus.call(verbs.TRIAL, trial, seconds=60)
    return tried.verdict == "accept" and all(case.passed for case in tried.cases)


async def peer(bus: Client, task: Task, budget: int) -> Peer:
    """Samples in order until ours' tokens are used up, at least eight; the first that passes the examples counts."""
    began = time.monotonic()
    used, drawn = 0, 0
    first_at, first_row, first_holds = sys.maxsize, sys.maxsize, False
    while drawn < PEER_ROWS or (used < budget and drawn < MAX_PEER_ROWS):
        rows = [_row(task, drawn + n) for n in range(PEER_ROWS)]
        inferred = await bus.call(verbs.INFER, Infer(rows=rows), seconds=240)
        for generated in inferred.rows:
            drawn += 1
            used += generated.tokens
            source = method_in(_head(task), generated.text)
            if first_row == sys.maxsize and await passes(bus, source, task, task.examples):
                first_at, first_row = used, drawn
                first_holds = await passes(bus, source, task, task.hidden)
    return Peer(
        same_tokens=first_holds and first_at <= budget,
        best_of_8=first_holds and first_row <= PEER_ROWS,
        tokens=used,
        seconds=time.monotonic() - began,
    )


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
    """The question as one would put it to an instructed model, and its answer begun; the same facts as ours is given."""
    lines = [f"Write the Python method {task.selector} of an object with these attributes:"]
    lines += [f"self.{slot} = {value!r}" for slot, value in task.slots.items()]
    for example in task.examples:
        before = ", ".join(f"self.{slot} = {value!r}" for slot, value in example.slots.items())
        call = f"{task.selector}({', '.join(map(repr, example.args))})"
        told = [f"returns {example.returns!r}"] if example.returns is not msgspec.UNSET else []
        if isinstance(example.slots_after, dict):
            told.append("sets " + ", ".join(f"self.{slot} = {value!r}" for slot, value in example.slots_after.items()))
        lines.append(f"With {before}, {call} {' and '.join(told)}.")
    begun = "```python\n" + _head(task).rstrip()
    turns = [Turn(role="user", content="\n".join(lines)), Turn(role="assistant", content=begun)]
    return Row(turns=turns, sampling=Sampling(temperature=PEER_TEMPERATURE), seed=number, max_tokens=PEER_TOKENS)


def method_in(head: str, text: str) -> str:
    """The method that a sample goes on with: its indented lines, without imports, and the signal after them."""
    lines = takewhile(lambda line: not line.strip() or line.startswith("    "), text.lstrip("\n").splitlines())
    body = [line[4:] for line in lines if line.strip() and not line.lstrip().startswith(("import ", "from "))]
    wrapped = "".join(f"        {line}\n" for line in body)
    return f"{head}    try:\n{wrapped}    finally:\n        self._p_changed = True\n"


async def measure(tasks: list[Task]) -> list[tuple[Ours, Peer]]:
    """Every task by ours, then by the peer, in a home that is thrown away, by SIGTERM too."""
    running = asyncio.current_task()
    assert running is not None
    folder = Path(tempfile.mkdtemp(prefix="batos-", dir="/tmp"))
    home = Home(folder / "home")
    results = []
    try:
        await lifecycle.up(home, lambda line: print(line, file=sys.stderr))
        # Starting, it minds SIGTERM by itself.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
        async with Client(home.bus, "bench") as bus:
            for task in tasks:
                mine = await ours(bus, task)
                theirs = await peer(bus, task, mine.tokens.total())
                results.append((mine, theirs))
                print(
                    f"{task.id:16} {'solved' if mine.solved else mine.ending.lower():16} {mine.attempts:3} candidates"
                    f" {mine.tokens.total():5} tokens {mine.seconds:6.1f} s"
                    f" | peer at these tokens: {'solved' if theirs.same_tokens else '-':6}"
                    f" best of 8: {'solved' if theirs.best_of_8 else '-'}",
                    flush=True,
                )
    finally:
        await lifecycle.down(home, lambda line: print(line, file=sys.stderr))
        shutil.rmtree(folder, ignore_errors=True)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.synthesis", description=__doc__)
    parser.add_argument("tasks", nargs="?", type=Path, default=TASKS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = asyncio.run(measure(read_tasks(options.tasks)))
    mine, theirs = [one for one, _ in results], [other for _, other in results]
    by_state = sum((one.tokens for one in mine), Counter())
    print(f"tokens by state: {', '.join(f'{state} {count}' for state, count in by_state.items()) or 'none'}")
    solved = sum(one.solved for one in mine)
    best_of_8 = sum(other.best_of_8 for other in theirs)
    same_tokens = sum(other.same_tokens for other in theirs)
    claims = [
        Claim(
            id="tasks solved on hidden cases",
            ours=solved,
            peers={"best of N at the same tokens": same_tokens, "best of 8": best_of_8},
            unit=f"of {len(results)}",
            target="a third of the tasks, and more than either peer",
            ok=solved * 3 >= len(results) and solved > max(same_tokens, best_of_8),
        ),
        Claim(
            id="methods installed that fail a hidden case",
            ours=sum(one.installed and not one.solved for one in mine),
            peers={},
            unit=f"of {len(results)}",
            target="none",
            ok=all(one.solved for one in mine if one.installed),
        ),
        Claim(
            id="tokens",
            ours=by_state.total(),
            peers={"as drawn for the peer": sum(other.tokens for other in theirs)},
            unit="tokens",
            target="printed",
            ok=True,
        ),
        Claim(
            id="seconds a task, median",
            ours=round(statistics.median(one.seconds for one in mine), 1),
            peers={"as drawn for the peer": round(statistics.median(other.seconds for other in theirs), 1)},
            unit="s",
            target="printed",
            ok=True,
        ),
    ]
    report("synthesis", claims, device=processor(), as_json=options.json)


if __name__ == "__main__":
    main()
