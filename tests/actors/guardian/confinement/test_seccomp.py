"""The filter, tried from inside: what it kills, and the little that goes on under it."""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import socket
from collections.abc import Callable

import pytest

from actors.guardian.confinement import confine, seccomp

pytestmark = pytest.mark.skipif(not seccomp.known(), reason="this architecture's system calls are not known")


def narrowed() -> None:
    source, sink = os.pipe()
    confine.narrow_child(source, sink, base=1 << 40)


def filtered() -> None:
    narrowed()
    seccomp.install(seccomp.program(confine.OUTPUT))


def waiting() -> None:
    """As `filtered`, but what is to be read lies there already."""
    source, sink = os.pipe()
    os.write(sink, b"answer")
    confine.narrow_child(source, sink, base=1 << 40)
    seccomp.install(seccomp.program(confine.OUTPUT, confine.INPUT))


NATIVE = {
    "open": lambda: os.open("/etc/hostname", os.O_RDONLY),
    "stat": lambda: os.stat("/"),  # noqa: PTH116
    "fork": os.fork,
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "socket": lambda: socket.socket(socket.AF_UNIX),
    "kill": lambda: os.kill(os.getppid(), 0),
    "read elsewhere": lambda: os.read(confine.OUTPUT, 1),
    "read what is shut": lambda: os.read(0, 1),
    "read at a place": lambda: os.pread(confine.INPUT, 1, 0),
    "pipe": os.pipe,
    "write elsewhere": lambda: os.write(2, b"!"),
    "write to what is read": lambda: os.write(confine.INPUT, b"!"),
    "executable memory": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC),
    "ptrace": lambda: ctypes.CDLL(None).ptrace(0, 0, 0, 0),
    "unshare": lambda: ctypes.CDLL(None).unshare(0),
    "timer": lambda: signal.setitimer(signal.ITIMER_PROF, 0),
    "limits": lambda: os.nice(1),
    "signal handlers": lambda: signal.signal(signal.SIGPROF, signal.SIG_IGN),
    "signal masks": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPROF}),
    "sleep": lambda: __import__("time").sleep(0.01),
}


@pytest.mark.parametrize("deed", NATIVE.values(), ids=NATIVE.keys())
@pytest.mark.parametrize("filter_", [filtered, waiting])
def test_the_filter_kills_what_a_method_has_no_business_with(
    status_of, filter_: Callable[[], None], deed: Callable[[], object]
):
    assert status_of(deed, filter_) == -signal.SIGSYS


def test_only_a_child_that_may_wait_can_read_and_that_one_thing(status_of):
    def deed() -> None:
        if os.read(confine.INPUT, 6) != b"answer":
            os._exit(9)

    assert status_of(deed, waiting) == 0
    assert status_of(deed, filtered) == -signal.SIGSYS


def test_under_the_filter_plain_work_and_the_answer_go_on(status_of):
    assert status_of(lambda: os.write(confine.OUTPUT, bytes(len(sorted(range(10_000))))[:100]), filtered) == 0
