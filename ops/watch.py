"""Which processes are alive but stuck, or cannot be reached any more, as far as can be seen from outside.

A process that was stopped by a signal counts as stuck at once. One whose event loop does not turn counts as stuck after a
longer time: inference and memory load models in code that does not return to the event loop, and a process that computes or
waits for the processor or the disk will come to its next beat. Where the watch itself was late (the machine slept, or is
overloaded), the beats that were missed meanwhile are not held against anybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from ops.vitals import Vital, take
from protocol.home import Home

STOPPED_S: Final = 0.8
QUIET_S: Final = 2.0
"""Without a beat, and without work: nothing will wake it."""
BUSY: Final = 5.0
"""One that works may be without a beat so many times longer."""
PATIENCE: Final = {"inference": 15.0, "memory": 15.0}
"""Who loads models in native code has so many times more of both."""
WORKING: Final = 0.2
"""Work is this much of a processor since the last beat."""
LATE_S: Final = 1.0
SOCKET_S: Final = 0.5
"""A socket that is gone for so long is not just being replaced."""


class Patient(NamedTuple):
    """A process that is to be ended, and why; `gently`: it can still be asked to end."""

    name: str
    pid: int
    why: str
    gently: bool = False


class _Record:
    """What was seen of one process so far: since when it is stopped, its last beat and its work until then."""

    def __init__(self, vital: Vital, now: float) -> None:
        self.pid = vital.pid
        self.beat = vital.beat
        self.cpu = vital.cpu
        self.since = now
        self.stopped: float | None = None
        self.waited = False
        self.lost: float | None = None


class Watch:
    """The watch over `names` in `home`; `now` is monotonic, in seconds."""

    def __init__(self, home: Home, names: tuple[str, ...], sockets: Mapping[str, Sequence[Path]]) -> None:
        self._run = str(home.run)
        self._names = names
        self._sockets = sockets
        self._seen: dict[str, _Record] = {}
        self._looked: float | None = None

    def look(self, now: float) -> list[Patient]:
        """Look at everybody; to be called several times a second."""
        late = self._looked is None or now - self._looked > LATE_S
        self._looked = now
        if late:
            self._seen.clear()
        found = []
        for name in self._names:
            vital = take(self._run, name)
            if vital is None or vital.state in "ZX":
                self._seen.pop(name, None)
                continue
            why = self.judge(name, vital, now)
            if why:
                found.append(Patient(name, vital.pid, why))
            elif self._unreachable(name, vital, now):
                found.append(Patient(name, vital.pid, "its socket was removed", gently=True))
        for patient in found:
            del self._seen[patient.name]  # it has time to end
        return found

    def judge(self, name: str, vital: Vital, now: float) -> str:
        """Why the process is stuck; empty where it is not."""
        record = self._seen.get(name)
        if record is None or record.pid != vital.pid:
            record = self._seen[name] = _Record(vital, now)
        if vital.state == "T":
            record.stopped = now if record.stopped is None else record.stopped
            return "it is stopped" if now - record.stopped >= STOPPED_S else ""
        if record.stopped is not None or vital.beat != record.beat or not vital.beat:
            record.stopped, record.beat, record.cpu, record.since, record.waited = (
                None,
                vital.beat,
                vital.cpu,
                now,
                False,
            )
            return ""
        record.waited |= vital.state in "RDt"
        silent = now - record.since
        works = record.waited or vital.cpu - record.cpu > WORKING * silent
        limit = QUIET_S * PATIENCE.get(name, 1.0) * (BUSY if works else 1.0)
        return f"its event loop has not turned for {silent:.1f} s" if silent >= limit else ""

    def _unreachable(self, name: str, vital: Vital, now: float) -> bool:
        record = self._seen[name]
        if not vital.beat or all(path.exists() for path in self._sockets.get(name, ())):
            record.lost = None
            return False
        record.lost = now if record.lost is None else record.lost
        return now - record.lost >= SOCKET_S
