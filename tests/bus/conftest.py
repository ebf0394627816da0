"""A broker of its own for each test, on a short path, with or without a process of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator

import pytest

from bus.broker import Broker
from bus.lock import holder
from protocol.home import Home, find_home


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
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bus.broker", "--home", str(self.home.root)], stderr=subprocess.DEVNULL
        )
        while holder(self.home.run / "bus.lock") != self.process.pid:
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
