"""The attendant of a process that outlived its supervisord: it hands signals on, but only for a supervisord that lives."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

STANDING = "import time\ntime.sleep(600)\n"
SUPERVISOR = """
import os, sys
home, pid, dies = sys.argv[1:]
with open(f"{home}/run/house.lock", "w") as file:
    file.write(f"{os.getpid()}\\n")
until, alive = os.pipe()
attendant = os.fork()
if not attendant:
    os.close(alive)
    if dies == "before":
        os.read(until, 1)  # until nobody holds the other end any more
    os.execv(sys.executable, [sys.executable, "-P", "-m", "ops.attend", "x", "--home", home, "--pid", pid])
print(attendant, flush=True)
sys.stdin.read()
"""
LONG_S = 10.0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path


@pytest.fixture
def living(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of `home`, the leader of its group as supervisord makes it."""
    (home / "standing.py").write_text(STANDING)
    command = [sys.executable, "-P", "-m", "standing", "--home", str(home)]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(home)}, start_new_session=True) as process:
        yield process
        process.kill()


def supervised(home: Path, living: int, dies: str) -> tuple[subprocess.Popen[bytes], int]:
    """What stands for supervisord, and the pid of the attendant that it starts; it dies where its input ends."""
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(home), str(living), dies],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert supervisor.stdout is not None
    return supervisor, int(supervisor.stdout.readline())


def ended(pid: int) -> bool:
    """Whether the process has ended within a long while; it need not be ours."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], LONG_S)[0])
    finally:
        os.close(descriptor)


def until_it_listens(pid: int) -> None:
    """Wait until the attendant hands SIGTERM on (the mask of caught signals in proc(5))."""
    bit = 1 << (signal.SIGTERM - 1)
    deadline = time.monotonic() + LONG_S
    while time.monotonic() < deadline:
        status = Path(f"/proc/{pid}/status").read_text()
        if int(status.split("SigCgt:")[1].split()[0], 16) & bit:
            return
        time.sleep(0.01)
    raise AssertionError("the attendant never listened")


def test_a_signal_reaches_the_living_process_through_its_attendant(home: Path, living: subprocess.Popen[bytes]) -> None:
    supervisor, attendant = supervised(home, living.pid, "after")
    with supervisor:
        until_it_listens(attendant)
        os.kill(attendant, signal.SIGTERM)
        assert living.wait(LONG_S) == -signal.SIGTERM


def test_an_attendant_ends_with_its_supervisor_and_the_living_process_goes_on(
    home: Path, living: subprocess.Popen[bytes]
) -> None:
    supervisor, attendant = supervised(home, living.pid, "after")
    with supervisor:
        until_it_listens(attendant)
    assert ended(attendant)
    assert living.poll() is None


def test_who_begins_after_its_supervisor_died_attends_nobody(home: Path, living: subprocess.Popen[bytes]) -> None:
    supervisor, attendant = supervised(home, living.pid, "before")
    with supervisor:
        pass
    assert ended(attendant)
    assert living.poll() is None


def test_who_begins_after_its_supervisor_died_starts_nothing(home: Path) -> None:
    (home / "run" / "house.lock").write_text("1\n")
    command = [sys.executable, "-P", "-m", "ops.attend", "x", "--home", str(home), "standing"]
    assert subprocess.run(command, check=False, cwd=Path(__file__).parents[2]).returncode == 1
    assert not (home / "run" / "x.pulse").exists()
