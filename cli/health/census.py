"""How each actor is now: what supervisord says of its process, and what the actor says of itself.

Both are asked at the same time, and neither is waited for long: an actor that is dead or hangs is told as quickly as one that
is well.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

import msgspec

from bus.client import Client
from bus.process import last_words
from ops.supervisor import ACTORS, Process, Supervisor, remains
from ops.zeo import ruok
from protocol import verbs
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import ActorStatus, StatusQuery
from protocol.names import SERVICES

ASK_S: Final = 1.5
"""Seconds that an actor has to say how it is; it answers in milliseconds unless it hangs."""
HUSH_S: Final = 30.0
"""A process that is so old and not on the bus is not starting, it is stuck."""

_MODEL: Final = ("model", "digest", "engine", "device", "dtype", "context", "speed", "abilities")
"""What inference says of what generates."""
_MODULES: Final = {f"actors.{name}": name for name in ACTORS} | {"bus.broker": "broker"}


class _Counted(msgspec.Struct):
    restarts: dict[str, int]


class Census(msgspec.Struct, frozen=True, kw_only=True):
    """`house`: who holds the home, or None; `supervised`: it answers. `statuses` has who answered, `errors` why the others
    did not, and `words` what a process ended of that no waiting mends.
    """

    house: int | None
    supervised: bool
    processes: dict[str, Process]
    statuses: dict[str, ActorStatus]
    errors: dict[str, str]
    restarts: dict[str, int]
    words: dict[str, BatosError] = {}

    @property
    def ready(self) -> bool:
        return all(self.is_ready(name) for name in ACTORS)

    def is_ready(self, name: str) -> bool:
        return name in self.statuses and self.statuses[name].ready

    def state(self, name: str) -> str:
        """The state that supervisord gives; but an actor that answers is `RUNNING`, one that runs and does not is `SILENT`."""
        process = self.processes.get(name)
        if process is None:
            return "STOPPED"
        if process.state == "STARTING" and name in self.statuses:
            return "RUNNING"
        if process.state != "RUNNING" or name in self.statuses:
            return process.state
        young = self.errors.get(name) != "TIMEOUT" and process.uptime_s < HUSH_S
        return "STARTING" if young else "SILENT"

    def waits(self, name: str) -> str:
        """What an actor that is not ready waits for, as far as anybody knows; empty for one that is."""
        if self.is_ready(name):
            return ""
        if name in self.statuses:
            return self.statuses[name].waiting_for or "not ready"
        if name in self.words:
            return f"{self.words[name].message} {self.words[name].hint}".strip()
        if self.state(name) in ("STARTING", "SILENT") and name in SERVICES and "broker" in self.errors:
            return "the broker"
        return f"its process is {self.state(name).lower()}"


async def census(home: Home) -> Census:
    """Ask everybody."""
    supervisor = Supervisor(home)
    house = supervisor.pid()
    processes: dict[str, Process] = {}
    if house is not None:
        try:
            processes = await asyncio.to_thread(supervisor.processes)
        except BatosError:
            # It is starting, stopping or stuck: then the processes speak for themselves.
            processes = {}
    supervised = bool(processes)
    if not supervised:
        processes = _unsupervised(home)
    statuses: dict[str, ActorStatus] = {}
    errors: dict[str, str] = {}

    async def ask(name: str, bus: Client) -> None:
        try:
            if name == "storage":
                statuses[name] = await _storage(home, processes.get(name))
            else:
                statuses[name] = await bus.call(verbs.STATUS[name], StatusQuery(), seconds=ASK_S)
        except BatosError as error:
            errors[name] = error.code

    async with Client(home.bus, "census", patience=0.5) as bus:
        alive = [name for name in ACTORS if name in processes and processes[name].pid]
        errors.update({name: "NOT_RUNNING" for name in ACTORS if name not in alive})
        await asyncio.gather(*(ask(name, bus) for name in alive))
    return Census(
        house=house,
        supervised=supervised,
        processes=processes,
        statuses=statuses,
        errors=errors,
        restarts=_restarts(home.run / "medic.json"),
        words={
            name: error
            for name in ACTORS
            if house is not None and name not in statuses and (error := last_words.read(home.run, name)) is not None
        },
    )


def describe(home: Home, found: Census) -> dict[str, Any]:
    """The shape of `batos status`."""
    actors = {}
    for name in ACTORS:
        process = found.processes.get(name)
        actors[name] = {
            "state": found.state(name),
            "pid": (process.pid or None) if process else None,
            "ready": found.is_ready(name),
            "uptime_s": process.uptime_s if process and process.pid else None,
            "restarts": found.restarts.get(name, 0),
            "waiting_for": found.waits(name),
        }
    detail = _detail(found, "orchestrator")
    inference = _detail(found, "inference")
    jail = _detail(found, "guardian")
    return {
        "ready": found.ready,
        "actors": actors,
        "world": detail.get("world") or {"uri": None, "tid": None, "objects": None},
        "model": {name: inference.get(name) for name in _MODEL},
        "experts": inference.get("experts") or [],
        "cycles": detail.get("cycles") or {"active": None, "complete": None, "failed": None},
        "jail": {"missing": jail.get("missing"), "may_lack": jail.get("may_lack")},
        "home": str(home.root),
    }


def _detail(found: Census, name: str) -> dict[str, Any]:
    """What an actor says of itself beyond being ready; empty where it says nothing."""
    return found.statuses[name].detail if name in found.statuses else {}


async def _storage(home: Home, process: Process | None) -> ActorStatus:
    await asyncio.to_thread(ruok, home.zeo_socket, seconds=ASK_S)
    return ActorStatus(ready=True, pid=process.pid if process else 0, uptime_s=process.uptime_s if process else 0.0)


def _unsupervised(home: Home) -> dict[str, Process]:
    """Processes of the home that live without their supervisord, as far as their arguments tell."""
    found = {}
    for pid, module in sorted(remains(home).items(), reverse=True):
        name = _MODULES.get(module)
        if name is not None:
            found[name] = Process(name=name, state="UNSUPERVISED", pid=pid, uptime_s=0.0, log="")
    return found


def _restarts(path: Path) -> dict[str, int]:
    """What the medic has counted; nothing where its file is gone or damaged, for it writes it anew."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Counted).restarts
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
        return {}
