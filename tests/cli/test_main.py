from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from cli.commands import batos as group
from cli.main import main
from protocol.messages import Created, Event, Looked, MandateReply


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
        (["new", "box", "class=1"], "BAD_NAME"),
        (["send", "box", "area_(class)"], "BAD_SELECTOR"),
        (["send", "box", "area_", "--kw", "class=1"], "BAD_ARGUMENT"),
        (["new", "0box"], "BAD_NAME"),
        (["look", "box", "--at", "tomorrow"], "USAGE"),
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


def piped(home, *words, **streams):
    command = [sys.executable, "-m", "cli.main", "--home", str(home.root), *words]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    told = subprocess.run(command, **pipes, text=True, check=False)
    assert "Traceback" not in (told.stderr or "")
    assert "Exception ignored" not in (told.stderr or "")
    return told


SAYING = [["--help"], ["--version"], ["look", "--help"], ["status"], ["status", "--json"], ["doctor"], ["down"]]


@pytest.mark.parametrize("words", SAYING)
def test_a_result_that_cannot_be_written_is_a_failure_of_the_store(home, words):
    with Path("/dev/full").open("w") as full:
        told = piped(home, *words, stdout=full)
        assert (told.returncode, "cannot write the result" in told.stderr) == (7, True)
        expected = piped(home, *words).returncode
        assert piped(home, *words, stderr=full).returncode == expected, "what was only told on the way is no result"


def test_a_failure_that_cannot_be_written_keeps_its_exit_code(home):
    with Path("/dev/full").open("w") as full:
        told = piped(home, "look", "--json", stdout=full)
        assert (told.returncode, "NOT_RUNNING" in told.stderr) == (3, True)
        assert piped(home, "look", stdout=full, stderr=full).returncode == 3


def answering(system):
    async def look(request, _call):
        return Looked(name="box", oid="1" * 16, tid="2" * 16, slots={"width": 5}, parents=[], methods={})

    async def new(request, _call):
        return Created(name=request.name, oid="1" * 16, tid="2" * 16)

    async def mandate(_request, call):
        for _ in range(50):
            call.partial(Event(event="state", mandate="M1", cycle="C1", state="IDLE"))
        return MandateReply(mandate="M1", state="COMPLETE", result=1)

    system.handlers.update(look=look, new=new, mandate=mandate)
    system.start()


@pytest.mark.parametrize("words", [["look", "box"], ["new", "box"], ["send", "box", "area_"]])
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_what_is_answered_and_cannot_be_written_is_told(system, words, form):
    answering(system)
    with Path("/dev/full").open("w") as full:
        told = piped(system.home, *words, *form, stdout=full)
    assert (told.returncode, told.stderr.count("cannot write the result")) == (7, 1)
    reader, writer = os.pipe()
    os.close(reader)
    try:
        told = piped(system.home, *words, *form, stdout=writer)
    finally:
        os.close(writer)
    assert (told.returncode, "error" in told.stderr) == (0, False), "the work goes on for a reader that has gone"


def test_verdicts_that_cannot_be_written_end_the_guardian_too(home):
    source = home.root / "m.py"
    source.write_text("def area_(self):\n    return 1\n")
    with Path("/dev/full").open("w") as full:
        for form in ([], ["--json"]):
            assert piped(home, "guard", str(source), *form, stdout=full).returncode == 7


@pytest.mark.parametrize("words", SAYING)
@pytest.mark.parametrize("closed", ["0", "1", "2"])
def test_a_stream_that_was_closed_before_is_no_failure(home, words, closed):
    line = [sys.executable, "-m", "cli.main", "--home", str(home.root), *words]
    told = subprocess.run(
        ["bash", "-c", f'exec "$@" {closed}>&-', "bash", *line], capture_output=True, text=True, check=False
    )
    assert told.returncode == piped(home, *words).returncode
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize("words", SAYING)
def test_a_reader_that_has_gone_changes_no_exit_code(home, words):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert piped(home, *words, stdout=writer).returncode == piped(home, *words).returncode
    finally:
        os.close(writer)


def single_valued(command, path=()):
    """Every option of every command that takes one value, with the words that lead to it."""
    for option in command.params:
        if isinstance(option, click.Option) and not (option.multiple or option.is_flag):
            yield [*path, max(option.opts, key=len)]
    for name, below in getattr(command, "commands", {}).items():
        yield from single_valued(below, (*path, name))


@pytest.mark.parametrize("words", list(single_valued(group)), ids=" ".join)
def test_an_option_with_one_value_is_given_once(capsys, words):
    code, out, _ = run(capsys, "--json", *words, "1", words[-1], "1")
    error = json.loads(out.splitlines()[-1])["error"]
    assert (code, error["code"], error["message"]) == (2, "USAGE", f"{words[-1]} is given twice")


def test_the_home_is_given_once_before_the_command_and_after_it(capsys, home):
    code, _, err = run(capsys, "--home", str(home.root), "status", "--home", "/elsewhere")
    assert (code, "--home is given twice" in err) == (2, True)


def test_what_may_be_repeated_still_may(system, capsys):
    system.start()
    words = ["send", "box", "area_", "--kw", "a=1", "--kw", "b=2", "--json", "--json"]
    _, out, _ = run(capsys, "--home", str(system.home.root), *words)
    assert json.loads(out.splitlines()[-1])["error"]["code"] == "UNKNOWN_VERB", "it came as far as the orchestrator"


def test_an_interrupted_send_says_that_the_mandate_goes_on(home, system):
    import asyncio
    import threading

    accepted = threading.Event()

    async def mandate(_request, call):
        call.partial(Event(event="accepted", mandate="M1", cycle="C1"))
        accepted.set()
        await asyncio.sleep(60)

    system.handlers["mandate"] = mandate
    system.start()
    child = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "--home", str(home.root), "--json", "--events", "send", "box", "area_"],
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
