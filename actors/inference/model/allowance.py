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


def cores(groups: Path = _GROUPS) -> int:
    """How many cores are free to us: those that we may run on, and no more than our quota of time; at least one."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, period = _quota(groups)
    return max(1, min(allowed, int(quota // period))) if quota > 0 and period > 0 else allowed


def memory(groups: Path = _GROUPS, meminfo: Path = _MEMORY) -> int:
    """Bytes that are free to us: on the machine, and within our group's limit."""
    free = [_available(meminfo)]
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        most, taken = _number(groups / limit), _number(groups / used)
        if most > 0:
            free.append(max(0, most - max(taken, 0)))
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


def _number(path: Path) -> int:
    """The number in the file, -1 where there is none."""
    words = _words(path)
    return int(words[0]) if words and words[0].isdecimal() else -1


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return []
