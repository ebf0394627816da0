"""The template: a small process that holds nothing but the gates and the runtime, and forks a child for each work.

A fork of what is already loaded costs about a millisecond, where a fresh Python costs a hundred; and one child is
always forked and warm before its work arrives. The template is
started with an empty environment, puts the jail on, says which layers hold, and from then on moves bytes: it never
looks into a request or an answer, so no text can hurt it. In its pid namespace it is process 1: when it dies, the
kernel ends everything in there.

    in   length, processor seconds, wall seconds, then the work
    out  how it ended, the exit status, length, then the answer
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import struct
import sys
import time
import warnings
from typing import Final

from actors.guardian import child, confine, seccomp, survey

REQUEST: Final = struct.Struct("!Idd")
REPLY: Final = struct.Struct("!BiI")
WORK: Final = struct.Struct("!dI")

ENDED, TOO_SLOW, TOO_MUCH, NO_CHILD = range(4)
"""How a work ended: by itself, killed by the clock, killed for the size of its answer, or not begun."""

MAX_ANSWER: Final = 16 << 20
_IN, _OUT = 0, 1


def main() -> None:
    """Serve until the other end closes. (Started by `actors.guardian.jail` only.)"""
    warnings.simplefilter("ignore")
    parent = os.getppid()
    confine.die_with_parent(parent)
    child.warm_up()
    base = confine.memory_in_use()
    gc.collect()
    gc.freeze()
    launcher = os.getpid()
    entered, reason = confine.unshare()
    if entered:
        # Only children live in a new pid namespace: this process stays behind to be waited for.
        pid = os.fork()
        if pid:
            _stay_behind(pid, parent)
        # From within a new pid namespace the launcher has no number.
        parent = 0 if os.getpid() == 1 else launcher
    missing = confine.lock_template(namespaces=reason)
    confine.die_with_parent(parent)
    missing["rlimits"] = survey.limits(base)
    missing["seccomp"] = survey.system_calls()
    hello = json.dumps({"missing": missing}).encode()
    _reply(ENDED, 0, hello)
    _serve(base, None if missing["seccomp"] else seccomp.program(confine.OUTPUT))


class _Child:
    """A forked process that waits for its one work: warm, without any descriptor of ours but its two pipes."""

    def __init__(self, base: int, filter_code: bytes | None) -> None:
        mine, self._work = os.pipe()
        self.answer, theirs = os.pipe()
        me = os.getpid()
        try:
            self.pid = os.fork()
        except OSError:
            for descriptor in (mine, self._work, self.answer, theirs):
                os.close(descriptor)
            raise
        if self.pid == 0:
            try:
                confine.die_with_parent(me)
                confine.narrow_child(mine, theirs, base=base)
                _live(filter_code)
            finally:
                os._exit(1)
        os.close(mine)
        os.close(theirs)

    def give(self, cpu: float, request: bytes) -> None:
        """Hand the work over. (One that has died since it was forked says so by its silence.)"""
        with contextlib.suppress(BrokenPipeError):
            _write(self._work, WORK.pack(cpu, len(request)) + request)
        os.close(self._work)


def _live(filter_code: bytes | None) -> None:
    """A child's life: the pages that any work touches become its own, then it waits, locks the door, and works."""
    child.warm_child()
    cpu, length = WORK.unpack(_read(confine.INPUT, WORK.size))
    request = _read(confine.INPUT, length)
    os.close(confine.INPUT)
    confine.lock_child(cpu=cpu, filter_code=filter_code)
    child.work(request)


def _serve(base: int, filter_code: bytes | None) -> None:
    waiting = _fork(base, filter_code)
    while True:
        length, cpu, wall = REQUEST.unpack(_read(_IN, REQUEST.size))
        request = _read(_IN, length)
        at_work = waiting or _fork(base, filter_code)
        if at_work is None:
            _reply(NO_CHILD, 0, b"")
            continue
        at_work.give(cpu, request)
        deadline = time.monotonic() + wall
        # The next one is forked while this one works: its fork is out of the time that its own work takes.
        waiting = _fork(base, filter_code)
        ended, answer = _collect(at_work.answer, deadline)
        os.close(at_work.answer)
        if ended != ENDED:
            os.kill(at_work.pid, signal.SIGKILL)
        _reply(ended, _reap(at_work.pid), answer)


def _fork(base: int, filter_code: bytes | None) -> _Child | None:
    try:
        return _Child(base, filter_code)
    except OSError:
        return None


def _collect(source: int, deadline: float) -> tuple[int, bytes]:
    """The child's answer up to its end of file, its time or its share."""
    poll = select.poll()
    poll.register(source, select.POLLIN)
    pieces: list[bytes] = []
    size = 0
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000 + 1):
            return TOO_SLOW, b"".join(pieces)
        piece = os.read(source, 1 << 16)
        if not piece:
            return ENDED, b"".join(pieces)
        pieces.append(piece)
        size += len(piece)
        if size > MAX_ANSWER:
            return TOO_MUCH, b""


def _reap(pid: int) -> int:
    """The exit status. A child that has closed its pipe has ended or is ending; one that lingers is killed."""
    for _ in range(200):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.0002)
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _reply(ended: int, status: int, answer: bytes) -> None:
    _write(_OUT, REPLY.pack(ended, status, len(answer)) + answer)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _read(descriptor: int, length: int) -> bytes:
    """Exactly `length` bytes; the end of this process where the other end has closed."""
    pieces: list[bytes] = []
    while length:
        piece = os.read(descriptor, min(length, 1 << 20))
        if not piece:
            os._exit(0)
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)


def _stay_behind(pid: int, parent: int) -> None:
    os.closerange(0, 4096)
    confine.lock_launcher()
    confine.die_with_parent(parent)
    # Asked to end, it ends the template first: so nobody is left to be waited for by somebody else.
    signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGKILL))
    os.waitpid(pid, 0)
    os._exit(0)


if __name__ == "__main__":
    main()
    sys.exit(0)
