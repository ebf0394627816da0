"""The main job on real parts, and what survives when any one of them is killed in the middle of it.

supervisord, ZEO, the broker, all actors and the embedded model, through the command, as a person would use it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.model]

EXAMPLE = '{"slots":{"width":3,"height":4},"args":[],"returns":12}'
ANOTHER = '{"slots":{"width":5,"height":7},"args":[],"returns":35}'


class System:
    """A home and the command over it, as a person would use it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {**os.environ, "BATOS_HOME": str(home)}

    def start(self, *words: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "cli.main", *words, "--json"]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
        )

    def run(self, *words: str):
        """Exit code and the last line, which is the result."""
        with self.start(*words) as process:
            out, err = process.communicate(timeout=300)
        lines = out.splitlines()
        assert lines, err
        return process.returncode, json.loads(lines[-1])

    def ok(self, *words: str):
        code, result = self.run(*words)
        assert code == 0, result
        return result

    def pid(self, actor: str) -> int:
        return self.ok("status")["actors"][actor]["pid"]


@pytest.fixture(scope="module")
def system():
    # Not pytest's folder: the path of a unix socket is short.
    folder = Path(tempfile.mkdtemp(prefix="batos-", dir="/tmp"))
    running = System(folder / "home")
    try:
        running.ok("up")
        yield running
    finally:
        running.ok("down")
        shutil.rmtree(folder)


def test_a_message_that_nobody_wrote_is_answered_and_stays_understood(system):
    system.ok("new", "box", "width=5", "height=6")
    first = system.ok("send", "box", "area_", "--example", EXAMPLE)
    assert (first["result"], first["synthesized"], first["state"]) == (30, True, "COMPLETE")
    seen = system.ok("look", "box")
    assert seen["methods"]["area_"]["sha256"] == first["method"]["sha256"]
    assert seen["methods"]["area_"]["author"] == first["cycle"]
    again = system.ok("send", "box", "area_")
    assert (again["result"], again["cycle"], again["synthesized"]) == (30, None, False)
    system.ok("down")
    system.ok("up")
    assert system.ok("look", "box") == seen
    after = system.ok("send", "box", "area_")
    assert (after["result"], after["cycle"]) == (30, None)


def test_up_twice_is_ok(system):
    assert system.ok("up")["ready"] is True


@pytest.mark.parametrize("actor", ["orchestrator", "inference", "guardian", "storage", "broker"])
def test_whichever_actor_is_killed_the_mandate_ends_once(system, actor):
    name = f"box-{actor}"
    system.ok("new", name, "width=2", "height=3")
    pid = system.pid(actor)
    killed = False
    with system.start("send", name, "area_", "--example", EXAMPLE, "--example", ANOTHER) as process:
        for line in process.stdout:
            event = json.loads(line)
            if not killed and event.get("state") == "SYNTHESIZING":
                os.kill(pid, signal.SIGKILL)
                killed = True
        process.wait(timeout=200)
    assert killed
    assert "error" not in event, event
    assert event["result"] == 6
    mine = [cycle for cycle in system.ok("cycle", "ls")["cycles"] if cycle["mandate"] == event["mandate"]]
    assert [cycle["state"] for cycle in mine] == ["COMPLETE"]
    seen = system.ok("look", name)
    assert list(seen["methods"]) == ["area_"]
    assert seen["slots"] == {"width": 2, "height": 3}
    system.ok("up")
    assert system.pid(actor) != pid


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["send", "nobody", "area_"], 2, "UNKNOWN_OBJECT"),
        (["send", "bin", "no-selector"], 2, "BAD_SELECTOR"),
        (["send", "bin", "put_", "{"], 2, "BAD_JSON"),
        (["send", "bin", "put_", "--example", '{"args":[]}'], 2, "BAD_EXAMPLE"),
        (["send", "bin", "put_(item)", "1", "2"], 2, "BAD_ARGUMENT"),
        (["new", "bin"], 6, "NAME_TAKEN"),
        (["new", "traits_obj"], 6, "NAME_TAKEN"),
        (["look", "nobody"], 2, "UNKNOWN_OBJECT"),
        (["look", "bin", "--at", "ffffffffffffffff"], 2, "BAD_ARGUMENT"),
        (["source", "bin", "nothing_"], 2, "UNKNOWN_METHOD"),
        (["cycle", "show", "nothing"], 2, "UNKNOWN_CYCLE"),
    ],
)
def test_bad_input_is_told_apart_and_changes_nothing(system, words, code, error):
    if system.run("look", "bin")[0] != 0:
        system.ok("new", "bin", "items=[]")
    before = system.ok("look", "bin")
    got, result = system.run(*words)
    assert (got, result["error"]["code"]) == (code, error)
    assert result["error"]["message"]
    assert system.ok("look", "bin") == before


def test_a_method_that_sends_to_another_object(system):
    made = system.ok("new", "lamp", "on=false")
    lamp = json.dumps({"$ref": made["oid"]})
    system.ok("new", "room", f"lamp={lamp}", 'name="den"')
    seen = system.ok("look", "room")
    assert seen["slots"]["lamp"] == {"$ref": made["oid"]}
    clone = system.ok("send", "room", "clone_")
    assert system.ok("look", clone["result"]["$ref"])["slots"] == {"lamp": {"$ref": made["oid"]}, "name": "den"}
