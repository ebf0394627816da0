"""What this machine gives the jail: each layer is put on in a process of its own, and its wall is run against.

A layer counts when it has held, never because a call has returned. Every trial is a fork: whatever it does to itself,
or dies of, is over with it.
"""

from __future__ import annotations

import mmap
import os
import signal
from collections.abc import Callable, Mapping
from typing import Final, NoReturn

from actors.guardian.confinement import confine, seccomp, syscalls

SECONDS: Final = 5
"""After which a trial that does not end is killed by its own alarm."""
_NO_PROCESS: Final = "no process could be started to try it"
_SPARE: Final = 64 << 20


def layers() -> dict[str, str]:
    """Each layer, and why it cannot be had here; empty where it can."""
    return {layer: in_fork(trial) for layer, trial in TRIALS.items()}


def in_fork(trial: Callable[[], str]) -> str:
    """What `trial` comes to in a child: empty where its wall held."""
    source, sink = os.pipe()
    try:
        pid = os.fork()
    except OSError as error:
        os.close(source)
        os.close(sink)
        return f"{_NO_PROCESS}: {error.strerror}"
    if pid == 0:
        _try(trial, sink)
    os.close(sink)
    with os.fdopen(source, "rb") as pipe:
        said = pipe.read().decode(errors="replace")
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return said or ("" if status == 0 else f"the trial ended with {status}")


def _try(trial: Callable[[], str], sink: int) -> NoReturn:
    try:
        signal.alarm(SECONDS)
        syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
        reason = trial()
        if reason:
            os.write(sink, reason.encode())
        os._exit(0)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is the reason
        os.write(sink, f"{type(error).__name__}: {error}".encode())
    finally:
        os._exit(1)


def limits(base: int) -> str:
    """Whether memory beyond `base`, descriptors and processor time are limited. (Processes: the filter, for root.)"""
    return _dies(_out_of_time, signal.SIGPROF, "processor time") or in_fork(lambda: _in_limits(base))


def system_calls() -> str:
    """Whether a forbidden system call kills, and memory that is to be executed too."""
    if not seccomp.known():
        return "the system calls of this architecture are not known"
    for name, deed in _FORBIDDEN.items():
        reason = _dies(deed, signal.SIGSYS, name)
        if reason:
            return reason
    return ""


def _namespaces() -> str:
    entered, reason = confine.unshare()
    # Only children live in a new pid namespace.
    return reason if reason or not entered else in_fork(lambda: confine.tried(confine.empty_root))


def _dies(deed: Callable[[], object], of: signal.Signals, name: str) -> str:
    """Empty where `deed` is killed by the signal `of` in a locked child."""
    try:
        pid = os.fork()
    except OSError as error:
        return f"{_NO_PROCESS}: {error.strerror}"
    if pid == 0:
        try:
            # A failing trial must not leave a process behind, whatever is not limited here.
            signal.alarm(SECONDS)
            syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
            source, sink = os.pipe()
            confine.narrow_child(source, sink, base=confine.UNLIMITED)
            # The wider of the two filters: what it forbids, the other forbids too.
            widest = seccomp.program(confine.OUTPUT, confine.INPUT)
            confine.lock_child(cpu=0.01, filter_code=widest if of == signal.SIGSYS else None)
            deed()
        finally:
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return "" if status == -of else f"{name}: not stopped (the child ended with {status})"


def _out_of_time() -> None:
    while True:
        pass


def _in_limits(base: int) -> str:
    source, sink = os.pipe()
    # From here on nothing can be said but by the exit status.
    confine.narrow_child(source, sink, base=base)
    try:
        bytearray(confine.MEMORY + _SPARE)
    except MemoryError:
        pass
    else:
        os._exit(2)
    try:
        os.pipe()
    except OSError:
        return ""
    os._exit(3)


_FORBIDDEN: Final[Mapping[str, Callable[[], object]]] = {
    "open": lambda: os.open("/", os.O_RDONLY),
    "read elsewhere": lambda: os.read(confine.OUTPUT, 1),
    "write elsewhere": lambda: os.write(confine.INPUT, b"!"),
    "fork": os.fork,
    "executable memory": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC),
}

TRIALS: Final[Mapping[str, Callable[[], str]]] = {
    "namespaces": _namespaces,
    "landlock": lambda: confine.tried(confine.shut_files),
    "nobody": lambda: confine.tried(confine.become_nobody),
    "rlimits": lambda: limits(confine.memory_in_use()),
    "seccomp": system_calls,
}
