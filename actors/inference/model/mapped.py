"""Memory that nobody needs any more: pages of the model's files, and what was freed. It is given back.

Weights are mapped from the world's files. Those that were joined or packed for the processor (`fusing`, `packing`) are copies, and
nobody looks at the originals again; but the file stays mapped for the few that are used as they are, the embeddings among
them, and all of its pages that were ever read go on to count as this process's memory. Here the system is told to take them
back. Which are needed after all, it brings again: they are clean pages of a file, so nothing is lost.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Collection
from pathlib import Path
from typing import Final

_PAGE_OUT: Final = 21
"""madvise(2): MADV_PAGEOUT, since Linux 5.4. A page that somebody has written to would be swapped, never dropped."""
_MAPS: Final = Path("/proc/self/maps")


def let_go(files: Collection[str]) -> int:
    """Give back the pages of these files (real paths) that this process has mapped; how many bytes of mappings there were.

    Where the system knows no such request, everything stays as it is.
    """
    if not _MAPS.exists():
        return 0
    library = ctypes.CDLL(None, use_errno=True)
    asked = 0
    for line in _MAPS.read_text(errors="replace").splitlines():
        words = line.split(maxsplit=5)
        if len(words) < 6 or words[5] not in files:
            continue
        first, last = (int(end, 16) for end in words[0].split("-"))
        if library.madvise(ctypes.c_void_p(first), ctypes.c_size_t(last - first), _PAGE_OUT) == 0:
            asked += last - first
    return asked


def trim() -> None:
    """Give back what this process has freed and its allocator keeps: after a conversion that is as much as the model has."""
    give_back = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if give_back is not None:
        give_back(0)


def real(paths: Collection[Path]) -> tuple[str, ...]:
    """How the system calls these files in its list of mappings."""
    found = []
    for path in paths:
        with contextlib.suppress(OSError):
            found.append(os.path.realpath(path))
    return tuple(found)
