"""What tests in every folder need."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest
from hypothesis import settings

# How long an example takes says more of a busy machine than of what is tested: timings are bench's.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

PATIENCE_S = 300.0
"""A command that takes longer has hung, and is ended."""


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder for a home: pytest's own can be too long for the path of a unix socket."""
    folder = Path(tempfile.mkdtemp(prefix="batos-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


class Whole:
    """A home with all its processes, and the command over it, as a person would use it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {**os.environ, "BATOS_HOME": str(home)}

    def start(self, *words: str, stdin: IO[bytes] | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "cli.main", *words, "--json", "--events"],
            env=self.environment,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def follow(self, see: Callable[[dict[str, Any]], None], *words: str) -> tuple[int, dict[str, Any]]:
        """Let `see` have every event as it comes; the exit code, and the last line, which is the result."""
        line: dict[str, Any] | None = None
        with self.start(*words) as process:
            ending = threading.Timer(PATIENCE_S, process.kill)
            ending.start()
            try:
                assert process.stdout is not None
                for text in process.stdout:
                    line = json.loads(text)
                    if "event" in line:
                        see(line)
                code = process.wait()
            finally:
                ending.cancel()
                process.kill()
            assert process.stderr is not None
            assert line is not None, process.stderr.read()
        return code, line

    def run(self, *words: str) -> tuple[int, dict[str, Any]]:
        return self.follow(lambda _: None, *words)

    @staticmethod
    def lines(out: str) -> list[dict[str, Any]]:
        """What a command has printed, line by line."""
        return [json.loads(line) for line in out.splitlines()]

    def ok(self, *words: str) -> dict[str, Any]:
        code, result = self.run(*words)
        assert code == 0, result
        return result

    def pid(self, actor: str) -> int:
        return int(self.ok("status")["actors"][actor]["pid"])


@contextmanager
def whole_at(home: Path) -> Iterator[Whole]:
    """A system that runs under `home`, and is stopped afterwards, whatever happens."""
    made = Whole(home)
    try:
        made.ok("up")
        yield made
    finally:
        made.ok("down")


@pytest.fixture(scope="module")
def whole() -> Iterator[Whole]:
    """A whole system: supervisord, ZEO, the broker, all actors, the embedded model. One for the tests of a module."""
    folder = Path(tempfile.mkdtemp(prefix="batos-", dir="/tmp"))
    try:
        with whole_at(folder / "home") as made:
            yield made
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def start_whole() -> Callable[[Path], Any]:
    """`whole_at`, for a test that wants a system at a place of its own."""
    return whole_at


ROOT = Path(__file__).resolve().parents[1]
MISSING = """
import sys

class Missing:
    names = {"msgspec", "ormsgpack", "zmq", "ZODB", "ZEO", "persistent", "transaction", "BTrees", "llguidance", "structlog"}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
"""


@pytest.fixture(scope="session")
def alone() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs code in a fresh process that has the model's libraries, and nothing else of what the house stands on."""

    def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", MISSING + code, *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_S)

    return run
