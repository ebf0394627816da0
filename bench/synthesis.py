"""The main job: of messages that nobody wrote, how many become methods that do what was meant?

    python -m bench.synthesis [TASKS.jsonl …] [--model PATH] [--form FORM] [--keep FOLDER] [--no-peer] [--json]

A task is an object, a message it does not understand, an intent and examples; hidden cases, which no model sees, judge the
method that was learned. Ours is the whole system in a throw-away home. The peer is plain best-of-N on the same model
(`bench.writing.sampling`), read as best of 4, as best of 8, and at the tokens that ours took for the same task. What is measured is
kept in the folder, a line a task, so that a run that was ended goes on where it was.
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
from pathlib import Path
from typing import Any, Final

import msgspec
from ulid import ULID

from bench.claims import Claim, processor, report
from bench.writing.alone import seconds_alone
from bench.writing.sampling import NOBODY, Sampled, Task, sample
from bus.client import Client
from cli import lifecycle
from protocol import verbs
from protocol.errors import BatosError
from protocol.examples import read_example
from protocol.home import Home
from protocol.messages import Cycles, Event, Learn, Mandate, MandateReply, New, Source, Trial

TASKS: Final = Path(__file__).with_name("tasks.jsonl")
SECONDS: Final = 1800.0
"""That one message may take: a model of some billions on two cores reads slowly."""
MOST_AROUND: Final = 1.5
"""What the first verdict may take, in times of its row alone."""


class Ours(msgspec.Struct, frozen=True):
    """`first_s`: seconds until the first candidate had its verdict; `alone_s`: what its row takes by itself (`bench.writing.alone`).

    `again`: tokens that a second such object took.
    """

    solved: bool
    installed: bool
    doubts: int
    tokens: dict[str, int]
    seconds: float
    first_s: float | None
    attempts: int
    ending: str
    again: int | None = None
    alone_s: float | None = None


class Measured(msgspec.Struct, frozen=True):
    id: str
    ours: Ours
    peer: Sampled | None


def read_tasks(path: Path) -> list[Task]:
    """The tasks in a JSONL file."""
    tasks = []
    for line in path.read_text().splitlines():
        raw = json.loads(line)
        cases = {key: [read_example(case) for case in raw[key]] for key in ("examples", "hidden")}
        tasks.append(
            Task(raw["id"], raw["slots"], raw["selector"], raw["parameters"], intent=raw.get("intent", ""), **cases)
        )
    return tasks


async def ours(bus: Client, task: Task) -> Ours:
    """The message learned, as the command would have it learned; then again by a second object of that kind."""
    name = f"task-{task.id}"
    mine = await _learned(bus, name, task)
    again = await _learned(bus, f"{name}-too", task) if mine.solved else None
    return msgspec.structs.replace(mine, again=_tokens(again) if again is not None else None)


async def _learned(bus: Client, name: str, task: Task) -> Ours:
    await bus.call(verbs.NEW, New(name=name, slots=task.slots), seconds=30)
    mandate = Mandate(
        target=name,
        selector=task.selector,
        parameters=task.parameters,
        examples=task.examples,
        intent=task.intent,
        learn=Learn(),
        seconds=SECONDS,
    )
    began = time.monotonic()
    ending, cycle, attempts, first, form = "COMPLETE", None, 0, None, ""
    reply: MandateReply | None = None

    def note(event: Event) -> None:
        nonlocal first, form
        if event.event == "drawing" and not form:
            form = str(event.detail["form"])
        if event.event == "judged" and form and first is None:
            first = time.monotonic() - began

    try:
        reply = await bus.call(verbs.MANDATE, mandate, seconds=SECONDS + 5, idem=str(ULID()), on_partial=note)
        cycle = reply.cycle
    except BatosError as error:
        ending, cycle = error.code, error.data.get("cycle")
    seconds = time.monotonic() - began
    tokens: Counter[str] = Counter()
    if cycle is not None and (story := (await bus.call(verbs.CYCLES, Cycles(id=cycle), seconds=30)).story) is not None:
        for step in story.steps:
            # A method's send has the tokens of all that it sends: what was generated is counted where it was.
            tokens[step.state] += step.tokens if step.send == "infer_" else 0
        attempts = len(story.verdicts)
    learned = reply.learned if reply is not None else None
    installed = learned is not None and learned.installed
    return Ours(
        solved=installed and await holds(bus, name, task),
        installed=installed,
        doubts=len(learned.doubts) if learned is not None else 0,
        tokens=dict(tokens),
        seconds=seconds,
        first_s=first,
        attempts=attempts,
        ending=ending,
        alone_s=await seconds_alone(bus, task, form) if form in {"narrow", "open"} else None,
    )


async def holds(bus: Client, name: str, task: Task) -> bool:
    """Whether the installed method passes the hidden cases."""
    found = await bus.call(verbs.SOURCE, Source(target=name, selector=task.selector), seconds=30)
    trial = Trial(
        source=found.method.source or "", receiver=NOBODY, slots=task.slots, examples=task.hidden, is_sent=False
    )
    tried = await bus.call(verbs.TRIAL, trial, seconds=60)
    return tried.verdict == "accept" and all(case.passed for case in tried.cases)


async def measure(tasks: list[Task], kept: Path, config: dict[str, str], *, with_peer: bool) -> list[Measured]:
    """Every task by ours, then by the peer, in a home that is thrown away, by SIGTERM too."""
    done = {one.id: one for one in _read(kept)}
    if all(task.id in done for task in tasks):
        return [done[task.id] for task in tasks]
    running = asyncio.current_task()
    assert running is not None
    folder = Path(tempfile.mkdtemp(prefix="batos-", dir="/tmp"))
    home = Home(folder / "home")
    home.root.mkdir()
    lines = [f"{key} = {json.dumps(value)}" for key, value in config.items()]
    (home.root / "batos.toml").write_text("\n".join(["[inference]", *lines, ""]))
    try:
        await lifecycle.up(home, lambda line: print(line, file=sys.stderr))
        # Starting, it minds SIGTERM by itself.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
        async with Client(home.bus, "bench") as bus:
            for task in tasks:
                if task.id not in done:
                    mine = await ours(bus, task)
                    theirs = await sample(bus, task, _tokens(mine)) if with_peer else None
                    done[task.id] = Measured(task.id, mine, theirs)
                    with kept.open("ab") as file:
                        file.write(msgspec.json.encode(done[task.id]) + b"\n")
                print(_line(done[task.id]), flush=True)
    finally:
        await lifecycle.down(home, lambda line: print(line, file=sys.stderr))
        shutil.rmtree(folder, ignore_errors=True)
    return [done[task.id] for task in tasks]


def _read(kept: Path) -> list[Measured]:
    if not kept.exists():
        return []
    return [msgspec.json.decode(line, type=Measured) for line in kept.read_bytes().splitlines()]


def _line(one: Measured) -> str:
    mine, theirs = one.ours, one.peer
    ending = "solved" if mine.solved else "wrong" if mine.installed else mine.ending.lower()
    peer = (
        ""
        if theirs is None
        else f" | peer: {'-' if theirs.row is None else theirs.row} {'solved' if theirs.solved else '-'}"
    )
    return (
        f"{one.id:24} {ending:16} doubts {mine.doubts} {mine.attempts:3} candidates"
        f" {_tokens(mine):5} tokens {mine.seconds:6.1f} s again {mine.again}{peer}"
    )


def claims_of(results: list[Measured]) -> list[Claim]:
    """What the results come to."""
    mine = [one.ours for one in results]
    peers = [(one.ours, one.peer) for one in results if one.peer is not None]
    solved, number = sum(one.solved for one in mine), f"of {len(results)}"
    plain: dict[str, float] = {}
    if peers:
        plain = {
            "best of 4": sum(peer.within(rows=4) for _, peer in peers),
            "best of 8": sum(peer.within(rows=8) for _, peer in peers),
            "best of N at the same tokens": sum(peer.within(tokens=_tokens(own)) for own, peer in peers),
        }
    target = "more than every peer" if peers else "printed: no peer was asked"
    return [
        Claim(
            "learned: hold all hidden cases", solved, plain, number, target, solved > max(plain.values(), default=-1)
        ),
        *_sure(mine, solved),
        *_costs(results),
    ]


def _sure(mine: list[Ours], solved: int) -> list[Claim]:
    """What it is worth that there is no doubt."""
    sure = [one for one in mine if one.installed and not one.doubts]
    wrong = sum(not one.solved for one in sure)
    return [
        Claim(
            "installed without a doubt, and fail a hidden case",
            wrong,
            {},
            f"of {len(sure)}",
            "at most 3 %",
            wrong <= 0.03 * len(sure),
        ),
        Claim(
            "hold all hidden cases, and without a doubt",
            len(sure) - wrong,
            {},
            f"of {solved}",
            "at least 75 %",
            len(sure) - wrong >= 0.75 * solved,
        ),
    ]


def _costs(results: list[Measured]) -> list[Claim]:
    mine = [one.ours for one in results]
    again = [one.again for one in mine if one.again is not None]
    free = sum(tokens == 0 for tokens in again)
    first = statistics.median([one.first_s for one in mine if one.first_s is not None] or [0.0])
    around = [one.first_s / one.alone_s for one in mine if one.first_s is not None and one.alone_s]
    ratio = statistics.median(around or [0.0])
    seconds = statistics.median(one.seconds for one in mine)
    drawn = sum(one.peer.drawn for one in results if one.peer is not None)
    return [
        Claim(
            "a second object of the kind learns for no token",
            free,
            {},
            f"of {len(again)}",
            "at least 90 %",
            free >= 0.9 * len(again),
        ),
        Claim(
            "tokens",
            sum(_tokens(one) for one in mine),
            {"drawn for the peer": drawn} if drawn else {},
            "tokens",
            "printed",
            True,
        ),
        Claim("seconds until the first verdict, median", round(first, 1), {}, "s", "printed", True),
        Claim(
            "first verdict, beside reading the request and writing the likeliest row alone, median",
            round(ratio, 2),
            {},
            "times",
            "at most 1.5",
            ratio <= MOST_AROUND,
        ),
        Claim("seconds a task, median", round(seconds, 1), {}, "s", "printed", True),
    ]


def _tokens(one: Ours) -> int:
    return sum(one.tokens.values())


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.synthesis", description=__doc__)
    parser.add_argument("tasks", nargs="*", type=Path, default=[TASKS])
    parser.add_argument(
        "--model", default="", help="a GGUF file or a Hugging Face folder (default: the embedded model)"
    )
    parser.add_argument("--form", default="auto", help="narrow, open or free (default: as the model is placed)")
    parser.add_argument("--keep", type=Path, help="a folder for what is measured (default: one that is thrown away)")
    parser.add_argument("--no-peer", action="store_true", help="measure ours alone")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    config: dict[str, Any] = {"model": options.model, "form": options.form}
    with tempfile.TemporaryDirectory() as passing:
        folder: Path = options.keep or Path(passing)
        folder.mkdir(parents=True, exist_ok=True)
        for path in options.tasks:
            words = [path.stem, Path(options.model).stem or "embedded", options.form]
            kept = folder / f"{'-'.join(words)}.jsonl"
            results = asyncio.run(measure(read_tasks(path), kept, config, with_peer=not options.no_peer))
            print(f"{path.name}, {words[1]}, form {words[2]}")
            report(f"synthesis {path.stem}", claims_of(results), device=processor(), as_json=options.json)


if __name__ == "__main__":
    main()
