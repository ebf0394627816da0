"""`up`, `down` and `status`: the life of one home's processes, as a person meets it.

`up` is done when every actor has said itself that it is ready; that its process exists is not enough. Where `up` fails, it
stops what it has started, so that a home is either up or down. `down` is done when no process of the home is left, however
it was started.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from bus.process.lock import hold
from cli.health.census import Census, census, describe
from cli.health.configured import check_models
from ops.supervisor import ACTORS, Supervisor, kill, launch, orphans, remains
from ops.surroundings import CONFIG
from ops.vitals import resume
from protocol.errors import BatosError
from protocol.home import Home

UP_S: Final = 180.0
DOWN_S: Final = 60.0
POLL_S: Final = 0.1
ROOM: Final = 4 << 20
"""Bytes that locks, logs and the files beside the stores take before anything is done."""
MUTE_S: Final = 8.0
"""A home is held by something that is not our supervisord when its lock is held and nobody answers for so long."""
GRACE_S: Final = 2.0
"""Between the end of its lock and its own, supervisord has only to exit."""
_PERCENT: Final = re.compile(r"\b(\d?)\d %")
"""Of a share that grows a tenth is news."""
DEATHS: Final = 3
"""A process that has died so often while `up` waited will not come up."""

Progress = Callable[[str], None]


async def up(home: Home, progress: Progress, *, config: Path = CONFIG, seconds: float = UP_S) -> dict[str, Any]:
    """Start the system, or join a start under way; `status`'s shape, and `already`: it ran before.

    The experts that ship come in once everybody is ready.

    Raises NOT_READY (an actor died or was not ready in `seconds`; what was started is stopped again), HOME_HELD,
    PATH_TOO_LONG, BAD_CONFIG, STORAGE, LIMIT, and whatever an actor met that no waiting mends.
    """
    check_models(home, home.prepare().settings())
    _let_go_on(home, progress)
    _check_room(home)
    launching = asyncio.create_task(_launch(home, progress, config))
    with _terminable():
        try:
            if not await asyncio.shield(launching):
                await asyncio.to_thread(_try_again, home)
            found = await _until_ready(home, progress, seconds)
        except (BatosError, asyncio.CancelledError):
            if await launching:
                progress("it did not come up; stopping what was started")
                await _stop(home, progress)
            raise
    from cli import shipped  # noqa: PLC0415 - whoever asks how the system is does not wait for what only a start needs

    if await shipped.bring(home, found.statuses["inference"].detail, progress):
        found = await census(home)
    return {**describe(home, found), "already": not launching.result()}


async def down(home: Home, progress: Progress) -> dict[str, Any]:
    """Drain and stop all processes of the home: `{"already": nothing ran, "stopped": how many}`."""
    before = remains(home)
    if before:
        await _stop(home, progress)
    else:
        _tidy(home)
    return {"already": not before, "stopped": len(before)}


async def restart(home: Home, name: str, progress: Progress, *, seconds: float = UP_S) -> None:
    """Start one actor of a running system anew, and return when all are ready. Raises what `up` does."""
    supervisor = Supervisor(home)
    progress(f"starting {name} anew")
    await asyncio.to_thread(supervisor.stop, name)
    until = time.monotonic() + DOWN_S
    while (await asyncio.to_thread(supervisor.processes))[name].state in {"RUNNING", "STARTING", "STOPPING"}:
        if time.monotonic() > until:
            raise BatosError("BUSY", f"{name} does not end", "It may wait for a disk; try again.")
        await asyncio.sleep(POLL_S)
    (home.run / f"{name}.words").unlink(missing_ok=True)
    await asyncio.to_thread(supervisor.start, name)
    with _terminable():
        # The others go on as they were; what they are needs no telling.
        await _until_ready(home, progress, seconds, said={(other, "") for other in ACTORS if other != name})


async def status(home: Home) -> dict[str, Any]:
    """Each actor as it is now; never raises because one is dead, and never waits long for one that hangs."""
    return describe(home, await census(home))


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM cancel the task of the block, as Ctrl-C does, so that it can clean up."""
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    if task is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


async def _launch(home: Home, progress: Progress, config: Path) -> bool:
    """Whether this call has started supervisord; False where it runs, or another `up` is starting it."""
    supervisor = Supervisor(home)
    until = time.monotonic() + MUTE_S
    while True:
        if supervisor.pid() is not None:
            return False
        try:
            with hold(home.run / "up.lock", "the start of this home"):
                if supervisor.pid() is None:
                    await _take_over(home, progress)
                return await asyncio.to_thread(launch, home, config)
        except BatosError as error:
            if error.code != "HOME_HELD" or time.monotonic() > until:
                raise
            await asyncio.sleep(POLL_S)


async def _take_over(home: Home, progress: Progress) -> None:
    """What a dead supervisord has left: its actors live on under the next one, everything else is ended."""
    living = orphans(home)
    left = {pid: what for pid, what in remains(home).items() if pid not in living}
    if left:
        progress(f"stopping {len(left)} processes that a dead run has left")
        await _end(home, left, spared=living)
    if living:
        progress(f"{len(living)} processes outlived their supervisor and go on")
    else:
        _tidy(home)
    for words in home.run.glob("*.words"):
        words.unlink(missing_ok=True)


def _check_room(home: Home) -> None:
    """STORAGE where nothing could start for want of room; who runs already waits for some."""
    found = os.statvfs(home.root)
    free = found.f_bavail * found.f_frsize
    if free < ROOM and Supervisor(home).pid() is None:
        raise BatosError(
            "STORAGE",
            f"the disk of {home.root} has {free} bytes left, and a start needs {ROOM}",
            "Make room there, or choose a home on another disk: --home, or BATOS_HOME.",
        )


def _let_go_on(home: Home, progress: Progress) -> None:
    """Let whoever somebody has stopped (SIGSTOP) go on; while the system runs, its own processes do it for each other."""
    for pid, what in remains(home).items():
        if resume(pid):
            progress(f"{what} (process {pid}) was stopped, and goes on")


def _try_again(home: Home) -> None:
    """Have whoever gave up begin anew: somebody may have mended what it gave up for."""
    supervisor = Supervisor(home)
    for words in home.run.glob("*.words"):
        words.unlink(missing_ok=True)
    with contextlib.suppress(BatosError):  # supervisord is only starting; then nobody has given up
        for process in supervisor.processes().values():
            if process.state == "FATAL":
                supervisor.start(process.name)


async def _until_ready(home: Home, progress: Progress, seconds: float, said: Iterable[tuple[str, str]] = ()) -> Census:
    """The census in which all are ready. What is in `said`, who waits for what, is not told again."""
    started = time.monotonic()
    answered = started
    seen: dict[str, set[int]] = {}
    told = set(said)
    news: set[tuple[str, str]] = set()
    while True:
        found = await census(home)
        now = time.monotonic()
        # Who gets on is waited for: a large model is read for longer than anything else takes.
        waits = {(name, found.waits(name)) for name in ACTORS}
        if not waits <= news:
            started, news = now, news | waits
        if found.house is None:
            raise BatosError("NOT_READY", "supervisord has ended", _last_said(home))
        if found.supervised:
            answered = now
        elif now - answered > MUTE_S:
            raise BatosError(
                "HOME_HELD",
                f"{home.root} is held by process {found.house}, whose supervisord does not answer",
                f"If it hangs, `kill -9 {found.house}`, then `batos up` again.",
                pid=found.house,
            )
        _fail_if_hopeless(home, found, seen)
        if found.ready:
            return found
        _say_waits(found, told, progress)
        if now - started > seconds:
            waiting = ", ".join(f"{name} ({found.waits(name)})" for name in ACTORS if found.waits(name))
            raise BatosError("NOT_READY", f"not ready after {seconds:g} s: {waiting}", f"The logs are in {home.log}.")
        await asyncio.sleep(POLL_S)


def _say_waits(found: Census, said: set[tuple[str, str]], progress: Progress) -> None:
    """Say what each actor waits for, and each thing once: on a loaded machine one may fall silent again and again."""
    for name in ACTORS:
        waits = _PERCENT.sub(r"\g<1>0 %", found.waits(name))
        if (name, waits) not in said and found.state(name) not in ("STOPPED", "STARTING"):
            said.add((name, waits))
            progress(f"waiting for {name}: {waits}" if waits else f"{name} is ready")


def _fail_if_hopeless(home: Home, found: Census, seen: dict[str, set[int]]) -> None:
    """Raise the last words of a process, or NOT_READY for one that supervisord has given up or that dies repeatedly."""
    for name, error in found.words.items():
        log = str(home.log / f"{name}.log")
        raise BatosError(
            error.code, f"{name}: {error.message}", error.hint, **{**error.data, "process": name, "log": log}
        )
    for process in found.processes.values():
        pids = seen.setdefault(process.name, set())
        if process.pid:
            pids.add(process.pid)
        if process.state == "FATAL" or len(pids) > DEATHS:
            how = "cannot be started" if process.state == "FATAL" else "dies again and again"
            raise BatosError(
                "NOT_READY",
                f"{process.name} {how}{': ' + process.error if process.error else ''}",
                _tail(Path(process.log)),
                process=process.name,
                log=process.log,
            )


async def _stop(home: Home, progress: Progress) -> None:
    supervisor = Supervisor(home)
    _let_go_on(home, progress)  # who is stopped hears no signal to end
    stopping = remains(home)
    progress(f"stopping {len(stopping)} processes")
    house = supervisor.pid()
    if house in stopping:
        try:
            await asyncio.to_thread(supervisor.shutdown)
        except BatosError:
            # It is starting, stopping or stuck; a signal reaches it in each case.
            kill([house], signal.SIGTERM)
    until = time.monotonic() + DOWN_S
    while house in stopping and supervisor.pid() == house and time.monotonic() < until:
        try:
            await asyncio.to_thread(supervisor.wake)
        except BatosError:
            # Refused while it shuts down, which wakes it all the same.
            await asyncio.sleep(POLL_S / 2)
    until = time.monotonic() + GRACE_S
    while (left := remains(home)) and time.monotonic() < until:  # noqa: ASYNC110 - the end of a process is no event
        await asyncio.sleep(POLL_S / 2)
    if left:
        progress(f"ending {len(left)} processes that did not stop")
        await _end(home, left)
    _tidy(home)


async def _end(home: Home, pids: Mapping[int, str], *, spared: Mapping[int, str] | None = None) -> None:
    """End processes that no supervisord cares for: first asked, then killed; supervisord first, or it restarts them."""

    def left() -> dict[int, str]:
        return {pid: what for pid, what in remains(home).items() if pid not in (spared or {})}

    for number, patience in ((signal.SIGTERM, DOWN_S / 3), (signal.SIGKILL, DOWN_S / 6)):
        until = time.monotonic() + patience
        kill(sorted(pids, key=lambda pid: pids[pid] != "ops.house"), number)
        while (pids := left()) and time.monotonic() < until:  # noqa: ASYNC110 - the end of a process is no event
            await asyncio.sleep(POLL_S / 2)
        if not pids:
            return
    names = ", ".join(f"{name} ({pid})" for pid, name in pids.items())
    raise BatosError("BUSY", f"these processes do not end: {names}", "They may wait for a disk; try again.")


def _tidy(home: Home) -> None:
    """Remove the sockets that dead processes have left. STORAGE where the disk does not let us."""
    if not home.run.is_dir():
        return
    marks = [*home.run.glob("*.pulse"), *home.run.glob("*.words")]
    for path in (*home.socket_paths(), home.run / "supervisord.pid", home.run / "medic.json", *marks):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            said = f"{path}, which a dead run has left, cannot be removed: {error.strerror}"
            raise BatosError("STORAGE", said, "Make that folder yours to write to.") from error


def _last_said(home: Home) -> str:
    """The end of the log that supervisord wrote last: what it cannot begin with stands in that of the house."""
    logs = [log for log in (home.log / "house.log", home.log / "supervisord.log") if log.exists()]
    return _tail(max(logs, key=lambda log: log.stat().st_mtime, default=home.log / "house.log"))


def _tail(log: Path, lines: int = 5) -> str:
    """The end of a log, and where the rest stands."""
    try:
        text = log.read_text(errors="replace").strip()
    except OSError as error:
        return f"Its log {log} cannot be read: {error}"
    last = "\n".join(_readable(line)[:500] for line in text.splitlines()[-lines:])
    return f"Its log is {log}" + (f" and ends:\n{last}" if last else "; it is empty.")


def _readable(line: str) -> str:
    """A line of a log as a person reads it: of a JSON object, what happened and why."""
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    if not isinstance(entry, dict) or "event" not in entry:
        return line
    said = [str(entry[key]) for key in ("event", "code", "error", "hint", "exception") if entry.get(key)]
    return ": ".join(said)
