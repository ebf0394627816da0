from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from cli.commands import batos as group
from cli.main import main


def run(capsys, *words):
    code = main(words)
    told = capsys.readouterr()
    return code, told.out, told.err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nonsense"], "USAGE"),
        (["send", "box"], "USAGE"),
        (["send", "box", "area_", "--unknown"], "USAGE"),
        (["send", "box", "area_", "1", "--unknown=2"], "USAGE"),
        (["send", "box", "area_", "--timeout", "soon"], "USAGE"),
        (["send", "box", "area_", "--timeout", "0"], "USAGE"),
        (["send", "box", "area_", "--timeout", "nan"], "USAGE"),
        (["send", "box", "area_", "--key", ""], "USAGE"),
        (["send", "box", "area"], "BAD_SELECTOR"),
        (["send", "box", "area_", "-x"], "BAD_JSON"),
        (["send", "box", "greet_", "Hello"], "BAD_JSON"),
        (["send", "box", "area_", "--example", '{"returns":1,"extra":2}'], "BAD_EXAMPLE"),
        (["new", "box", "width"], "USAGE"),
        (["new", "box", "_width=1"], "BAD_NAME"),
        (["new", "0box"], "BAD_NAME"),
        (["look", "box", "--at", "yesterday"], "USAGE"),
        (["source", "box", "area"], "BAD_SELECTOR"),
        (["guard"], "USAGE"),
        (["guard", "-", "--gate", "none"], "USAGE"),
        (["cycle"], "USAGE"),
        ([], "USAGE"),
    ],
)
def test_what_cannot_be_right_is_refused_in_one_form(capsys, home, words, code):
    exit_code, out, _ = run(capsys, "--home", str(home.root), *words, "--json")
    error = json.loads(out.splitlines()[-1])["error"]
    assert (exit_code, error["code"]) == (2, code)
    assert error["message"]
    human_code, out, err = run(capsys, "--home", str(home.root), *words)
    assert (human_code, out) == (2, "")
    assert code in err or "Usage:" in err


@pytest.mark.parametrize(
    "words", [["send", "box", "area_", "-4", "-0.5", "-1e3"], ["look"], ["cycle", "ls"], ["new", "b"]]
)
def test_nothing_runs(capsys, home, words):
    code, out, err = run(capsys, *words, "--json", "--home", str(home.root))
    error = json.loads(out)["error"]
    assert (code, error["code"], err) == (3, "NOT_RUNNING", "")
    assert f"batos --home {home.root} up" in error["hint"]


def test_status_has_its_shape_when_nothing_runs(capsys, home):
    code, out, _ = run(capsys, "status", "--json", "--home", str(home.root))
    found = json.loads(out)
    assert (code, found["ready"]) == (3, False)
    assert set(found) >= {"ready", "actors", "world", "experts", "cycles"}
    for actor in found["actors"].values():
        assert set(actor) >= {"state", "pid", "ready", "uptime_s", "restarts"}
    code, out, _ = run(capsys, "status", "--home", str(home.root))
    assert (code, out.splitlines()[0]) == (3, "not ready")


def test_down_where_nothing_runs_is_no_failure(capsys, home):
    assert run(capsys, "down", "--home", str(home.root)) == (0, "nothing was running\n", "")


def every_command(command=group, path=()):
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from every_command(inner, (*path, name))


@pytest.mark.parametrize(("path", "command"), list(every_command()))
def test_every_command_takes_both_options_and_helps(capsys, path, command):
    code, out, _ = run(capsys, *path, "--help")
    assert code == 0
    assert "--json" in out
    assert "--home" in out
    assert command.help


def test_a_bug_is_told_as_one(capsys, monkeypatch):
    monkeypatch.setattr("cli.commands.group.find_home", lambda _root: 1 / 0)
    code, out, err = run(capsys, "look", "--json")
    assert (code, json.loads(out)["error"]["code"]) == (1, "INTERNAL")
    assert "ZeroDivisionError" in err


def test_the_shell_can_complete(home):
    env = {**os.environ, "_BATOS_COMPLETE": "bash_complete", "COMP_WORDS": "batos cy", "COMP_CWORD": "1"}
    told = subprocess.run([sys.executable, "-m", "cli.main"], env=env, capture_output=True, text=True, check=False)
    assert told.stdout.strip() == "plain,cycle"


def test_the_help_needs_no_heavy_module():
    code = (
        "import sys; from cli.main import main; main(['--help']);"
        "heavy = {'zmq', 'structlog', 'ulid', 'torch', 'rich', 'actors'} & set(sys.modules);"
        "sys.exit(', '.join(heavy) or None)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")


def test_a_reader_that_has_gone_costs_no_traceback(home):
    command = f"{sys.executable} -m cli.main --home {home.root} --help; exit 7"
    told = subprocess.run(
        ["bash", "-c", f"({command}) 2>{home.root}/err | true"], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0
    assert (home.root / "err").read_text() == ""


def test_an_interrupted_send_says_that_the_mandate_goes_on(home, system):
    import asyncio
    import threading

    from protocol.messages import Event

    accepted = threading.Event()

    async def mandate(_request, call):
        call.partial(Event(event="accepted", mandate="M1", cycle="C1"))
        accepted.set()
        await asyncio.sleep(60)

    system.handlers["mandate"] = mandate
    system.start()
    child = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "--home", str(home.root), "--json", "send", "box", "area_"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert json.loads(child.stdout.readline())["event"] == "accepted"
    child.send_signal(signal.SIGINT)
    out, err = child.communicate()
    error = json.loads(out.splitlines()[-1])["error"]
    assert (child.returncode, error["code"], error["mandate"], error["cycle"]) == (130, "INTERRUPTED", "M1", "C1")
    assert "cycle show M1" in error["hint"]
    assert "cycle cancel M1" in error["hint"]
    assert "Traceback" not in err
