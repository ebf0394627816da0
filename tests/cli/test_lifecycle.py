"""`up`, `down` and `status` with the real supervisord, storage, broker and medic; the other actors are small ones."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bus.process.lock import hold, holder
from cli import lifecycle
from ops.supervisor import ACTORS, Supervisor, kill, remains
from ops.surroundings import CONFIG
from protocol.errors import BatosError
from protocol.home import Home, find_home

pytestmark = pytest.mark.e2e

SMALL = Path(__file__).parents[1] / "ops"


class Told:
    """A progress that keeps what it was told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def make_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Home]]:
    monkeypatch.setenv("PYTHONPATH", str(SMALL))
    made: list[Home] = []

    def make(name: str = "") -> Home:
        home = find_home(Path(tempfile.mkdtemp(prefix="lc", dir="/tmp")) / name)
        made.append(home)
        return home

    yield make
    for home in made:
        left = remains(home)
        kill(list(left), signal.SIGKILL)
        shutil.rmtree(home.root if home.root.parent == Path("/tmp") else home.root.parent, ignore_errors=True)
        assert not left, "a test must not leave a process"


@pytest.fixture
def home(make_home: Callable[[str], Home]) -> Home:
    return make_home("a home")  # a name with a space, which must do no harm


def config(home: Home, **how: str) -> Path:
    """The packaged configuration with small actors in the places of the large ones."""
    text = CONFIG.read_text()
    for service in ("guardian", "inference", "memory", "orchestrator"):
        ending = f"{service} {how.get(service, '')}".rstrip()
        text, count = re.subn(rf"actors\.{service}$", f"small_actor {ending}", text, flags=re.MULTILINE)
        assert count == 1
    home.prepare()
    path = home.root / "test.conf"
    path.write_text(text)
    return path


async def up(home: Home, told: Told | None = None, **how: str) -> dict[str, Any]:
    return await lifecycle.up(home, told or Told(), config=config(home, **how), seconds=30)


async def down(home: Home) -> dict[str, Any]:
    return await lifecycle.down(home, Told())


async def until(condition: Callable[[dict[str, Any]], bool], home: Home) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            found = await lifecycle.status(home)
            if condition(found):
                return found
            await asyncio.sleep(0.02)


def arguments(pid: int) -> list[str]:
    """A process's arguments; none for one that has ended, reaped or not."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
    except FileNotFoundError:
        return []


def gone(home: Home) -> None:
    while Supervisor(home).pid() is not None:
        time.sleep(0.02)


async def test_up_status_down_and_each_of_them_twice(home: Home) -> None:
    told = Told()
    found = await up(home, told, inference="slow")
    assert found["ready"]
    assert not found["already"]
    assert "waiting for inference: the moon" in told.lines
    assert (await up(home))["already"]

    status = await lifecycle.status(home)
    json.dumps(status)
    assert set(status["actors"]) == set(ACTORS)
    for actor in status["actors"].values():
        assert (actor["state"], actor["ready"], actor["restarts"]) == ("RUNNING", True, 0)
        assert str(home.root) in arguments(actor["pid"])
    assert status["world"] == {"uri": "zeo://here", "tid": "0" * 16, "objects": 7}
    assert status["cycles"] == {"active": 0, "complete": 1, "failed": 2}
    assert home.supervisor_socket.stat().st_mode & 0o077 == 0
    assert home.run.stat().st_mode & 0o077 == 0

    before = remains(home)
    assert len(before) == len(ACTORS) + 2, "supervisord and the medic"
    stopped = await down(home)
    assert (stopped["already"], stopped["stopped"]) == (False, len(before))
    assert not remains(home)
    assert not any(arguments(pid) for pid in before)
    assert not any(path.exists() for path in home.socket_paths())
    assert (await down(home))["already"]
    status = await lifecycle.status(home)
    assert not status["ready"]
    assert {actor["state"] for actor in status["actors"].values()} == {"STOPPED"}


async def test_two_homes_side_by_side_and_two_ups_at_once(make_home: Callable[[str], Home]) -> None:
    one, other = make_home(""), make_home("")
    for path in one.prepare().socket_paths():
        with socket.socket(socket.AF_UNIX) as stale:  # of a dead run
            stale.bind(str(path))
    assert not (await lifecycle.status(one))["ready"]
    found = await asyncio.gather(up(one), up(one), up(other))
    assert all(each["ready"] for each in found)
    assert sorted(each["already"] for each in found[:2]) == [False, True]
    await down(one)
    assert (await lifecycle.status(other))["ready"]
    await down(other)


async def test_what_dies_comes_back_and_is_counted_and_what_hangs_is_seen(home: Home) -> None:
    found = await up(home)
    await asyncio.sleep(1.1)  # supervisord calls a process that dies in its first second a failed start
    for name in ("inference", "broker", "storage"):
        pid = found["actors"][name]["pid"]
        os.kill(pid, signal.SIGKILL)
        found = await until(
            lambda now, name=name, pid=pid: (  # type: ignore[misc]
                now["ready"] and now["actors"][name]["pid"] != pid and now["actors"][name]["restarts"] == 1
            ),
            home,
        )
    pid = found["actors"]["guardian"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    hanging = await lifecycle.status(home)
    assert time.monotonic() - began < 10, "it must not hang with what hangs"
    guardian = hanging["actors"]["guardian"]
    assert (guardian["ready"], guardian["pid"], hanging["ready"]) == (False, pid, False)
    assert hanging["actors"]["inference"]["ready"]
    await down(home)


async def test_who_is_stopped_is_replaced_whoever_it_is(home: Home) -> None:
    found = await up(home)
    pids = {name: found["actors"][name]["pid"] for name in ACTORS}
    await asyncio.sleep(1.1)
    for name in ACTORS:
        os.kill(pids[name], signal.SIGSTOP)
    again = await until(
        lambda now: now["ready"] and all(now["actors"][name]["pid"] not in (None, pids[name]) for name in ACTORS), home
    )
    assert all(actor["restarts"] >= 1 for actor in again["actors"].values())
    assert not any(arguments(pid) for pid in pids.values()), "before the next one started it was killed"
    log = (home.log / "medic.log").read_text()
    assert all(f'"process": "{name}"' in log for name in ACTORS)
    await down(home)


async def test_an_actor_that_cannot_live_fails_up_with_its_last_words(home: Home) -> None:
    with pytest.raises(BatosError, match="inference") as caught:
        await up(home, inference="dies")
    error = caught.value
    assert error.code == "NOT_READY"
    assert "no such model" in error.hint
    assert str(home.log / "inference.log") in error.hint
    assert not remains(home), "what was started is stopped"
    assert holder(home.run / "house.lock") is None


async def test_what_no_waiting_mends_is_told_at_once_under_its_own_code(home: Home) -> None:
    with pytest.raises(BatosError, match="inference: no model") as caught:
        await lifecycle.up(home, Told(), config=config(home, inference="hopeless"))
    error = caught.value
    assert (error.code, error.hint, error.data["process"]) == ("BAD_MODEL", "Give another.", "inference")
    assert not remains(home)
    assert (await up(home))["ready"], "what it said then is not believed for ever"
    await down(home)


async def test_who_gave_up_in_a_running_system_says_why_and_is_tried_again_by_up(home: Home) -> None:
    found = await up(home, memory="hopeless-later")
    mark = home.root / "broken"
    mark.touch()
    await asyncio.sleep(1.1)
    os.kill(found["actors"]["memory"]["pid"], signal.SIGKILL)
    status = await until(lambda now: "no model" in now["actors"]["memory"]["waiting_for"], home)
    assert "Give another." in status["actors"]["memory"]["waiting_for"]
    mark.unlink()
    again = await up(home, memory="hopeless-later")
    assert (again["ready"], again["already"]) == (True, True)
    await down(home)


@pytest.mark.parametrize("damage", [b"", b"no database at all", None])
async def test_a_world_that_cannot_be_read_is_told_at_once(home: Home, damage: bytes | None) -> None:
    home.prepare()
    if damage is None:
        await up(home)
        await down(home)
        data = home.database.read_bytes()
        damage = b"\0" * len(data)
    home.database.write_bytes(damage)
    if not damage:
        assert (await up(home))["ready"], "an empty file is an empty world"
        await down(home)
        return
    with pytest.raises(BatosError, match=re.escape(str(home.database))) as caught:
        await up(home)
    assert caught.value.code == "DAMAGED"
    assert str(home.world) in caught.value.hint
    assert not remains(home)


async def test_what_supervisord_cannot_begin_with_is_shown(home: Home) -> None:
    path = config(home)
    path.write_text(path.read_text().replace("startsecs = 1", "startsecs = soon"))
    with pytest.raises(BatosError, match="supervisord has ended") as caught:
        await lifecycle.up(home, Told(), config=path)
    assert "soon" in caught.value.hint
    assert not remains(home)


async def test_an_actor_that_is_never_ready_fails_up_in_time(home: Home) -> None:
    with pytest.raises(BatosError, match=r"not ready after 3 s: .*inference") as caught:
        await lifecycle.up(home, Told(), config=config(home, inference="never"), seconds=3)
    assert caught.value.code == "NOT_READY"
    assert not remains(home)


def kill_house(home: Home) -> None:
    house = Supervisor(home).pid()
    assert house is not None
    os.kill(house, signal.SIGKILL)
    gone(home)


def pids_of(found: dict[str, Any]) -> dict[str, int]:
    return {name: found["actors"][name]["pid"] for name in ACTORS}


async def test_who_outlives_its_supervisor_goes_on_under_the_next(home: Home) -> None:
    first = pids_of(await up(home))
    for _ in range(2):
        kill_house(home)
        left = await lifecycle.status(home)
        assert left["actors"]["broker"]["state"] == "UNSUPERVISED"
        told = Told()
        again = await up(home, told)
        assert (again["ready"], again["already"]) == (True, False)
        assert f"{len(ACTORS)} processes outlived their supervisor and go on" in told.lines
        assert pids_of(again) == first
        assert all(actor["restarts"] == 0 for actor in again["actors"].values())
    await asyncio.sleep(1.1)
    os.kill(first["inference"], signal.SIGKILL)
    os.kill(first["storage"], signal.SIGSTOP)
    again = await until(
        lambda now: now["ready"] and all(pids_of(now)[name] != first[name] for name in ("inference", "storage")), home
    )
    assert pids_of(again)["broker"] == first["broker"]
    assert again["actors"]["inference"]["restarts"] == 1
    assert again["actors"]["storage"]["restarts"] >= 1
    await down(home)
    assert not any(arguments(pid) for pid in first.values()), "they heard the signal through their attendants"
    broker = (home.log / "broker.log").read_text()
    assert "a worker leaves" in broker, "its log goes on without a supervisor"
    assert not remains(home)


async def test_what_is_no_actor_of_a_dead_supervisord_is_cleared_away(home: Home) -> None:
    first = pids_of(await up(home, orchestrator="dies-never"))
    kill_house(home)
    (home.run / "orchestrator.pulse").write_text("")
    other = pids_of(await up(home))
    assert other["orchestrator"] != first["orchestrator"], "it cannot be told from a stranger"
    assert not arguments(first["orchestrator"])
    assert other["guardian"] == first["guardian"]
    kill_house(home)
    await up(home, guardian="slow")
    await until(lambda now: now["ready"] and pids_of(now)["guardian"] not in (None, first["guardian"]), home)
    assert not arguments(first["guardian"]), "it was not started in these words"
    kill_house(home)
    assert not (await down(home))["already"], "down finds them too"
    assert not remains(home)


async def test_sockets_that_somebody_removes_are_made_anew(home: Home) -> None:
    found = await up(home)
    await asyncio.sleep(1.1)
    house = Supervisor(home).pid()
    for path in home.socket_paths():
        path.unlink()
    again = await up(home)
    assert (again["ready"], again["already"]) == (True, True)
    again = await until(lambda now: now["ready"] and all(path.exists() for path in home.socket_paths()), home)
    assert Supervisor(home).pid() == house
    assert Supervisor(home).processes()
    assert pids_of(again)["guardian"] == pids_of(found)["guardian"], "only who had a socket is started anew"
    lines = (home.log / "medic.log").read_text().splitlines()
    assert len(lines) < 20
    assert sum("its socket was removed" in line for line in lines) == 2
    await down(home)


async def test_a_home_that_something_else_holds_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "MUTE_S", 0.5)
    home.prepare()
    with hold(home.run / "house.lock", "the home"), pytest.raises(BatosError, match=str(os.getpid())) as caught:
        await up(home)
    assert caught.value.code == "HOME_HELD"
    assert not remains(home), "it is not ours to stop"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_interrupted_up_leaves_nothing(home: Home, number: signal.Signals) -> None:
    script = (
        "import asyncio, sys; from pathlib import Path; from cli import lifecycle; from protocol.home import find_home\n"
        "say = lambda line: print(line, flush=True)\n"
        "asyncio.run(lifecycle.up(find_home(sys.argv[1]), say, config=Path(sys.argv[2])))"
    )
    root = str(Path(lifecycle.__file__).parents[1])
    process = subprocess.Popen(  # noqa: ASYNC220 - it is waited for in a thread
        [sys.executable, "-c", script, str(home.root), str(config(home, inference="never"))],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([root, str(SMALL)])},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    while "the moon" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(number)
    rest, _ = await asyncio.to_thread(process.communicate)
    assert process.returncode != 0
    assert "stopping" in rest
    assert not remains(home)


async def test_bad_homes_are_refused_before_anything_starts(make_home: Callable[[str], Home]) -> None:
    home = make_home("")
    home.config.write_text("[inference]\nmodle = 3\n")
    with pytest.raises(BatosError, match="modle") as caught:
        await lifecycle.up(home, Told())
    assert caught.value.code == "BAD_CONFIG"
    deep = find_home(home.root / ("x" * 120))
    with pytest.raises(BatosError) as caught:
        await lifecycle.up(deep, Told())
    assert caught.value.code == "PATH_TOO_LONG"
    assert not deep.root.exists()
    assert (await lifecycle.down(deep, Told()))["already"]
    assert not (await lifecycle.status(deep))["ready"]
