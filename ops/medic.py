"""`python -m ops.medic --home H`: keeps the processes alive, as supervisord's event listener.

supervisord sees the end of a process at once (`ops/house.py`), looks at everything else once a second, and never retries
what it has declared FATAL. The medic wakes it ten times a second, and revives what is FATAL, at most `CAP` times in
`WINDOW_S`: a process that cannot live must not be started for ever. It ends a process that is alive but stuck, or has lost
its socket (`ops/watch.py` finds those), and supervisord starts it again. A supervisord that somebody has stopped is resumed
by the medic, and a stopped medic by supervisord. It counts every restart in `run/medic.json`, for `batos status`.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import sys
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
import structlog

from bus.process import logs
from bus.process.powers import lay_down
from ops.supervisor import ACTORS, Supervisor, kill
from ops.vitals import arguments, module, resume
from ops.watch import Patient, Watch
from protocol.errors import BatosError
from protocol.home import Home, find_home

POLL_S: Final = 0.1
CAP: Final = 5
WINDOW_S: Final = 600.0
REST_S: Final = 3.0
"""How long a process stays FATAL before it is revived."""

_log = structlog.get_logger("medic")


class Medic:
    """What the medic knows, and what is to be done; `now` is monotonic, in seconds."""

    def __init__(self, restarts: Mapping[str, int] | None = None) -> None:
        self.restarts: dict[str, int] = dict(restarts or {})
        self._fatal: dict[str, float] = {}
        self._revived: dict[str, deque[float]] = {}

    def observe(self, event: str, name: str, came_from: str, now: float) -> bool:
        """Take one event of supervisord; whether something counted has changed."""
        if event == "PROCESS_STATE_FATAL":
            self._fatal[name] = now
            return True
        self._fatal.pop(name, None)
        # The first start of a run comes from STOPPED; every other one is a restart.
        if event == "PROCESS_STATE_STARTING" and came_from != "STOPPED":
            self.restarts[name] = self.restarts.get(name, 0) + 1
            return True
        return False

    def due(self, now: float) -> list[str]:
        """The processes to revive now; each counts against its cap when it is named here."""
        names = []
        for name, since in list(self._fatal.items()):
            revived = self._revived.setdefault(name, deque())
            while revived and now - revived[0] > WINDOW_S:
                revived.popleft()
            if now - since >= REST_S and len(revived) < CAP:
                del self._fatal[name]
                revived.append(now)
                names.append(name)
        return names

    def fatal(self) -> list[str]:
        return sorted(self._fatal)


class _Counted(msgspec.Struct):
    supervisor: int
    restarts: dict[str, int]


class Events:
    """supervisord's event protocol on two descriptors: `READY`, an event, `RESULT`.

    http://supervisord.org/events.html#event-listener-notification-protocol
    """

    def __init__(self, inlet: int, outlet: int) -> None:
        self._inlet = inlet
        self._outlet = outlet
        self._buffer = b""
        os.write(outlet, b"READY\n")

    def read(self, seconds: float) -> list[tuple[str, dict[str, str]]]:
        """The events of the next `seconds`, acknowledged. EOFError when supervisord has gone."""
        if not select.select([self._inlet], [], [], seconds)[0]:
            return []
        data = os.read(self._inlet, 65536)
        if not data:
            raise EOFError
        self._buffer += data
        found = []
        while b"\n" in self._buffer:
            head, _, rest = self._buffer.partition(b"\n")
            header = _pairs(head)
            size = int(header["len"])
            if len(rest) < size:
                break
            found.append((header["eventname"], _pairs(rest[:size])))
            self._buffer = rest[size:]
            os.write(self._outlet, b"RESULT 2\nOKREADY\n")
        return found


def run(home: Home) -> None:
    """Care for the processes of `home` until supervisord ends."""
    supervisor = Supervisor(home)
    path = home.run / "medic.json"
    medic = Medic(_counted(path))
    _write(path, medic)
    for process in supervisor.processes().values():
        if process.state == "FATAL":  # since before this medic's time
            medic.observe("PROCESS_STATE_FATAL", process.name, "", time.monotonic())
    events = Events(0, 1)
    watch = Watch(home, ACTORS, home.actor_sockets())
    refused = ""
    next_poll = time.monotonic() + POLL_S
    while True:
        changed = False
        for event, fields in events.read(max(0.0, next_poll - time.monotonic())):
            name, came_from = fields.get("processname", ""), fields.get("from_state", "")
            changed |= medic.observe(event, name, came_from, time.monotonic())
            if event in ("PROCESS_STATE_EXITED", "PROCESS_STATE_BACKOFF", "PROCESS_STATE_FATAL"):
                _log.warning("a process ended", process=name, state=event.removeprefix("PROCESS_STATE_"), was=came_from)
        now = time.monotonic()
        if now >= next_poll:
            next_poll = now + POLL_S
            try:
                supervisor.wake()
                for name in medic.due(now):
                    _log.warning("a process is revived", process=name)
                    supervisor.start(name)
                refused = ""
            except BatosError as error:
                if resume(os.getppid()):
                    _log.warning("supervisord was stopped and goes on")
                # supervisord is stopping, or was quicker, or makes its socket anew; said once, though it is tried again.
                if error.message != refused:
                    refused = error.message
                    _log.info("supervisord does not take it", error=error.message)
            for patient in watch.look(time.monotonic()):
                _end(home, patient)
        if changed:
            _write(path, medic)


def _end(home: Home, patient: Patient) -> None:
    """End one that is stuck. By SIGKILL before its next start: one that is only stopped could go on beside that."""
    if not module(arguments(patient.pid), str(home.root)):
        return  # its number is somebody else's by now
    _log.warning("a process is ended", process=patient.name, pid=patient.pid, why=patient.why)
    kill([patient.pid], signal.SIGTERM if patient.gently else signal.SIGKILL)


def main() -> int:
    parser = argparse.ArgumentParser(prog="ops.medic", description="Keeps the processes of one home alive.")
    parser.add_argument("--home", required=True)
    options = parser.parse_args()
    logs.configure("medic")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        run(find_home(options.home))
    except (EOFError, BrokenPipeError):
        _log.info("supervisord has ended")
    except BatosError as error:
        _log.error("the medic cannot work", code=error.code, error=error.message)
        return error.exit_code
    return 0


def _pairs(line: bytes) -> dict[str, str]:
    return dict(word.split(":", 1) for word in line.decode().split())


def _counted(path: Path) -> dict[str, int]:
    """The counts that an earlier medic of the same supervisord left."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_Counted)
    except FileNotFoundError:
        return {}
    except msgspec.DecodeError:
        _log.warning("a damaged count of restarts was dropped", path=str(path))
        return {}
    return found.restarts if found.supervisor == os.getppid() else {}


def _write(path: Path, medic: Medic) -> None:
    state = {"supervisor": os.getppid(), "restarts": medic.restarts, "fatal": medic.fatal()}
    scratch = path.with_suffix(".new")
    scratch.write_text(json.dumps(state))
    scratch.replace(path)


if __name__ == "__main__":
    lay_down()
    sys.exit(main())
