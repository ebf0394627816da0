from __future__ import annotations

import json
import subprocess
import sys

import pytest

from cli import demo, lifecycle
from cli.main import main
from protocol.errors import BatosError

STEPS = ["synthesize", "reuse", "refuse", "crash", "restart"]


@pytest.fixture
def nothing_to_start(monkeypatch):
    calls = []

    async def up(home, _progress):
        calls.append(("up", home.prepare()))

    async def down(home, _progress):
        calls.append(("down", home))

    monkeypatch.setattr(lifecycle, "up", up)
    monkeypatch.setattr(lifecycle, "down", down)
    return calls


def test_a_step_that_fails_says_why_and_the_world_is_thrown_away(monkeypatch, capsys, nothing_to_start):
    async def well(_self):
        return "it holds"

    async def badly(_self):
        raise BatosError("NOT_READY", "no orchestrator is ready", "Look at its log")

    for name in STEPS:
        monkeypatch.setattr(demo.Demo, name, badly if name == "crash" else well)
    for step, name in ((well, "synthesize"), (badly, "crash")):
        step.__name__ = name
    assert main(["demo", "--json"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines[:-1]] == ["step"] * 5
    assert lines[-1]["ok"] is False
    assert [step["ok"] for step in lines[-1]["steps"]] == [True, True, True, False, True]
    assert lines[-1]["steps"][3]["detail"] == "no orchestrator is ready. Look at its log (NOT_READY)"
    assert [name for name, _ in nothing_to_start] == ["up", "down"]
    assert not nothing_to_start[0][1].root.parent.exists()


@pytest.mark.e2e
@pytest.mark.model
def test_the_whole_story():
    command = [sys.executable, "-m", "cli.main", "demo", "--json"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    result = json.loads(told.stdout.splitlines()[-1])
    assert (told.returncode, result.get("ok")) == (0, True), told.stdout + told.stderr
    assert [step["name"] for step in result["steps"]] == STEPS
    assert "is not clever" in told.stderr
