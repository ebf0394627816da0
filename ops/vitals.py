"""What can be seen of a home's processes without asking them: their arguments, their state, their pulse (`bus/process/pulse.py`).

`ops.attend` stands before the start of every process, so this imports next to nothing.
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import NamedTuple

ATTENDANT = "ops.attend"


class Vital(NamedTuple):
    """One process: the one letter of its `state` (proc(5)), its processor time in seconds, and the moment of its last
    `beat` on the monotonic clock, in seconds (0: it is starting or ending).
    """

    pid: int
    state: str
    cpu: float
    beat: float


def take(run: str, name: str) -> Vital | None:
    """The process whose pulse is `run/NAME.pulse`; None where there is none, or no process any more."""
    path = f"{run}/{name}.pulse"
    try:
        beat = os.stat(path).st_mtime_ns / 1e9  # noqa: PTH116 - pathlib is slow to import
        with open(path, "rb") as file:  # noqa: PTH123
            pid = int(file.read(32) or b"0")
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123
            fields = file.read().rpartition(b")")[2].split()
    except (OSError, ValueError):
        return None
    ticks = int(fields[11]) + int(fields[12])
    return Vital(pid, fields[0].decode(), ticks / os.sysconf("SC_CLK_TCK"), beat)


def resume(pid: int) -> bool:
    """Let a process go on that somebody has stopped (SIGSTOP); whether it was. One that a debugger holds is left to it."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123
            stopped = file.read().rpartition(b")")[2].split()[0] == b"T"
    except OSError:
        return False
    if stopped:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    return stopped


def arguments(pid: int) -> list[str]:
    """A process's arguments; none for one that has ended."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123
            return os.fsdecode(file.read()).split("\0")[:-1]
    except OSError:
        return []


def module(words: list[str], home: str) -> str:
    """The module of a process's arguments, if they are in the exact form in which all processes of `home` are started."""
    if words[1:3] != ["-P", "-m"]:
        return ""
    # An attendant says first for whom it stands.
    at = 5 if words[3:4] == [ATTENDANT] else 4
    return words[3] if words[at : at + 2] == ["--home", home] else ""


def attended(pid: int, home: str, name: str) -> int:
    """The process itself, where supervisord's `pid` is its attendant or about to become that; `pid` where nobody lives."""
    vital = take(f"{home}/run", name)
    lives = vital is not None and vital.state not in "ZX" and module(arguments(vital.pid), home)
    return vital.pid if vital is not None and lives else pid
