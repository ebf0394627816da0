"""A home's supervisord, seen from outside: start it, ask it, stop it, and find what it has left behind."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import xmlrpc.client
from pathlib import Path
from typing import Any, Final

import msgspec

from bus.process.lock import holder
from ops import limits
from ops.surroundings import CONFIG, environment
from ops.vitals import arguments, attended, module, take
from protocol.errors import BatosError
from protocol.home import Home
from protocol.names import SERVICES

ACTORS: Final = ("storage", "broker", *SERVICES)
ANSWER_S: Final = 3.0
"""Seconds that supervisord may take to answer; it answers at once unless it is stopped."""


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """One program as supervisord sees it: its state (`RUNNING`, `BACKOFF`, …), its pid (0: none), its log.

    The pid is that of the process itself, also where supervisord has only an attendant of it (`ops/attend.py`).
    """

    name: str
    state: str
    pid: int
    uptime_s: float
    log: str
    error: str = ""


class Supervisor:
    """The supervisord of `home`. Its methods block for at most `ANSWER_S`, and raise NOT_RUNNING without an answer."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def pid(self) -> int | None:
        """The process that holds the home, or None."""
        return holder(self._home.run / "house.lock")

    def processes(self) -> dict[str, Process]:
        """All programs, by name."""
        found = {}
        for info in self._call("getAllProcessInfo"):
            found[info["name"]] = Process(
                name=info["name"],
                state=info["statename"],
                pid=info["pid"] and attended(info["pid"], str(self._home.root), info["name"]),
                uptime_s=max(0.0, float(info["now"] - info["start"])) if info["pid"] else 0.0,
                log=str(self._home.root / (info["stdout_logfile"] or info["stderr_logfile"])),
                error=info["spawnerr"],
            )
        return found

    def wake(self) -> None:
        """Make supervisord look after its processes now; by itself it does so once a second."""
        self._call("getState")

    def start(self, name: str) -> None:
        """Start a program, without waiting for it; one that runs already is left alone."""
        self._call("startProcess", name, False)

    def stop(self, name: str) -> None:
        """Have a program end, without waiting for it; one that does not run is left alone."""
        if self.processes()[name].state not in {"STOPPED", "EXITED", "FATAL"}:
            self._call("stopProcess", name, False)

    def shutdown(self) -> None:
        self._call("shutdown")

    def _call(self, method: str, *arguments: Any) -> Any:
        transport = _UnixTransport(self._home.supervisor_socket)
        with xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=transport) as server:
            try:
                return getattr(server.supervisor, method)(*arguments)
            except xmlrpc.client.Fault as fault:
                raise BatosError("CONFLICT", f"supervisord refuses {method}: {fault.faultString}") from fault
            except (OSError, http.client.HTTPException, xmlrpc.client.Error) as error:
                raise BatosError("NOT_RUNNING", f"supervisord does not answer: {error}") from error


def launch(home: Home, config: Path = CONFIG) -> bool:
    """Start supervisord for `home` in the background; False where another run has the home by now. LIMIT, NOT_READY."""
    limits.check()
    command = [sys.executable, "-P", "-m", "ops.house", "--home", str(home.root), "--config", str(config)]
    ended = subprocess.run(  # noqa: S603 - our own interpreter and module
        command,
        env={**os.environ, **environment(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if ended.returncode and "HOME_HELD" not in ended.stderr:
        raise BatosError("NOT_READY", f"supervisord could not be started: {ended.stderr.strip()[-1000:]}")
    return ended.returncode == 0


def remains(home: Home) -> dict[int, str]:
    """The processes of `home` that are alive now, by pid, with the module that each runs.

    They are those that were started for this home, by their arguments, and all in the session of the supervisord that
    holds the home; a zombie is none.
    """
    house = holder(home.run / "house.lock")
    if house and arguments(house)[3:4] != ["ops.house"]:
        house = None  # somebody else's process: its session is no business of ours
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        words = arguments(int(entry.name))
        try:
            session = int((entry / "stat").read_text().rpartition(")")[2].split()[3])
        except OSError:
            continue  # it has just ended
        what = module(words, str(home.root))
        if what or (house and session == house and words):
            found[int(entry.name)] = what or words[0]
    return found


def orphans(home: Home) -> dict[int, str]:
    """Those of `remains` that a new supervisord will attend: each actor by its pulse, and all of its group."""
    actors = {vital.pid for name in ACTORS if (vital := take(str(home.run), name)) is not None}
    found = {}
    for pid, what in remains(home).items():
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(pid) in actors:
                found[pid] = what
    return found


def kill(pids: list[int], number: signal.Signals) -> None:
    """Send a signal to each that is still there."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = _UnixConnection(self._path)
        self._connection = (host, connection)  # so that close() finds it
        return connection


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=ANSWER_S)
        self._path = path

    def connect(self) -> None:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(ANSWER_S)
            connection.connect(str(self._path))
        except OSError:
            connection.close()
            raise
        self.sock = connection
