"""The door as a process: it ends by its client's end and by a signal, also where its client reads nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
CLIENT = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}
PATIENCE_S = 120


def message(method, params, number):
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode() + b"\n"


@pytest.fixture
def door(short_path):
    """A door that has greeted its client; whatever is left of it is killed."""
    command = [sys.executable, "-m", "cli.main", "--home", str(short_path / "none"), "mcp"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        process.stdin.write(message("initialize", CLIENT, 1))
        assert json.loads(process.stdout.readline())["id"] == 1
        yield process
        process.kill()


def test_it_ends_with_its_client(door):
    door.stdin.close()
    assert (door.wait(PATIENCE_S), door.stdout.read()) == (0, b"")


@pytest.mark.parametrize("asked", [0, 40])
def test_it_ends_by_a_signal_although_nobody_reads(door, asked):
    os.set_blocking(door.stdin.fileno(), False)
    for number in range(asked):  # each answer is half of what a pipe holds
        door.stdin.write(message("tools/list", {}, number + 2))
    door.terminate()
    assert door.wait(PATIENCE_S) == 0
