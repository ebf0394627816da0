"""Verdicts on files, with nothing running: what `batos guard` starts.

One line of JSON for each source, in the order they came in, as soon as it is judged. Judging happens in a jail of this
process's own. For the static gates it takes whatever layers the machine has, since nothing is run; a trial runs code,
and asks for the same layers as the serving guardian.

Exit code: 0 when all are accepted, 4 with any reject, 2 where the input cannot be read (the last line says why).
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import deque
from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from actors.guardian.command import rows
from actors.guardian.command.rows import RowReader, SourceRow
from actors.guardian.confinement.confine import LAYERS
from actors.guardian.jail.jail import Jail
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.failure import failure_of
from protocol.home import find_home
from protocol.messages import Done, Effect, Failed, Judge, Outcome, Trial, Tried, Verdict, Violation

MAX_BATCH: Final = 64
BATCHES: Final = 3
"""Batches under way: one for each worker of the jail, and one that waits for the first to be free."""
_NOBODY: Final = Ref("0" * 16)


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What to judge: one file, or with `many` the rows of a JSONL file; `-` is standard input."""

    path: str
    many: bool
    gate: Literal["covenant", "policy", "all"]
    trial: bool


async def run(task: Task) -> int:
    """Judge it all; the exit code."""
    try:
        may_lack = find_home().settings().guardian.may_lack if task.trial else LAYERS
        jail = Jail(workers=2 if task.many else 1, may_lack=may_lack)
        with rows.opened(task.path) as file:
            await jail.start()
            try:
                found = rows.many(file) if task.many else rows.one(task.path, file)
                return await _judge(task, jail, RowReader(found, asyncio.get_running_loop()))
            finally:
                await jail.close()
    except BatosError as error:
        failure = failure_of(error)
        _print([{"error": {"code": failure.code, "message": failure.message, "hint": failure.hint}}])
        return error.exit_code


async def _judge(task: Task, jail: Jail, reader: RowReader) -> int:
    """Judge what has come, while more is being read: a line out as soon as its row can be judged."""
    code, ended = 0, False
    under_way: deque[asyncio.Task[list[dict[str, Any]]]] = deque()
    getting: asyncio.Task[list[SourceRow]] | None = None
    try:
        while under_way or not ended:
            if not ended and getting is None and len(under_way) < BATCHES:
                getting = asyncio.create_task(reader.batch(MAX_BATCH))
            waits: list[asyncio.Task[Any]] = [*list(under_way)[:1], *([getting] if getting else [])]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if getting is not None and getting.done():
                batch, getting = getting.result(), None
                ended = not batch
                if batch:
                    under_way.append(asyncio.create_task(_lines(task, jail, batch)))
            while under_way and under_way[0].done():
                lines = under_way.popleft().result()
                _print(lines)
                code = 4 if any(line["verdict"] == "reject" for line in lines) else code
    finally:
        left = [*under_way, *([getting] if getting else [])]
        for one in left:
            one.cancel()
        await asyncio.gather(*left, return_exceptions=True)
    if reader.problem is not None:
        raise reader.problem
    return code


async def _lines(task: Task, jail: Jail, batch: Sequence[SourceRow]) -> list[dict[str, Any]]:
    verdicts = await jail.judge_all([Judge(source=row.code, gate=task.gate) for row in batch])
    if not task.trial:
        return [_line(row, verdict) for row, verdict in zip(batch, verdicts, strict=True)]
    return [await _tried(jail, row, verdict) for row, verdict in zip(batch, verdicts, strict=True)]


async def _tried(jail: Jail, row: SourceRow, verdict: Verdict) -> dict[str, Any]:
    if not verdict.accepted:
        return {**_line(row, verdict), "cases": [], "outcome": None}
    trial = Trial(
        source=row.code, receiver=_NOBODY, slots=row.slots, args=row.args, kwargs=row.kwargs, examples=row.examples
    )
    tried = await jail.run(trial)
    return {
        **_line(row, Verdict(verdict=tried.verdict, violations=tried.violations + (bad := _failures(tried)))),
        "verdict": "reject" if bad else tried.verdict,
        "cases": [msgspec.to_builtins(case) for case in tried.cases],
        "outcome": _outcome(tried.outcome),
    }


def _failures(tried: Tried) -> list[Violation]:
    """A trial's failures as violations. A method that was tried without examples does not fail for lack of arguments."""
    if tried.cases:
        return [Violation(rule=case.rule, line=0, message=case.message) for case in tried.cases if not case.passed]
    outcome = tried.outcome
    if isinstance(outcome, Failed) and outcome.code != "METHOD_FAILED":
        message = f"the method failed: {outcome.error}: {outcome.message}"
        return [Violation(rule="TRIAL_FAILED", line=outcome.line, message=message)]
    return []


def _outcome(outcome: Outcome | None) -> dict[str, Any] | None:
    """Whether and how the plain run ended. (Its values stay inside: a line is for reading.)"""
    match outcome:
        case Failed():
            return {"end": "failed", **msgspec.to_builtins(outcome)}
        case Effect(send=send):
            return {"end": "effect", "selector": send.selector}
        case Done(changed=changed, removed=removed, signalled=signalled):
            return {"end": "done", "changed": sorted(changed), "removed": removed, "signalled": signalled}
        case _:
            return None


def _line(row: SourceRow, verdict: Verdict) -> dict[str, Any]:
    return {
        "id": row.id,
        "verdict": verdict.verdict,
        "violations": [msgspec.to_builtins(violation) for violation in verdict.violations],
    }


def _print(lines: Sequence[dict[str, Any]]) -> None:
    sys.stdout.write("".join(json.dumps(line, ensure_ascii=True) + "\n" for line in lines))
    sys.stdout.flush()
