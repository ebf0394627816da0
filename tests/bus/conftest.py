"""A broker of its own for each test, on a short path, with or without a process of its own."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from bus.broker.broker import Broker
from bus.process.lock import holder
from protocol.home import Home, find_home

HERE = Path(__file__).parent


@pytest.fixture
def home() -> Iterator[Home]:
    root = tempfile.mkdtemp(prefix="bt", dir="/tmp")
    yield find_home(root).prepare()
    shutil.rmtree(root)


@pytest.fixture
def broker(home: Home) -> Iterator[Broker]:
    made = Broker(home.bus)
    thread = threading.Thread(target=made.run)
    thread.start()
    yield made
    made.stop()
    thread.join()


class BrokerProcess:
    def __init__(self, home: Home) -> None:
        self.home = home
        self.log = home.root / "broker.log"
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            words = [sys.executable, "-m", "bus.broker", "--home", str(self.home.root)]
            self.process = subprocess.Popen(words, stderr=log)
        lock, socket = self.home.run / "bus.lock", self.home.run / "bus.sock"
        while holder(lock) != self.process.pid or not socket.exists():
            assert self.process.poll() is None
            time.sleep(0.01)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def broker_process(home: Home) -> Iterator[BrokerProcess]:
    made = BrokerProcess(home)
    yield made
    made.kill()


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """Whoever configures logging, as a process does at its start, does so for one test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


class House:
    """A small supervisord of `home`; `start` gives the pid of the program. `kill` leaves the programs behind."""

    def __init__(self, home: Home, *paths: Path) -> None:
        words = [sys.executable, str(HERE / "small_house.py"), str(home.root)]
        found = os.pathsep.join(map(str, [*paths, HERE.parents[1]]))
        # Like supervisord's, its processes are a session of their own.
        self.process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": found},
        )
        self.pids: list[int] = []
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def start(self, name: str, *words: str) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps([name, words]), file=self.process.stdin, flush=True)
        self.pids.append(int(self.process.stdout.readline()))
        return self.pids[-1]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        self.kill()
        for pid in self.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


@pytest.fixture
def make_house(home: Home) -> Iterator[Callable[..., House]]:
    made: list[House] = []

    def make(*paths: Path) -> House:
        made.append(House(home, *paths))
        return made[-1]

    yield make
    for house in made:
        house.end()
