"""`python -P -m ops.attend NAME --home H MODULE [WORDS]`: how supervisord starts each of a home's processes.

Usually it becomes the process, by exec, so that there is no second process and the pid stays the same.

Where the process still lives because only its supervisord was killed, a second one would have to load the model again, and
the work under way would be lost. In this case the attendant attends the living process: it becomes
`… ops.attend NAME --home H --pid PID`, lives as long as that process, and passes on the signals by which supervisord stops
a process. Whether the living process is well is for the medic to judge.

Whoever finds that its own supervisord is dead ends and does nothing: the next supervisord starts others, and what ends those
that the dead one has left must not reach, through them, the process that is to live on.

A process that has ended for a reason that waiting does not mend (`bus/process/last_words.py`) is not started again at once:
its last words can be read for a while.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from typing import NoReturn

from ops.vitals import arguments, module, take

REST_S = 10.0
"""Between the last words of a process and its next start."""
STOP_S = 18.0
"""Less than supervisord's `stopwaitsecs`: its own last signal would end only the attendant."""
ATTENDING = "--pid"


def main(words: list[str]) -> NoReturn:
    name, _, home, what, *more = words
    if not _is_supervised(home):
        sys.exit(1)
    if what == ATTENDING:
        sys.exit(attend(home, int(more[0])))
    command = [sys.executable, "-P", "-m", what, "--home", home, *more]
    living = take(f"{home}/run", name)
    if living is not None and living.state not in "ZX":
        words = arguments(living.pid)
        if words == command:
            own = [sys.executable, "-P", "-m", "ops.attend", name, "--home", home, ATTENDING, str(living.pid)]
            os.execv(sys.executable, own)  # noqa: S606
        if module(words, home):
            _end(living.pid)  # it was started in other words, and holds what the next one needs
    _rest(f"{home}/run/{name}.words")
    _announce(f"{home}/run/{name}.pulse")
    os.environ["BATOS_LOG"] = f"{home}/log/{name}.log"
    os.execv(sys.executable, command)  # noqa: S606


def _end(pid: int) -> None:
    try:
        living = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    _signal(pid, signal.SIGKILL)
    select.select([living], [], [])


def attend(home: str, pid: int) -> int:
    """Live as long as process `pid` of `home` does; signals are handed on to it and to all of its group."""
    _end_with_supervisor(home)
    try:
        living = os.pidfd_open(pid)
    except ProcessLookupError:
        return 1
    if not module(arguments(pid), home):
        return 1  # that number is somebody else's by now
    asked: list[float] = []

    def hand_on(number: int, _frame: object) -> None:
        asked.append(time.monotonic())
        _signal(pid, number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, hand_on)
    poll = select.poll()
    poll.register(living, select.POLLIN)
    while not poll.poll(200):
        if asked and time.monotonic() - asked[0] > STOP_S:
            _signal(pid, signal.SIGKILL)
    return 0 if asked else 1


def _signal(pid: int, number: int) -> None:
    """To the process and its group; it is the leader of one, as supervisord makes it."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return


def _end_with_supervisor(home: str) -> None:
    """Be killed when supervisord is (prctl(2), PR_SET_PDEATHSIG): the next one starts attendants of its own."""
    import ctypes  # noqa: PLC0415 - who starts a process needs it not

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if not _is_supervised(home):
        sys.exit(1)  # it died before, and then no signal comes


def _is_supervised(home: str) -> bool:
    """Whether this process is a child of the supervisord that has the home: that wrote its pid into its lock."""
    try:
        with open(f"{home}/run/house.lock", "rb") as file:  # noqa: PTH123 - pathlib is slow to import
            return int(file.read(32) or b"0") == os.getppid()
    except (OSError, ValueError):
        return False


def _rest(words: str) -> None:
    until = time.monotonic() + REST_S
    while os.path.exists(words) and time.monotonic() < until:  # noqa: PTH110 - `up` takes them away: try again now
        time.sleep(0.1)
    with contextlib.suppress(OSError):
        os.unlink(words)  # noqa: PTH108


def _announce(pulse: str) -> None:
    """Say that the process is starting, under the pid that it will keep."""
    try:
        file = os.open(pulse, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.write(file, b"%d\n" % os.getpid())
        os.utime(file, ns=(0, 0))
        os.close(file)
    except OSError:
        return  # a full disk, perhaps: one without a pulse is only not looked after


if __name__ == "__main__":
    main(sys.argv[1:])
