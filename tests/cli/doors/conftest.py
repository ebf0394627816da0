"""A system of ours behind the doors: a stub bus whose handlers a test states, as a `Line` meets it."""

from __future__ import annotations

import pytest

from batos import line as doors_line
from bus.stub import StubBus
from protocol.messages import ActorStatus


@pytest.fixture
def bus(monkeypatch):
    """The bus behind every line; `bus.handlers` are by (service, verb), and `bus.origins` says who asked."""
    made = StubBus()
    for service in ("orchestrator", "inference", "memory", "guardian"):
        made.handlers[service, "status"] = lambda _: ActorStatus(ready=True, pid=1, uptime_s=1.0)

    def behind(line):
        made.origin = line.origin
        return made

    monkeypatch.setattr(doors_line.Line, "_bus", behind)
    return made
