"""One real system for all tests here: supervisord, ZEO, the broker, all actors, and the embedded model."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest


class System:
    """A home and the command over it, as a person would use it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {**os.environ, "BATOS_HOME": str(home)}

    def start(self, *words: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "cli.main", *words, "--json"]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
        )

    def run(self, *words: str):
        """Exit code and the last line, which is the result."""
        with self.start(*words) as process:
            out, err = process.communicate(timeout=300)
        lines = out.splitlines()
        assert lines, err
        return process.returncode, json.loads(lines[-1])

    def ok(self, *words: str):
        code, result = self.run(*words)
        assert code == 0, result
        return result

    def pid(self, actor: str) -> int:
        return self.ok("status")["actors"][actor]["pid"]


@pytest.fixture(scope="module")
def system():
    # Not pytest's folder: the path of a unix socket is short.
    folder = Path(tempfile.mkdtemp(prefix="batos-", dir="/tmp"))
    running = System(folder / "home")
    try:
        running.ok("up")
        yield running
    finally:
        running.ok("down")
        shutil.rmtree(folder)
