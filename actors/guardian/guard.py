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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, Literal

import msgspec

from actors.guardian.confine import LAYERS
from actors.guardian.jail import Jail
from protocol import codec, examples
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.home import find_home
from protocol.messages import Done, Effect, Example, Failed, Judge, Outcome, Trial, Tried, Verdict, Violation

MAX_BATCH: Final = 64
MAX_ROW: Final = 32 << 20
_NOBODY: Final = Ref("0" * 16)


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What to judge: one file, or with `many` the rows of a JSONL file; `-` is standard input."""

    path: str
    many: bool
    gate: Literal["covenant", "policy", "all"]
    trial: bool


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One source. `slots` and `examples` matter to a trial only, as do `args` and `kwargs` of its plain run."""

    id: str | int
    code: str
    slots: dict[str, Value] = {}
    examples: list[Example] = []
    args: list[Value] = []
    kwargs: dict[str, Value] = {}


async def run(task: Task) -> int:
    """Judge it all; the exit code."""
    try:
        may_lack = find_home().settings().guardian.may_lack if task.trial else LAYERS
        jail = Jail(workers=2 if task.many else 1, may_lack=may_lack)
        with _opened(task.path) as file:
            await jail.start()
            try:
                return await _judge(task, jail, _rows(file) if task.many else _one(task.path, file))
            finally:
                await jail.close()
    except BatosError as error:
        failure = error.failure()
        _print({"error": {"code": failure.code, "message": failure.message, "hint": failure.hint}})
        return error.exit_code


async def _judge(task: Task, jail: Jail, rows: Iterator[Row]) -> int:
    """Two batches are under way at once; the first are small, so that the first lines come soon."""
    code = 0
    under_way: deque[tuple[list[Row], asyncio.Task[list[dict[str, Any]]]]] = deque()
    size = 1
    problem: BatosError | None = None
    while True:
        batch: list[Row] = []
        try:
            batch.extend(islice(rows, size))
        except BatosError as error:
            problem = error
        if batch:
            under_way.append((batch, asyncio.create_task(_lines(task, jail, batch))))
        if under_way and (len(under_way) == 2 or not batch or problem):
            for line in await under_way.popleft()[1]:
                _print(line)
                code = 4 if line["verdict"] == "reject" else code
        if not under_way and (problem or not batch):
            break
        size = min(2 * size, MAX_BATCH)
    if problem:
        raise problem
    return code


async def _lines(task: Task, jail: Jail, rows: Sequence[Row]) -> list[dict[str, Any]]:
    verdicts = await jail.judge_all([Judge(source=row.code, gate=task.gate) for row in rows])
    if not task.trial:
        return [_line(row, verdict) for row, verdict in zip(rows, verdicts, strict=True)]
    return [await _tried(jail, row, verdict) for row, verdict in zip(rows, verdicts, strict=True)]


async def _tried(jail: Jail, row: Row, verdict: Verdict) -> dict[str, Any]:
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
    """A trial's failures as violations. Without examples a method may well miss its arguments: that is no failure."""
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


def _line(row: Row, verdict: Verdict) -> dict[str, Any]:
    return {
        "id": row.id,
        "verdict": verdict.verdict,
        "violations": [msgspec.to_builtins(violation) for violation in verdict.violations],
    }


def _one(path: str, file: IO[bytes]) -> Iterator[Row]:
    yield Row(id=path, code=_text(file.read(MAX_ROW), path))


def _rows(file: IO[bytes]) -> Iterator[Row]:
    number = 0
    while line := file.readline(MAX_ROW):
        number += 1
        if line.strip():
            yield _row(_text(line, f"line {number}"), number)


def _row(text: str, number: int) -> Row:
    where = f"line {number}"
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BatosError("BAD_JSON", f"{where} is no JSON: {error}", 'A row looks like {"id":…, "code":…}.') from error
    if (
        not isinstance(data, dict)
        or not isinstance(data.get("code"), str)
        or not isinstance(data.get("id"), (str, int))
    ):
        raise BatosError("BAD_JSON", f"{where} has no id and code", 'A row looks like {"id":…, "code":…}.')
    wanted = data.get("examples", [])
    if not isinstance(wanted, list):
        raise BatosError("BAD_EXAMPLE", f"{where}: examples is no list")
    checked = [examples.read_example(example, f"{where}, example {n}") for n, example in enumerate(wanted, 1)]
    examples.check_examples(checked)
    values = {name: codec.normalize(data.get(name, empty), f"{where}, {name}") for name, empty in _EMPTY.items()}
    for name, empty in _EMPTY.items():
        if type(values[name]) is not type(empty):
            raise BatosError("BAD_JSON", f"{where}: {name} is no {type(empty).__name__}")
    return Row(id=data["id"], code=data["code"], examples=checked, **values)


_EMPTY: Final[dict[str, Any]] = {"slots": {}, "args": [], "kwargs": {}}


def _text(data: bytes, where: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise BatosError("UNREADABLE", f"{where} is not UTF-8: {error.reason} at byte {error.start}") from error


@contextmanager
def _opened(path: str) -> Iterator[IO[bytes]]:
    if path == "-":
        yield sys.stdin.buffer
        return
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - closed by the with below
    except OSError as error:
        raise BatosError(
            "UNREADABLE", f"cannot read {path}: {error.strerror}", "Give a readable file, or -."
        ) from error
    with file:
        yield file


def _print(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line, ensure_ascii=True) + "\n")
    sys.stdout.flush()
