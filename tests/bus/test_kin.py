"""Who is kin, as the kernel and supervisord say it: with real processes, and a small supervisord."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bus.kin import Kin, look, peer
from protocol.home import Home

HERE = Path(__file__).parent
SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")
NESTED = f"import subprocess, sys; p = subprocess.Popen({list(SLEEP)!r}); print(p.pid, flush=True); sys.stdin.read(); p.kill()"
BECOMES = (
    "import os, sys; os.execv(sys.executable, ['python', '-P', '-m', 'actors.orchestrator', '--home', sys.argv[1]])"
)


class Knowing:
    """A program of a house that knows its kin, and is asked for their names."""

    def __init__(self, home: Home, house: Any, folder: Path) -> None:
        self.out = folder / "answer"
        self.pid = house.start("broker", sys.executable, str(HERE / "small_kin.py"), str(home.run), str(self.out))
        wait_for(self.out.with_suffix(".began"))

    def name(self, pid: int) -> str | None:
        scratch = self.out.with_suffix(".asking")
        scratch.write_text(str(pid))
        scratch.rename(self.out.with_suffix(".ask"))
        wait_for(self.out)
        found: str | None = json.loads(self.out.read_text())
        self.out.unlink()
        return found


def wait_for(path: Path) -> None:
    until = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < until, path
        time.sleep(0.01)


@pytest.fixture
def stranger() -> Any:
    with subprocess.Popen(SLEEP) as process:
        yield process.pid
        process.kill()


@pytest.fixture
def attending(tmp_path: Path) -> Path:
    """Where a program `ops.attend` is that does nothing but stand."""
    folder = tmp_path / "packages" / "ops"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "attend.py").write_text("import time\ntime.sleep(600)\n")
    return folder.parent


def attendant(name: str, home: Home, pid: int) -> tuple[str, ...]:
    return (sys.executable, "-P", "-m", "ops.attend", name, "--home", str(home.root), "--pid", str(pid))


def test_in_a_home_kin_have_the_names_that_supervisord_gave_them(
    home: Home, make_house: Any, tmp_path: Path, stranger: int
) -> None:
    house = make_house()
    knowing = Knowing(home, house, tmp_path)
    assert knowing.name(house.start("memory", *SLEEP)) == "memory"
    assert knowing.name(house.start("inference", *SLEEP)) == "inference"
    assert knowing.name(stranger) is None
    assert knowing.name(os.getpid()) is None
    assert knowing.name(1) is None
    assert knowing.name(house.process.pid) is None, "supervisord serves nothing itself"


def test_kin_cannot_take_another_name_by_becoming_another_program(home: Home, make_house: Any, tmp_path: Path) -> None:
    house = make_house()
    knowing = Knowing(home, house, tmp_path)
    pid = house.start("guardian", sys.executable, "-c", BECOMES, str(tmp_path))
    until = time.monotonic() + 60
    while "actors.orchestrator" not in Path(f"/proc/{pid}/cmdline").read_text():
        assert time.monotonic() < until
        time.sleep(0.01)
    assert knowing.name(pid) == "guardian"


def test_what_kin_have_started_is_not_kin(home: Home, make_house: Any, tmp_path: Path) -> None:
    house = make_house()
    knowing = Knowing(home, house, tmp_path)
    out = tmp_path / "pid"
    shell = f"import subprocess, pathlib, time; p = subprocess.Popen({list(SLEEP)!r})\n"
    shell += f"pathlib.Path({str(out)!r} + '.new').write_text(str(p.pid)); pathlib.Path({str(out)!r} + '.new').rename({str(out)!r})\n"
    house.start("guardian", sys.executable, "-c", shell + "p.wait()")
    wait_for(out)
    grandchild = int(out.read_text())
    assert knowing.name(grandchild) is None
    os.kill(grandchild, 9)


def test_one_that_has_outlived_supervisord_is_kin_while_a_child_of_the_next_one_attends_it(
    home: Home, make_house: Any, tmp_path: Path, attending: Path, stranger: int
) -> None:
    first = make_house()
    knowing = Knowing(home, first, tmp_path)
    known, unknown = first.start("memory", *SLEEP), first.start("inference", *SLEEP)
    assert knowing.name(known) == "memory"
    first.kill()
    assert knowing.name(stranger) is None
    assert knowing.name(unknown) is None, "nobody is left who could say it"

    second = make_house(attending)
    later = second.start("guardian", *SLEEP)
    assert knowing.name(later) is None, "nothing says that the second house is the first one's heir"
    second.start("broker", *attendant("broker", home, knowing.pid))
    deadline = time.monotonic() + 60
    while knowing.name(later) != "guardian":
        assert time.monotonic() < deadline
    assert knowing.name(unknown) is None
    second.start("inference", *attendant("inference", home, unknown))
    while knowing.name(unknown) != "inference":
        assert time.monotonic() < deadline
    # A stranger's own claim is worth nothing, and neither is one for another home.
    with subprocess.Popen(
        attendant("orchestrator", home, stranger), env={**os.environ, "PYTHONPATH": str(attending)}
    ) as claim:
        assert knowing.name(stranger) is None
        claim.kill()
    elsewhere = Home(tmp_path)
    second.start("memory", *attendant("memory", elsewhere, stranger))
    time.sleep(0.3)
    assert knowing.name(stranger) is None


def test_whoever_has_taken_supervisords_socket_is_not_believed(home: Home, make_house: Any, tmp_path: Path) -> None:
    house = make_house()
    knowing = Knowing(home, house, tmp_path)
    home.supervisor_socket.rename(home.run / "theirs.sock")
    with socket.socket(socket.AF_UNIX) as false:
        false.bind(str(home.supervisor_socket))
        false.listen()
        assert knowing.name(house.start("memory", *SLEEP)) is None


def test_without_a_supervisord_kin_are_those_of_one_parent_and_may_be_anybody(home: Home) -> None:
    kin = Kin(home.run)
    with subprocess.Popen(SLEEP) as child:
        assert kin.may(look(child.pid), "memory"), "a child of this process"
        child.kill()
    me = look(os.getpid())
    assert me is not None
    assert kin.name(me) == ""
    with subprocess.Popen([sys.executable, "-c", NESTED], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert kin.name(look(int(child.stdout.readline())) or me) is None, "a child's child"
        child.communicate()
    assert not kin.may(None, "memory")


def test_the_kernel_says_who_is_at_the_other_end(short_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.bind(str(short_path / "s"))
        listener.listen()
        client.connect(str(short_path / "s"))
        connection, _ = listener.accept()
        with connection:
            assert peer(connection) == peer(client) == look(os.getpid())


def test_a_process_that_has_ended_is_none() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert look(process.pid) is None, "a zombie"
    process.wait()
    assert look(process.pid) is None
