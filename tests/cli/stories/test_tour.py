"""The tour: its texts and objects are whole, and a person may type what they like on the way."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from importlib.resources import files

import click
import pytest

from cli import lifecycle
from cli.bundles import document
from cli.commands import batos as group
from cli.console import Invocation
from cli.main import main
from cli.stories import tour
from protocol.errors import BatosError

STEPS = ["bring", "learn", "inspect", "refuse", "correct", "kill", "history", "revert"]
COMMANDS = [command for step in tour.script().steps for command in step.commands]


def test_its_steps_are_those_that_are_looked_at():
    script = tour.script()
    assert [step.name for step in script.steps] == STEPS
    assert [name for name in STEPS if not hasattr(tour.Tour, f"check_{name}")] == []
    assert all(set(step.refused) <= set(step.commands) for step in script.steps)


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("batos ")])
def test_every_command_that_it_shows_is_one(line):
    command, words, context = group, shlex.split(line)[1:], click.Context(group)
    while isinstance(command, click.Group):
        found, command, words = command.resolve_command(context, words)
        context = click.Context(command, info_name=found)
    command.make_context(command.name, words)


def test_its_objects_are_a_bundle():
    found = document.read(str(files("cli.stories") / tour.BUNDLE))
    assert [each.name for each in found.objects] == ["shape", "box", "crate", "cup"]


@pytest.fixture
def walked(monkeypatch, tmp_path, capsys):
    """Walk with a person who types `typed`; every command only says what it was. `wrong` are steps that do not hold at first."""
    ran, calls = [], []

    async def up(home, _progress):
        calls.append("up")
        home.root.mkdir()

    async def down(_home, _progress):
        calls.append("down")

    async def status(_home):
        return {"actors": {"orchestrator": {"pid": 4711}}}

    for name, played in (("up", up), ("down", down), ("status", status)):
        monkeypatch.setattr(lifecycle, name, played)

    def walk(*typed, auto=False, codes=None, wrong=()):
        words, fails = iter(typed), list(wrong)

        def checked(name):
            async def check(_self):
                if name in fails:
                    fails.remove(name)
                    raise BatosError("INTERNAL", "no")
                return "it holds"

            return check

        for name in STEPS:
            monkeypatch.setattr(tour.Tour, f"check_{name}", checked(name))
        monkeypatch.setattr("builtins.input", lambda _prompt: next(words))
        monkeypatch.setattr(
            tour.Tour, "_execute", lambda _self, words: ran.append(words) or (codes or {}).get(words[1], 0)
        )
        with tour.throwaway.home() as home:
            found = tour.Tour(home, Invocation(), auto=auto).walk()
        assert calls == ["up", "down"]
        assert not home.root.parent.exists()
        return found, ran

    return walk


def shown(step):
    return [shlex.split(command) for command in tour.script().steps[STEPS.index(step)].commands]


def test_enter_runs_what_is_shown_and_quit_ends_it(walked):
    found, ran = walked("", "", "", "quit")
    assert ran == shown("bring")
    assert (found["ok"], [step["name"] for step in found["steps"]]) == (True, ["bring"])


def test_a_command_of_ones_own_comes_before_the_one_that_is_shown(walked):
    _, ran = walked("batos look crate", "", "skip", "quit")
    assert ran == [["batos", "look", "crate"], *shown("bring")[:1]]


def test_a_step_that_does_not_hold_can_be_taken_again(walked):
    found, ran = walked("", "", "", "", "", "", "", "quit", wrong=["bring"])
    assert ran == shown("bring") * 2
    assert [step["ok"] for step in found["steps"]] == [True]


def test_by_itself_it_types_everything(walked):
    found, ran = walked(auto=True, codes={"define": 4})
    assert len(found["steps"]) == len(STEPS)
    assert [step["name"] for step in found["steps"] if not step["ok"]] == [
        "refuse"
    ]  # the second define must not be refused
    assert ["kill", "-9", "4711"] in ran
    assert "{" not in " ".join(ran[-4])


def test_only_what_the_tour_shows_is_run(monkeypatch, home):
    told = []
    monkeypatch.setattr(tour.Tour, "_orchestrator", lambda _self: 4711)
    one = tour.Tour(home, Invocation(), auto=True)
    one.tell = told.append
    for words in (["rm", "x"], ["kill", "-9", "1"], ["kill", "4711"], []):
        assert one._execute(words) == 2
    assert len(told) == 4


@pytest.mark.parametrize("words", [["tour"], ["tour", "--json"]])
def test_where_nobody_types_it_says_so(words, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert main(words) == 2


@pytest.mark.e2e
@pytest.mark.model
def test_the_whole_tour():
    command = [sys.executable, "-m", "cli.main", "tour", "--auto", "--json"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    result = json.loads(told.stdout)
    assert (told.returncode, result.get("ok")) == (0, True), told.stdout + told.stderr
    assert [step["name"] for step in result["steps"]] == STEPS
