"""`python -m ops.house --home H`: supervisord for one home, in the background, holding the home's lock.

supervisord takes no lock of its own. This program takes one and then *becomes* supervisord, so the lock ends exactly when
supervisord does, however it dies. The command returns as soon as the lock is held, or with an exit code where another run
holds the home. What goes wrong afterwards stands in `log/house.log`.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from supervisor import loggers, supervisord

from bus.process.lock import hold
from bus.process.powers import FILES, JAILER, lay_down
from ops import limits
from ops.inherited import inherited, secrets
from ops.surroundings import CONFIG, environment
from ops.vitals import resume
from protocol.errors import BatosError
from protocol.home import Home, find_home


def main() -> int:
    parser = argparse.ArgumentParser(prog="ops.house", description="Run the processes of one home in the background.")
    parser.add_argument("--home", required=True)
    parser.add_argument("--config", default=str(CONFIG), help="another supervisord configuration")
    options = parser.parse_args()
    # supervisord sets no umask where it stays in the foreground. It keeps what its children are to keep.
    lay_down(keep=FILES | JAILER, new_powers=True)
    try:
        home = find_home(options.home).prepare()
        with hold(home.run / "house.lock", f"the home {home.root}") as lock:
            if os.fork():
                os._exit(0)
            _leave(home)
            os.ftruncate(lock, 0)
            os.pwrite(lock, b"%d\n" % os.getpid(), 0)
            home.supervisor_socket.unlink(missing_ok=True)
            ours = {**inherited(os.environ), **environment(home)}
            _prepare(secrets(os.environ))
            os.environ.clear()
            os.environ.update(ours)
            limits.widen()
            loggers.Handler.handleError = _lose
            _keep_socket(home.supervisor_socket)
            _keep_listening()
            supervisord.main(["-c", str(Path(options.config).absolute())])
    except BatosError as error:
        print(error, file=sys.stderr)  # noqa: T201 - `up` reads it
        return error.exit_code
    return 0


def _lose(_handler: loggers.Handler) -> None:
    """Lose a log line that a full disk does not take; supervisord itself would raise, and end."""


def _prepare(by_program: Mapping[str, Mapping[str, str]]) -> None:
    """Have supervisord start each program with its own of these beside what all inherit, which no file holds; and wake it
    when a program ends.
    """
    go = supervisord.go

    def prepared(options: Any) -> None:
        for group in options.process_group_configs:
            for program in group.process_configs:
                program.environment = {**(program.environment or {}), **by_program.get(program.name, {})}
        bell = _Bell()
        options.get_socket_map()[bell.inlet] = bell
        go(options)

    supervisord.go = prepared


class _Bell:
    """Wakes supervisord, which by itself looks once a second, when a signal comes: most are the end of a process.

    It takes a round to see the end, and the next round to start the process anew. So each signal rings twice. (Python
    writes a signal's number, which is not 0, to the descriptor; the rest is what supervisord asks of whom it polls.)
    """

    def __init__(self) -> None:
        self.inlet, self._outlet = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self._outlet, warn_on_full_buffer=False)

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def handle_read_event(self) -> None:
        if os.read(self.inlet, 4096).strip(b"\0"):
            os.write(self._outlet, b"\0")

    def handle_error(self) -> None:
        """Whatever it is, supervisord looks once a second all the same."""


def _keep_socket(path: Path) -> None:
    """Have supervisord make its socket anew where somebody has removed it; it looks once in each of its rounds."""
    tick = supervisord.Supervisor.tick

    def ticking(self: Any, now: float | None = None) -> None:
        if not path.exists() and path.parent.is_dir():
            self.options.close_httpservers()
            self.options.openhttpservers(self)
        tick(self, now)

    supervisord.Supervisor.tick = ticking


def _keep_listening() -> None:
    """Have supervisord let its event listener, the medic, go on where somebody has stopped it: nobody else looks after it."""
    tick = supervisord.Supervisor.tick

    def ticking(self: Any, now: float | None = None) -> None:
        for process in self.process_groups["medic"].processes.values() if "medic" in self.process_groups else ():
            if process.pid and resume(process.pid):
                self.options.logger.info("the medic was stopped and goes on")
        tick(self, now)

    supervisord.Supervisor.tick = ticking


def _leave(home: Home) -> None:
    """Leave the terminal and the folder of whoever started this."""
    os.setsid()
    os.chdir(home.root)
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(home.log / "house.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(nothing)
    os.close(log)


if __name__ == "__main__":
    sys.exit(main())
