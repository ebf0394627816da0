"""What a child of the template does: one piece of work on hostile text, after it has been locked in.

The work is one byte for its kind and one frame. The answer is written to the one descriptor that can be written, and the
process ends; nothing of it outlives the answer.

A method is compiled in one child and run in others. Its code comes from a child that saw nothing but its source, so whoever
could make it lie there has no more than what he wrote himself: his own method, in the jail.

A run that is to be kept does more: at a send it writes that this is no end, and waits for the answer at the descriptor its
work came from. Nothing that goes wrong there comes to the method's ears: the process ends, and a replay says the truth.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import struct
import sys
from typing import Any, Final, NoReturn

import msgspec

from actors.guardian import gates
from actors.guardian.confinement import confine
from actors.guardian.runtime import run
from protocol import codec
from protocol.errors import BatosError
from protocol.messages import Answer, Effect, Failed, Judge, Outcome, Ran, Run, Send, Verdict, Violation

JUDGE: Final = b"J"
COMPILE: Final = b"C"
RUN: Final = b"R"
BATCH: Final = b"B"
PROBE: Final = b"P"

HEAD: Final = struct.Struct("!cI")
"""Begins what is said: what comes after it, and its length, which is 0 for what goes on to the end of this process."""
LAST, WAITS, PIECES = b"L", b"W", b"P"
"""What comes after: nothing more, a wait for an answer, or pieces that mean something one by one."""
ANSWER: Final = struct.Struct("!I")
"""Begins what it waits for: the length of a packed `Answer`."""
CODE: Final = struct.Struct("!I")
"""Begins a run: the length of the method's code, which comes before the packed `Run`."""

_TURNS: Final = 20
"""Runs after which Python has fitted its own code to what they do, so that no child does so in pages of its own."""
_DEEPER: Final = 1000
"""Frames by which an answer may be decoded deeper than the method has come: a replay decodes it at its start."""

MAX_OUTCOME: Final = 4 << 20
"""Bytes of an outcome, all changed slots together."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A method to compile, alone in its child."""

    source: str
    kernel: bool


class Compiled(msgspec.Struct, frozen=True, kw_only=True):
    """The marshalled `code` of a method, or the violation for which it has none."""

    code: bytes
    violation: Violation | None = None


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Sources to judge in one child. Their verdicts come one by one, so that a death costs none but one."""

    sources: list[Judge]


class Booted(msgspec.Struct, frozen=True, kw_only=True):
    """The boot check of the static gates: `problem` is empty when all stand."""

    problem: str = ""


_NO_MEMORY: Final = codec.pack(
    Ran(
        outcome=Failed(code="BUDGET_EXCEEDED", error="LIMIT_MEMORY", message="the run exceeded its limit: LIMIT_MEMORY")
    )
)
_NO_MEMORY_SAID: Final = HEAD.pack(LAST, len(_NO_MEMORY)) + _NO_MEMORY
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
_SMALL_CODE: Final = marshal.dumps(
    compile("def warm_(self, by):\n    return _getattr_(self, 'size') + by\n", "", "exec")
)
_SMALL_RUN: Final = codec.pack(Run(source="", receiver=codec.Ref("0" * 16), slots={"size": 1}, args=[1], suspend=True))


def work(request: bytes) -> NoReturn:
    """Do the work in `request` and end this process."""
    kind, frame = request[:1], request[1:]
    if kind == RUN:
        _run(frame)
    if kind == COMPILE:
        _answer(codec.pack(_compile(codec.reopen(frame, Source))))
    if kind == JUDGE:
        _answer(codec.pack(_judge(codec.reopen(frame, Judge))))
    if kind == BATCH:
        _batch(frame)
    _answer(codec.pack(_probe()))


def run_frame(code: bytes, request: Run) -> bytes:
    """The work of running `request`, whose method is the marshalled `code`."""
    return b"".join([RUN, CODE.pack(len(code)), code, codec.pack(msgspec.structs.replace(request, source=""))])


def warm_up() -> None:
    """Everything that Python would load at its first use, before the doors are shut."""
    gates.judge(_SAMPLE)
    _compile(Source(source=_SAMPLE, kernel=False))
    request = codec.reopen(_SAMPLE_RUN, Run)
    run.digest_of(Send(kind="send", receiver=request.receiver, selector="warm_"))
    for _ in range(_TURNS):
        warm_child()


def warm_child() -> None:
    """Touch what every run touches, so that the pages are this process's own before its work comes."""

    def emit(outcome: Outcome) -> NoReturn:
        _packed(outcome)
        raise _Warm

    with contextlib.suppress(_Warm):
        run.perform(codec.reopen(_SMALL_RUN, Run), _loaded(_SMALL_CODE), emit, emit)


class _Warm(BaseException):
    """The end of a run that only warms up."""


def _run(frame: bytes) -> NoReturn:
    try:
        (length,) = CODE.unpack_from(frame)
        code = _loaded(frame[CODE.size : CODE.size + length])
        request = codec.reopen(frame[CODE.size + length :], Run)
        run.perform(request, code, _emit, _wait if request.suspend else _emit)
    except MemoryError:
        _end(_NO_MEMORY_SAID)


def _loaded(code: bytes) -> Any:
    return marshal.loads(code)  # noqa: S302 - as hostile as the method, and as well locked in


def _compile(request: Source) -> Compiled:
    code = run.compile_source(request.source, kernel=request.kernel)
    return Compiled(code=b"", violation=code) if isinstance(code, Violation) else Compiled(code=marshal.dumps(code))


def _emit(outcome: Outcome) -> NoReturn:
    try:
        frame = _packed(outcome)
    except BatosError as error:
        frame = codec.pack(Ran(outcome=Failed(code=error.code, error=error.code, message=error.message)))
    except MemoryError:
        _end(_NO_MEMORY_SAID)
    _answer(frame)


def _wait(effect: Effect) -> Answer:
    """Let a send out and wait here for its answer."""
    try:
        frame = _packed(effect)
    except (BatosError, MemoryError):
        _emit(effect)  # ... where it fails again, and says so
    depth = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + _DEEPER)
    try:
        _write(HEAD.pack(WAITS, len(frame)) + frame)
        (length,) = ANSWER.unpack(read(confine.INPUT, ANSWER.size))
        return codec.reopen(read(confine.INPUT, length), Answer)
    except BaseException:  # noqa: BLE001 - whatever it is, the method must not see it
        os._exit(1)
    finally:
        sys.setrecursionlimit(depth)


def _packed(outcome: Outcome) -> bytes:
    frame = codec.pack(Ran(outcome=outcome))
    if len(frame) > MAX_OUTCOME:
        raise BatosError("TOO_LARGE", f"the outcome has {len(frame)} bytes, at most {MAX_OUTCOME}")
    return frame


def _judge(request: Judge) -> Verdict:
    return gates.judge(request.source, kernel=request.kernel, gate=request.gate)


def _batch(frame: bytes) -> NoReturn:
    _write(HEAD.pack(PIECES, 0))
    for request in codec.reopen(frame, Batch).sources:
        verdict = codec.pack(_judge(request))
        _write(len(verdict).to_bytes(4, "big") + verdict)
    os._exit(0)


def _probe() -> Booted:
    try:
        gates.probe()
    except BatosError as error:
        return Booted(problem=error.message)
    return Booted()


def _answer(frame: bytes) -> NoReturn:
    _end(HEAD.pack(LAST, len(frame)) + frame)


def _end(said: bytes) -> NoReturn:
    _write(said)
    os._exit(0)


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(confine.OUTPUT, data) :]


def read(descriptor: int, length: int) -> bytes:
    """Exactly `length` bytes; the end of this process where the other end has closed."""
    pieces: list[bytes] = []
    while length:
        piece = os.read(descriptor, min(length, 1 << 20))
        if not piece:
            os._exit(0)
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)
