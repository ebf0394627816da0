"""What several methods do on the same inputs: no example says here what is right, so nothing is compared.

Each run is a child of its own on a fresh copy of the receiver's slots, as in a trial, and no effect is performed. The inputs
are taken one after the other, each by all methods, so that an end of the time leaves every method with the same inputs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from actors.guardian.runtime.trial import Running, outcome_of
from protocol import codec
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.messages import (
    Done,
    Effect,
    Failed,
    Judge,
    Outcome,
    Probe,
    Probed,
    ProbedSource,
    ProbeInput,
    Run,
    Verdict,
)

MAX_RUNS: Final = 1024
MAX_BYTES: Final = 4096
"""Of an outcome, beyond which its digest stands for it: `MAX_RUNS` of them are half a frame."""
_TIRED: Final = "LIMIT_TIME"

JudgingAll = Callable[[Sequence[Judge]], Awaitable[list[Verdict]]]


async def probe(request: Probe, judge_all: JudgingAll, run: Running, workers: int) -> Probed:
    """Judge all sources, then run those that the gates accept, `workers` at once. BAD_ARGUMENT beyond `MAX_RUNS` runs."""
    if len(request.sources) * len(request.inputs) > MAX_RUNS:
        raise BatosError("BAD_ARGUMENT", f"a probe of more than {MAX_RUNS} runs", "Probe fewer sources or inputs.")
    verdicts = await judge_all([Judge(source=source, kernel=request.kernel) for source in request.sources])
    outcomes: list[list[dict[str, Value]]] = [[] for _ in verdicts]
    running = [place for place, verdict in enumerate(verdicts) if verdict.accepted]
    free = asyncio.Semaphore(workers)

    async def one(place: int, given: ProbeInput) -> dict[str, Value]:
        if outcomes[place] and outcomes[place][-1] == {"raises": _TIRED}:
            return {"raises": _TIRED}
        async with free:
            return told(await outcome_of(run, _run(request, request.sources[place], given)))

    clock = asyncio.get_running_loop().time
    until = clock() + request.total
    done = 0
    for given in request.inputs if running else []:
        if clock() >= until:
            break
        for place, outcome in zip(
            running, await asyncio.gather(*(one(place, given) for place in running)), strict=True
        ):
            outcomes[place].append(outcome)
        done += 1
    return Probed(
        sources=[
            ProbedSource(verdict=verdict.verdict, violations=verdict.violations, outcomes=outcome)
            for verdict, outcome in zip(verdicts, outcomes, strict=True)
        ],
        inputs=done,
    )


def told(outcome: Outcome) -> dict[str, Value]:
    """An outcome in the few words that methods are compared by; its digest where it is large."""
    match outcome:
        case Failed():
            said: dict[str, Value] = {"raises": outcome.error}
        case Effect(send=send):
            said = {"sends": send.selector, "to": send.receiver, "args": send.args}
            said |= {"kwargs": send.kwargs} if send.kwargs else {}
        case Done():
            said = {"returns": outcome.result}
            said |= {"changed": outcome.changed} if outcome.changed else {}
            said |= {"removed": outcome.removed} if outcome.removed else {}
    return said if len(codec.packed(said)) <= MAX_BYTES else {"digest": codec.digest(said)}


def _run(request: Probe, source: str, given: ProbeInput) -> Run:
    return Run(
        source=source,
        receiver=request.receiver,
        slots={**request.slots, **given.slots},
        args=given.args,
        kwargs=given.kwargs,
        kernel=request.kernel,
        seconds=request.seconds,
    )
