"""Who may register a service: a token for each of the home's own processes, handed over a plain unix socket.

ZeroMQ does not tell which process sends a message. Therefore the broker listens at a second socket, a plain unix socket, for
which the kernel tells it. A process of the home connects there, names its service, and gets a token that it must show in its
`ready`. A stranger gets no token, and an actor gets none for another actor's service. The process that asks checks in the
same way who answers.

There is one message in each direction (SOCK_SEQPACKET): the name of a service, then its token or nothing.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog

from bus import kin
from bus.process.often import Often
from protocol.errors import BatosError

SOCKET: Final = "join.sock"
PATIENCE_S: Final = 0.5
"""Who connects has its question ready."""
ANSWER_S: Final = 2 * kin.ANSWER_S
_MAX: Final = 256

_log = structlog.get_logger("broker")


class Admission:
    """The tokens that were handed out, each for one process and one service; a process that asks again gets its own."""

    def __init__(self, run: Path) -> None:
        self._path = run / SOCKET
        self._kin = kin.Kin(run)
        self._tokens: dict[tuple[kin.Process, str], str] = {}
        self._strangers = Often(_log, "a stranger asked to register and was refused")
        self._others = Often(_log, "a process of the home asked for another's service and was refused")
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def admits(self, token: str, service: str) -> bool:
        """Whether `token` was handed out for `service`; from any thread."""
        found = [theirs for (_, name), theirs in self._tokens.copy().items() if name == service]
        return any(hmac.compare_digest(theirs.encode(), token.encode()) for theirs in found)

    @contextmanager
    def open(self) -> Iterator[None]:
        """Listen within the block, on a thread of its own; what stands at the socket's path is a dead run's."""
        self._path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(str(self._path))
            listener.listen()
            thread = threading.Thread(target=self._run, args=[listener], name="admission", daemon=True)
            thread.start()
            try:
                yield
            finally:
                os.eventfd_write(self._wake, 1)
                thread.join()
                self._path.unlink(missing_ok=True)
                os.close(self._wake)

    def _run(self, listener: socket.socket) -> None:
        while True:
            ready, _, _ = select.select([listener.fileno(), self._wake], [], [])
            if self._wake in ready:
                return
            # Whoever goes in the middle of it has gone.
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(PATIENCE_S)
                    connection.send(self._answer(connection).encode())

    def _answer(self, connection: socket.socket) -> str:
        process = kin.peer(connection)
        name = self._kin.name(process) if process is not None else None
        if process is None or name is None:
            self._strangers.say(pid=process.pid if process is not None else 0)
            return ""
        service = connection.recv(_MAX).decode(errors="replace")
        if name not in ("", service):
            self._others.say(pid=process.pid, name=name, asked=service[:100])
            return ""
        return self._token(process, service)

    def _token(self, process: kin.Process, service: str) -> str:
        for known, name in list(self._tokens):
            if not known.same(kin.look(known.pid)):
                del self._tokens[known, name]
            elif known.same(process) and name == service:
                return self._tokens[known, name]
        token = self._tokens[process, service] = os.urandom(16).hex()
        return token


def ask(run: Path, relatives: kin.Kin, service: str) -> str:
    """A token for `service`, from the broker of the home. REFUSED to strangers; NOT_READY where no broker listens."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            connection.settimeout(ANSWER_S)
            connection.connect(str(run / SOCKET))
            if not relatives.may(kin.peer(connection), "broker"):
                raise BatosError("REFUSED", f"who listens at {run / SOCKET} is not this home's broker")
            connection.send(service.encode())
            token = connection.recv(_MAX).decode()
    except OSError as error:
        raise BatosError("NOT_READY", f"no broker answers at {run / SOCKET}: {error}", "It may be starting.") from error
    if not token:
        raise BatosError(
            "REFUSED",
            f"the broker does not let this process (pid {os.getpid()}) register {service}",
            "Only what the home's own supervisord has started as that service may; `batos up` does it.",
        )
    return token
