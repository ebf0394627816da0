from __future__ import annotations

import mmap
from pathlib import Path

import pytest

from actors.inference.model.mapped import let_go, real

BYTES = 8 << 20


def resident(path):
    """Bytes of the file that count as this process's memory."""
    found, mine = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split(" ", maxsplit=1)[0]:
            mine = line.endswith(str(path))
        elif mine and line.startswith("Rss:"):
            found += int(line.split()[1]) * 1024
    return found


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs Linux's /proc")
def test_pages_are_given_back_and_come_again_with_what_was_in_them(tmp_path):
    path = tmp_path / "weights"
    path.write_bytes(b"w" * BYTES)
    link = tmp_path / "link"
    link.symlink_to(path)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
        assert held[:].count(b"w") == BYTES
        assert resident(path) == BYTES
        assert let_go(real([link])) == BYTES
        assert resident(path) < BYTES // 2
        assert held[:].count(b"w") == BYTES


def test_nobody_elses_pages_are_touched(tmp_path):
    assert let_go(real([tmp_path / "nothing"])) == 0
