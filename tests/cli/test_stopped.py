"""Who stops supervisord or the medic stops nothing for long: they let each other go on, and `down` lets both."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from cli import lifecycle
from ops.supervisor import kill, launch, remains
from ops.surroundings import CONFIG
from protocol.home import Home


@pytest.fixture
def two(short_path):
    """A home with a supervisord and its medic alone; their pids, by module."""
    home = Home(short_path / "home").prepare()
    head, _, rest = CONFIG.read_text().partition("[program:storage]")
    config = short_path / "two.conf"
    config.write_text(head + rest[rest.index("[eventlistener:medic]") :])
    assert launch(home, config)
    until = time.monotonic() + 60
    while not (home.run / "medic.json").exists():
        assert time.monotonic() < until, (home.log / "house.log").read_text()
        time.sleep(0.02)
    pids = {what: pid for pid, what in remains(home).items()}
    assert set(pids) == {"ops.house", "ops.medic"}
    yield home, pids
    kill([*pids.values()], signal.SIGKILL)


def is_stopped(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@pytest.mark.parametrize("who", ["ops.house", "ops.medic"])
def test_one_of_them_goes_on_by_itself(two, who):
    _, pids = two
    os.kill(pids[who], signal.SIGSTOP)
    until = time.monotonic() + 60
    while is_stopped(pids[who]):
        assert time.monotonic() < until
        time.sleep(0.02)


async def test_down_lets_both_of_them_go_on_to_their_end(two):
    home, pids = two
    kill([*pids.values()], signal.SIGSTOP)
    told = []
    await lifecycle.down(home, told.append)
    assert any("was stopped, and goes on" in line for line in told), "one of them may be quicker with the other"
    assert not any("did not stop" in line for line in told)
    assert not remains(home)
