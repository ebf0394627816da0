"""A child as its template holds it: fed, listened to, stopped while it waits, and buried.

What it says is bytes of a hostile process, and how it behaves is its own affair: nothing is written to it that could
block, and nothing is waited for beyond its time. Only its first byte is looked at, which says whether it waits.
"""

from __future__ import annotations

import math
import os
import signal
import struct
import time
from typing import Final

from actors.guardian.confinement import confine, seccomp
from actors.guardian.jail import child

TASK: Final = struct.Struct("!?dI")
"""What a child is told first: whether it may wait, its processor seconds, and the length of its work."""
MAX_ANSWER: Final = 16 << 20
LINGER_S: Final = 0.04
"""Who has said its last word has so long to end by itself."""

ANSWERED, WAITS, ENDED, TOO_SLOW, TOO_MUCH, NO_CHILD, GONE = range(7)
"""How a work ended: its last word was heard, not yet (it waits for an answer), without a last word, killed by the clock,
killed for the size of its answer, not begun, or long ago."""

Filters = tuple[seccomp.Filter, seccomp.Filter]
"""The system call filters of a child that works to its end, and of one that may wait."""


class Forked:
    """Forked and warm, without any descriptor of ours but its two pipes, it waits for its one work.

    `deadline` is on the monotonic clock, and infinite while nothing is to be expected. OSError where there is no room
    for a process.
    """

    def __init__(self, base: int, filters: Filters | None) -> None:
        mine, self.work = os.pipe()
        self.answer, theirs = os.pipe()
        self.deadline = math.inf
        self._may_wait = False
        self._left = 0.0
        self._unsent = b""
        self._said = bytearray()
        me = os.getpid()
        try:
            self.pid = os.fork()
        except OSError:
            for descriptor in (mine, self.work, self.answer, theirs):
                os.close(descriptor)
            raise
        if self.pid == 0:
            try:
                confine.die_with_parent(me)
                confine.narrow_child(mine, theirs, base=base)
                _live(filters)
            finally:
                os._exit(1)
        os.close(mine)
        os.close(theirs)
        os.set_blocking(self.work, False)

    def begin(self, *, may_wait: bool, cpu: float, wall: float, work: bytes) -> None:
        """Hand the work over. (One that has died since it was forked says so by its silence.)"""
        self._may_wait = may_wait
        self._left = wall
        self._give(TASK.pack(may_wait, cpu, len(work)) + work)

    def resume(self, answer: bytes) -> None:
        """Let it go on, with the answer that it waits for."""
        os.kill(self.pid, signal.SIGCONT)
        self._give(child.ANSWER.pack(len(answer)) + answer)

    def send(self) -> bool:
        """Write what it takes now of what it has been given; whether that was all."""
        try:
            while self._unsent:
                self._unsent = self._unsent[os.write(self.work, self._unsent) :]
        except BlockingIOError:
            return False
        except BrokenPipeError:
            self._unsent = b""
        return True

    def hear(self) -> int | None:
        """Take in what it says; how its work has ended, or None while it goes on."""
        piece = os.read(self.answer, 1 << 16)
        self._said += piece
        if not piece:
            return ENDED
        if len(self._said) > MAX_ANSWER:
            return TOO_MUCH
        if len(self._said) < child.HEAD.size:
            return None
        what, length = child.HEAD.unpack_from(self._said)
        how = {child.LAST: ANSWERED, child.WAITS: WAITS if self._may_wait else None}.get(what)
        return how if len(self._said) == child.HEAD.size + length else None

    def said(self) -> bytes:
        """What it has said since it was last asked, less what begins it."""
        said = bytes(self._said[child.HEAD.size :])
        self._said.clear()
        return said

    def suspend(self) -> None:
        """Stop it: whatever it says of itself, no time passes for it, of any clock."""
        os.kill(self.pid, signal.SIGSTOP)
        self._left = self.deadline - time.monotonic()
        self.deadline = math.inf

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Have done with it but for its end: close its pipes."""
        os.close(self.work)
        os.close(self.answer)
        self.deadline = time.monotonic() + LINGER_S

    def buried(self) -> int | None:
        """The exit status of one that is closed, once it has ended. One that lingers is killed."""
        done, status = os.waitpid(self.pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if self.deadline <= time.monotonic():
            self.kill()
        return None

    def bury(self) -> int:
        """Close its pipes and wait for its end; the exit status."""
        self.close()
        while (status := self.buried()) is None:
            time.sleep(0.0002)
        return status

    def _give(self, data: bytes) -> None:
        self._unsent = data
        self.deadline = time.monotonic() + self._left


def _live(filters: Filters | None) -> None:
    """A child's life: the pages that any work touches become its own, then it waits, locks the door, and works."""
    child.warm_child()
    may_wait, cpu, length = TASK.unpack(child.read(confine.INPUT, TASK.size))
    request = child.read(confine.INPUT, length)
    if not may_wait:
        os.close(confine.INPUT)
    confine.lock_child(cpu=cpu, filter_code=None if filters is None else filters[may_wait])
    child.work(request)
