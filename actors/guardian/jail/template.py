"""The template: a small process that holds nothing but the gates and the runtime, and forks a child for each work.

A fork of what is already loaded costs about a millisecond, where a fresh Python costs a hundred; and one child is
always forked and warm before its work arrives. The template is started with an empty environment, puts the jail on,
says which layers hold, and from then on moves bytes: it never looks into a request or an answer, so no text can hurt
it. In its pid namespace it is process 1: when it dies, the kernel ends everything in there.

Each work has a number, of the guardian's choice. One that waits for an answer is stopped, and costs nothing but its
memory; the template serves others meanwhile.

    in   what to do, the number, processor seconds, wall seconds, length, then the work or the answer that it waits for
    out  the number, how it ended, the exit status, length, then the answer

A drop has no reply.
"""

from __future__ import annotations

import contextlib
import gc
import json
import math
import os
import select
import signal
import struct
import sys
import time
import warnings
from typing import Final, NoReturn

from actors.guardian.confinement import confine, seccomp, survey
from actors.guardian.jail import child
from actors.guardian.jail.forked import ANSWERED, ENDED, GONE, NO_CHILD, TOO_MUCH, TOO_SLOW, WAITS, Filters, Forked

REQUEST: Final = struct.Struct("!BIddI")
REPLY: Final = struct.Struct("!IBiI")

WORK, MAY_WAIT, RESUME, DROP = range(4)
"""What to do: a work to its end, one that may wait at its sends, go on with one that waits, or end one at once."""
HELLO: Final = 0
"""The number of the first reply, which nobody has asked for."""

_IN, _OUT = 0, 1


def main() -> None:
    """Serve until the other end closes. (Started by `actors.guardian.jail.jail` only.)"""
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
    _reply(HELLO, ENDED, 0, hello)
    filters = None
    if not missing["seccomp"]:
        filters = seccomp.program(confine.OUTPUT), seccomp.program(confine.OUTPUT, confine.INPUT)
    _Template(base, filters).serve()


class _Template:
    """Its children by number, and the one that is forked and warm for whom comes next."""

    def __init__(self, base: int, filters: Filters | None) -> None:
        self._base = base
        self._filters = filters
        self._children: dict[int, Forked] = {}
        self._dying: list[Forked] = []
        self._numbers: dict[int, int] = {}  # by descriptor
        self._poll = select.poll()
        self._poll.register(_IN, select.POLLIN)
        self._next = self._fork()

    def serve(self) -> NoReturn:
        while True:
            # The requests last: what they open must not be taken for what was ready before it was closed.
            for descriptor, _ in sorted(self._poll.poll(self._patience()), reverse=True):
                if descriptor == _IN:
                    self._request()
                elif descriptor in self._numbers:
                    self._ready(self._numbers[descriptor], descriptor)
            for number, one in list(self._children.items()):
                if one.deadline <= time.monotonic():
                    self._end(number, TOO_SLOW)
            self._dying = [one for one in self._dying if one.buried() is None]

    def _patience(self) -> float | None:
        """Milliseconds until a child's time is up."""
        first = min((one.deadline for one in [*self._children.values(), *self._dying]), default=math.inf)
        return None if first == math.inf else max(0.0, (first - time.monotonic()) * 1000) + 1

    def _request(self) -> None:
        verb, number, cpu, wall, length = REQUEST.unpack(child.read(_IN, REQUEST.size))
        data = child.read(_IN, length)
        if verb == DROP:
            self._end(number, None)
        elif verb == RESUME:
            one = self._children.get(number)
            if one is None:
                _reply(number, GONE, 0, b"")
                return
            one.resume(data)
            self._listen(number, one)
        else:
            self._begin(number, verb == MAY_WAIT, cpu, wall, data)

    def _begin(self, number: int, may_wait: bool, cpu: float, wall: float, work: bytes) -> None:
        one = self._next or self._fork()
        if one is None:
            _reply(number, NO_CHILD, 0, b"")
            return
        one.begin(may_wait=may_wait, cpu=cpu, wall=wall, work=work)
        self._children[number] = one
        self._listen(number, one)
        # The next one is forked while this one works: its fork is out of the time that its own work takes.
        self._next = self._fork()

    def _listen(self, number: int, one: Forked) -> None:
        self._numbers[one.answer] = self._numbers[one.work] = number
        self._poll.register(one.answer, select.POLLIN)
        if not one.send():
            self._poll.register(one.work, select.POLLOUT)

    def _deafen(self, one: Forked) -> None:
        for descriptor in (one.answer, one.work):
            if self._numbers.pop(descriptor, None) is not None:
                with contextlib.suppress(KeyError):
                    self._poll.unregister(descriptor)

    def _ready(self, number: int, descriptor: int) -> None:
        one = self._children[number]
        if descriptor == one.work:
            if one.send():
                self._poll.unregister(descriptor)
            return
        how = one.hear()
        if how == WAITS:
            one.suspend()
            self._deafen(one)
            _reply(number, WAITS, 0, one.said())
        elif how is not None:
            self._end(number, how)

    def _end(self, number: int, how: int | None) -> None:
        """The end of a child; `how` is told, where anybody is to be told."""
        one = self._children.pop(number, None)
        if one is None:
            return
        self._deafen(one)
        if how == ANSWERED:
            # Told before it is dead: to take a process down costs as much as many a work.
            _reply(number, how, 0, one.said())
        if how != ENDED:
            one.kill()
        if how in {ANSWERED, None}:
            one.close()
            self._dying.append(one)
            return
        status = one.bury()
        _reply(number, how, status, b"" if how == TOO_MUCH else one.said())

    def _fork(self) -> Forked | None:
        try:
            return Forked(self._base, self._filters)
        except OSError:
            return None


def _reply(number: int, how: int, status: int, answer: bytes) -> None:
    data = REPLY.pack(number, how, status, len(answer)) + answer
    while data:
        data = data[os.write(_OUT, data) :]


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
