"""Who belongs to a running home, as the kernel and its supervisord say it; a process's own word counts for nothing.

The kernel tells which process is at the other end of a unix socket (SO_PEERCRED, unix(7)), which process started it, and
when. The kin of a process are the other children of its parent. In a home the parent is supervisord, which knows each child
by a name. A process cannot change that name, not even by becoming another program. Without a supervisord, as in a test, kin
have no names, and every child of the same parent is accepted.

An actor that has outlived its supervisord counts as kin if a child of the present supervisord attends it:
`python -P -m ops.attend NAME --home H --pid PID` stands for the process PID, under the name that supervisord has for
the attendant.
"""

from __future__ import annotations

import http.client
import os
import socket
import struct
import xmlrpc.client
from pathlib import Path
from typing import Any, Final, NamedTuple

import structlog

from bus.process.lock import holder

ANSWER_S: Final = 2.0
"""Seconds that supervisord may take to say whom it runs."""
ATTENDANT: Final = ["-P", "-m", "ops.attend"]
_KNOWN: Final = 256

_log = structlog.get_logger("bus")


class Process(NamedTuple):
    """One process: `started` in clock ticks since the boot tells it from a later one of the same `pid`."""

    pid: int
    started: int
    parent: int
    session: int

    def same(self, other: Process | None) -> bool:
        return other is not None and (self.pid, self.started) == (other.pid, other.started)


def look(pid: int) -> Process | None:
    """The process `pid` as it is now; None where there is none (a zombie is none)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    state, parent, _, session, *rest = stat.rpartition(")")[2].split()
    return None if state in "ZX" else Process(pid, int(rest[15]), int(parent), int(session))


def peer(connection: socket.socket) -> Process | None:
    """Who is at the other end, or listens there; None for another user's process and one that has ended."""
    form = struct.Struct("3i")
    pid, user, _ = form.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, form.size))
    return look(pid) if user == os.geteuid() else None


class Kin:
    """The kin of this process, whose home has its sockets and locks in the folder `run`.

    To be made when the process begins: only then is it sure to see who started it.
    """

    def __init__(self, run: Path) -> None:
        self._run = run
        me, house = look(os.getpid()), look(os.getppid())
        # Who is of another session has only taken in an orphan: whoever started this process had ended by now.
        self._house = house if me is not None and house is not None and me.session == house.session else None
        self._supervised = self._house is not None and holder(run / "house.lock") == self._house.pid
        self._names: dict[tuple[int, int], str] = {}

    def may(self, process: Process | None, *names: str) -> bool:
        """Whether `process` is kin under one of `names`, or under none."""
        return process is not None and self.name(process) in ("", *names)

    def name(self, process: Process) -> str | None:
        """The name under which supervisord runs it; empty for kin without a supervisord, None for a stranger.

        This process itself, whoever started it and its own children are no strangers to it.
        """
        house = self._present()
        if os.getpid() in (process.pid, process.parent):
            return ""
        if house is None:
            return None
        if self._supervised:
            return self._named(house, process)
        mine = process.parent == house.pid and process.session == house.session
        return "" if mine or process.same(house) else None

    def _present(self) -> Process | None:
        """Whoever cares for this process now: who started it, or after that one's death who attends it."""
        if self._house is not None and self._house.same(look(self._house.pid)):
            return self._house
        house = look(holder(self._run / "house.lock") or 0)
        me = look(os.getpid())
        if house is None or me is None or not self._attendant(house, me):
            return None
        self._house, self._supervised = house, True
        return house

    def _named(self, house: Process, process: Process) -> str | None:
        known = self._names.get((process.pid, process.started))
        if known is not None:
            return known
        # By its parent first, so that a stranger costs supervisord nothing.
        stands = process.pid if process.parent == house.pid else self._attendant(house, process)
        name = self._programs(house).get(stands) if stands else None
        if name is not None:
            if len(self._names) >= _KNOWN:
                self._names.clear()
            self._names[process.pid, process.started] = name
        return name

    def _attendant(self, house: Process, process: Process) -> int:
        """The child of `house` that attends `process`; 0 where there is none."""
        home = str(self._run.parent)
        for entry in Path("/proc").iterdir():
            found = look(int(entry.name)) if entry.name.isdigit() else None
            # One that is younger than its attendant has only come by the number of who was attended.
            if found is None or found.parent != house.pid or found.started < process.started:
                continue
            words = _arguments(found.pid)
            options = dict(zip(words[5::2], words[6::2], strict=False))
            if words[1:4] == ATTENDANT and options == {"--home": home, "--pid": str(process.pid)}:
                return found.pid
        return 0

    def _programs(self, house: Process) -> dict[int, str]:
        """The names of the programs that supervisord runs, by pid; none where it does not answer."""
        body = xmlrpc.client.dumps((), "supervisor.getAllProcessInfo").encode()
        head = b"POST /RPC2 HTTP/1.0\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n" % len(body)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(ANSWER_S)
                connection.connect(str(self._run / "supervisor.sock"))
                if not house.same(peer(connection)):
                    _log.warning("another process has supervisord's socket", supervisord=house.pid)
                    return {}
                connection.sendall(head + body)
                response = http.client.HTTPResponse(connection)
                response.begin()
                programs: Any = xmlrpc.client.loads(response.read())[0][0]
        except (OSError, http.client.HTTPException, xmlrpc.client.Error) as error:
            _log.warning("supervisord does not say whom it runs", error=f"{type(error).__name__}: {error}")
            return {}
        return {program["pid"]: program["name"] for program in programs}


def _arguments(pid: int) -> list[str]:
    try:
        return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes()).split("\0")[:-1]
    except OSError:
        return []
