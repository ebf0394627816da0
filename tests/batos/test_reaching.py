"""How whoever asks reaches a service that is only coming up."""

from __future__ import annotations

from pathlib import Path

import pytest

from batos import reaching
from protocol.home import Home
from protocol.messages import ActorStatus


@pytest.fixture
def home(tmp_path):
    return Home(Path(tmp_path))


class Coming:
    """A bus whose service is there, and ready from the question of that number on."""

    def __init__(self, ready):
        self.asked = 0
        self._ready = ready

    async def call(self, *_words, **_options):
        self.asked += 1
        return ActorStatus(ready=self.asked >= self._ready, pid=1, uptime_s=0.0)


async def test_who_is_there_and_not_ready_is_given_a_moment(home):
    bus = Coming(3)
    await reaching.reach(home, bus, "orchestrator")
    assert bus.asked == 3


async def test_who_loads_a_model_answers_for_itself(home, monkeypatch):
    monkeypatch.setattr(reaching, "STARTING_S", 0.1)
    bus = Coming(1_000_000)
    await reaching.reach(home, bus, "memory")
    assert bus.asked > 1
