"""A process whose supervisor has gone logs on, into its own file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from bus.process.logs import configure
log = configure("small")
log.warning("before")
sys.stdin.readline()
for number in range(3):
    log.warning("after", number=number)
print("printed", flush=True)
"""


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_broken_pipe_costs_no_line_and_no_life(tmp_path, unbuffered):
    path = tmp_path / "small.log"
    root = str(Path(__file__).parents[3])
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "PYTHONPATH": root, "BATOS_LOG": str(path), "PYTHONUNBUFFERED": unbuffered},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert b"before" in process.stderr.readline()
        process.stderr.close()
        process.stdout.close()
        process.stdin.write(b"\n")
        process.stdin.close()
        assert process.wait() == 0
    lines = path.read_text().splitlines()
    assert [json.loads(line)["number"] for line in lines if '"after"' in line] == [0, 1, 2]
    assert "printed" in lines
