"""What a child of the template does: one piece of work on hostile text, after it has been locked in.

The work is one byte for its kind and one frame. The answer is written to the one descriptor there is, and the process
ends; nothing of it outlives the answer.
"""

from __future__ import annotations

import os
from typing import Final, NoReturn

import msgspec

from actors.guardian import confine, gates, run
from protocol import codec
from protocol.errors import BatosError
from protocol.messages import Failed, Judge, Outcome, Ran, Run, Send, Verdict

JUDGE: Final = b"J"
RUN: Final = b"R"
BATCH: Final = b"B"
PROBE: Final = b"P"

MAX_OUTCOME: Final = 4 << 20
"""Bytes of an outcome, all changed slots together."""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Sources to judge in one child. Their verdicts come one by one, so that a death costs none but one."""

    sources: list[Judge]


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """The boot check of the static gates: `problem` is empty when all stand."""

    problem: str = ""


_NO_MEMORY: Final = codec.pack(
    Ran(
        outcome=Failed(code="BUDGET_EXCEEDED", error="LIMIT_MEMORY", message="the run exceeded its limit: LIMIT_MEMORY")
    )
)
"""Packed beforehand: when memory is out, there is none left for packing."""

_SAMPLE: Final = """def warm_(self, by: int = 1):
    try:
        self.size += len([part for part in self.parts if part % by])
    except ValueError as error:
        self.problem = f"{error}"
    self._p_changed = True
    return sorted(self.names_(by), key=lambda name: name.upper())
"""
_SAMPLE_RUN: Final = codec.pack(Run(source=_SAMPLE, receiver=codec.Ref("0" * 16), slots={"size": 1, "parts": [1, 2]}))
_SMALL: Final = "def warm_(self):\n    return self.size\n"
_SMALL_RUN: Final = codec.pack(Run(source=_SMALL, receiver=codec.Ref("0" * 16)))


def work(request: bytes) -> NoReturn:
    """Do the work in `request` and end this process."""
    kind, frame = request[:1], request[1:]
    if kind == RUN:
        _run(frame)
    if kind == JUDGE:
        _answer(codec.pack(_judge(codec.unpack(frame, Judge))))
    if kind == BATCH:
        _batch(frame)
    _answer(codec.pack(_probe()))


def warm_up() -> None:
    """Everything that Python would load at its first use, before the doors are shut."""
    gates.judge(_SAMPLE)
    request = codec.unpack(_SAMPLE_RUN, Run)
    run.compile_source(request.source, kernel=False)
    run.digest_of(Send(kind="send", receiver=request.receiver, selector="warm_"))


def warm_child() -> None:
    """Touch what every work touches, so that the pages are this process's own before its work comes."""
    run.compile_source(_SMALL, kernel=False)
    codec.unpack(_SMALL_RUN, Run)


def _run(frame: bytes) -> NoReturn:
    try:
        request = codec.unpack(frame, Run)
        run.perform(request, _emit)
    except MemoryError:
        _answer(_NO_MEMORY)


def _emit(outcome: Outcome) -> NoReturn:
    try:
        frame = codec.pack(Ran(outcome=outcome))
    except BatosError as error:
        frame = codec.pack(Ran(outcome=Failed(code=error.code, error=error.code, message=error.message)))
    except MemoryError:
        frame = _NO_MEMORY
    if len(frame) > MAX_OUTCOME:
        message = f"the outcome has {len(frame)} bytes, at most {MAX_OUTCOME}"
        frame = codec.pack(Ran(outcome=Failed(code="TOO_LARGE", error="TOO_LARGE", message=message)))
    _answer(frame)


def _judge(request: Judge) -> Verdict:
    return gates.judge(request.source, kernel=request.kernel, gate=request.gate)


def _batch(frame: bytes) -> NoReturn:
    for request in codec.unpack(frame, Batch).sources:
        verdict = codec.pack(_judge(request))
        _write(len(verdict).to_bytes(4, "big") + verdict)
    os._exit(0)


def _probe() -> Probed:
    try:
        gates.probe()
    except BatosError as error:
        return Probed(problem=error.message)
    return Probed()


def _answer(frame: bytes) -> NoReturn:
    _write(frame)
    os._exit(0)


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(confine.OUTPUT, data) :]
