"""What this machine leaves to us: the cores that we may run on, and the memory that is free.

A container's share is less than the machine has, and torch looks at the machine: more threads than cores take turns,
and each waits for all the others at every product. What the control group (version 2, or 1) says is heard too.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_GROUPS: Final = Path("/sys/fs/cgroup")
_MEMORY: Final = Path("/proc/meminfo")
_CORES: Final = Path("/sys/devices/system/cpu")


def cores(groups: Path = _GROUPS) -> int:
    """How many cores are free to us: those that we may run on, and no more than our quota of time; at least one."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, period = _quota(groups)
    return max(1, min(allowed, int(quota // period))) if quota > 0 and period > 0 else allowed


def physical_cores(groups: Path = _GROUPS, machine: Path = _CORES) -> int:
    """How many of those cores are cores of their own: two threads of one share what multiplies."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    places = set()
    for number in allowed:
        topology = machine / f"cpu{number}" / "topology"
        package, core = _number(topology / "physical_package_id"), _number(topology / "core_id")
        places.add((package, core) if core >= 0 else (-1, -2 - number))
    return max(1, min(len(places), cores(groups)))


def memory(groups: Path = _GROUPS, meminfo: Path = _MEMORY) -> int:
    """Bytes that are free to us: on the machine, and within our group's limit."""
    free = [_available(meminfo)]
    for limit, used, pages in (
        ("memory.max", "memory.current", "memory.stat"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
    ):
        most, taken = _number(groups / limit), _number(groups / used)
        if most > 0:
            # A group is charged for the pages of files that it has read, and those give way.
            free.append(max(0, most - max(taken - _file_pages(groups / pages), 0)))
    return min(free)


def _quota(groups: Path) -> tuple[int, int]:
    """The time that all of our threads may take in each period, in microseconds; without a limit (-1, -1)."""
    words = _words(groups / "cpu.max")
    if len(words) == 2 and all(word.isdecimal() for word in words):
        return int(words[0]), int(words[1])
    return _number(groups / "cpu/cpu.cfs_quota_us"), _number(groups / "cpu/cpu.cfs_period_us")


def _available(meminfo: Path) -> int:
    """What can be had without swapping: more than what is free, since the pages of files give way."""
    words = _words(meminfo)
    if "MemAvailable:" in words:
        return int(words[words.index("MemAvailable:") + 1]) * 1024
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _file_pages(path: Path) -> int:
    """Bytes of files that a group has in memory. The `total_` ones are version 1's, which counts its own beside them."""
    words = _words(path)
    told = dict(zip(words[::2], words[1::2], strict=False))
    prefix = "total_" if "total_inactive_file" in told else ""
    return sum(int(told.get(f"{prefix}{kind}_file", "0")) for kind in ("active", "inactive"))


def _number(path: Path) -> int:
    """The number in the file, -1 where there is none."""
    words = _words(path)
    return int(words[0]) if words and words[0].isdecimal() else -1


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return []
