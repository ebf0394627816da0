"""The main job on real parts, and what survives when any one of them is killed in the middle of it.

supervisord, ZEO, the broker, all actors and the embedded model, through the command, as a person would use it.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.model]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "time.md"
END = "@@@ end of a line @@@"
COMMAND = re.compile(r"^    \$ (.+)$", flags=re.MULTILINE)
EXAMPLE = '{"slots":{"width":3,"height":4},"args":[],"returns":12}'
ANOTHER = '{"slots":{"width":5,"height":7},"args":[],"returns":35}'


def test_a_message_that_nobody_wrote_is_answered_and_stays_understood(whole):
    whole.ok("new", "box", "width=5", "height=6")
    first = whole.ok("send", "box", "area_", "--example", EXAMPLE)
    assert (first["result"], first["synthesized"], first["state"]) == (30, True, "COMPLETE")
    seen = whole.ok("look", "box")
    assert seen["methods"]["area_"]["sha256"] == first["method"]["sha256"]
    assert seen["methods"]["area_"]["author"] == first["cycle"]
    again = whole.ok("send", "box", "area_")
    assert (again["result"], again["cycle"], again["synthesized"]) == (30, None, False)
    whole.ok("down")
    whole.ok("up")
    assert whole.ok("look", "box") == seen
    after = whole.ok("send", "box", "area_")
    assert (after["result"], after["cycle"]) == (30, None)


def test_a_method_is_learned_without_its_message_being_sent(whole):
    whole.ok("new", "plot", "width=5", "height=6")
    before = whole.ok("look", "plot")
    words = ["learn", "plot", "area_", "--intent", "the area", "--example", EXAMPLE, "--example", ANOTHER]
    dry = whole.ok(*words, "--dry-run")
    assert (dry["installed"], dry["tid"], dry["method"]["selector"]) == (False, None, "area_")
    assert whole.ok("look", "plot") == before
    done = whole.ok(*words)
    assert (done["installed"], done["state"]) == (True, "COMPLETE")
    assert whole.ok("source", "plot", "area_")["method"]["intent"] == "the area"
    sent = whole.ok("send", "plot", "area_")
    assert (sent["result"], sent["cycle"], sent["doubts"]) == (30, None, [])
    code, error = whole.run(*words)
    assert (code, error["error"]["code"]) == (6, "ALREADY_UNDERSTOOD")
    again = whole.ok("learn", "plot", "area_", "--again", "--example", '{"slots":{"width":2,"height":9},"returns":18}')
    assert again["installed"]
    assert whole.ok("send", "plot", "area_")["result"] == 30
    marks = [verdict["installed"] for verdict in whole.ok("cycle", "show", again["mandate"])["verdicts"]]
    assert marks.count(True) == 1


def test_a_real_call_becomes_an_example_and_every_contract_is_checked(whole):
    whole.ok("new", "pane", "width=3", "height=3")
    sent = whole.ok("send", "pane", "area_", "--example", EXAMPLE, "--example", ANOTHER)
    whole.ok("set", "pane", "width=50")
    made = whole.ok("confirm", sent["mandate"][:20])
    assert (made["example"]["slots"], made["example"]["returns"], made["examples"]) == ({"width": 3, "height": 3}, 9, 3)
    found = whole.ok("check", "pane")
    assert [(one["selector"], one["passed"], one["failed"]) for one in found["methods"]] == [("area_", 3, 0)]
    assert whole.ok("check")["ok"]


def test_the_commit_that_broke_an_answer_is_found(whole):
    whole.ok("new", "field", "width=3", "height=4")
    methods = [whole.home.parent / name for name in ("area.py", "sum.py")]
    for file, sign in zip(methods, "*+", strict=True):
        file.write_text(f"def area_(self):\n    return self.width {sign} self.height\n")
    good = whole.ok("define", "field", str(methods[0]))["tid"]
    whole.ok("set", "field", "colour=1")
    broken = whole.ok("define", "field", str(methods[1]))["tid"]
    whole.ok("set", "field", "colour=2")
    before = whole.ok("status")["world"]["tid"]
    found = whole.ok("bisect", "field", "area_", "--good", good, "--expect", "12")
    assert (found["tid"], found["why"], found["cycle"]) == (broken, "define field", None)
    assert (found["before"]["returns"], found["after"]["returns"], found["untried"]) == (12, 7, [])
    assert [(one["slot"], one["is_method"]) for one in found["changed"][0]["slots"]] == [("area_", True)]
    code, error = whole.run("bisect", "field", "area_", "--good", good, "--expect", "13")
    assert (code, error["error"]["code"], error["error"]["data"]["good"]["returns"]) == (2, "BAD_ARGUMENT", 12)
    assert whole.ok("status")["world"]["tid"] == before


def test_a_lesson_is_thought_again_without_a_token_and_says_where_its_method_comes_from(whole):
    whole.ok("new", "yard", "width=5", "height=6")
    sent = whole.ok("send", "yard", "area_", "--example", EXAMPLE, "--example", ANOTHER, "--intent", "the area")
    whole.ok("set", "yard", "width=9")
    before = whole.ok("status")["world"]["tid"]
    again = whole.ok("cycle", "replay", sent["cycle"])
    assert (again["same"], again["difference"], again["now"]["result"]) == (True, None, 30)
    file = whole.home.parent / "rote.py"
    file.write_text("def area_(self):\n    return 35\n")
    code, other = whole.run("replay", sent["mandate"][:20], "--with", f"yard.area_={file}")
    assert (code, other["same"], other["now"]["result"]) == (0, False, 35)
    why = whole.ok("why", "yard.area_", "--used-by")
    assert (why["method"]["cycle"], why["method"]["sha256"]) == (sent["cycle"], sent["method"]["sha256"])
    assert [cause["mandate"] for cause in why["causes"]] == [sent["mandate"]] * 2
    assert why["missing"] == []
    assert whole.ok("why", sent["mandate"])["mandate"]["tid"] == sent["tid"]
    assert whole.ok("status")["world"]["tid"] == before


def test_what_is_owed_nothing_waits_for_its_users_word(whole):
    whole.ok("new", "tile", "width=5", "height=6")
    before = whole.ok("look", "tile")
    code, asked = whole.run("send", "tile", "cover_", "--key", "tile 1")
    assert (code, asked["state"], asked["result"]) == (8, "PROPOSED", None)
    assert whole.ok("look", "tile") == before
    (one,) = [one for one in whole.ok("proposals")["proposals"] if one["name"] == "tile"]
    assert (one["id"], one["selector"], one["source"]) == (asked["proposal"], "cover_", asked["method"]["source"])
    done = whole.ok("accept", one["id"][:8])
    assert (done["sha256"], done["sent"]["state"]) == (one["sha256"], "COMPLETE")
    again = whole.ok("send", "tile", "cover_", "--key", "tile 1")
    assert (again["mandate"], again["result"]) == (asked["mandate"], one["result"]["returns"])
    whole.ok("set", "tile", "_learning=deny")
    code, denied = whole.run("send", "tile", "weight_", "--example", '{"returns":1}')
    assert (code, denied["error"]["code"]) == (2, "LEARNING_DENIED")


def test_up_twice_is_ok(whole):
    assert whole.ok("up")["ready"] is True


@pytest.mark.parametrize("actor", ["orchestrator", "inference", "guardian", "storage", "broker"])
def test_whichever_actor_is_killed_the_mandate_ends_once(whole, actor):
    name = f"box-{actor}"
    whole.ok("new", name, "width=2", "height=3")
    pid = whole.pid(actor)
    killed = []

    def kill(event):
        if not killed and event["state"] == "SYNTHESIZING":
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)

    _, ended = whole.follow(kill, "send", name, "area_", "--example", EXAMPLE, "--example", ANOTHER)
    assert killed
    assert "error" not in ended, ended
    assert ended["result"] == 6
    mine = [cycle for cycle in whole.ok("cycle", "ls")["cycles"] if cycle["mandate"] == ended["mandate"]]
    assert [cycle["state"] for cycle in mine] == ["COMPLETE"]
    seen = whole.ok("look", name)
    assert list(seen["methods"]) == ["area_"]
    assert seen["slots"] == {"width": 2, "height": 3}
    whole.ok("up")
    assert whole.pid(actor) != pid


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
def test_bad_input_is_told_apart_and_changes_nothing(whole, words, code, error):
    if whole.run("look", "bin")[0] != 0:
        whole.ok("new", "bin", "items=[]")
    before = whole.ok("look", "bin")
    got, result = whole.run(*words)
    assert (got, result["error"]["code"]) == (code, error)
    assert result["error"]["message"]
    assert whole.ok("look", "bin") == before


def test_a_method_that_sends_to_another_object(whole):
    made = whole.ok("new", "lamp", "on=false")
    lamp = json.dumps({"$ref": made["oid"]})
    whole.ok("new", "room", f"lamp={lamp}", 'name="den"')
    seen = whole.ok("look", "room")
    assert seen["slots"]["lamp"] == {"$ref": made["oid"]}
    clone = whole.ok("send", "room", "clone_")
    assert whole.ok("look", clone["result"]["$ref"])["slots"] == {"lamp": {"$ref": made["oid"]}, "name": "den"}


@pytest.fixture
def shell(whole, tmp_path):
    """Run lines in one shell: for each of them the last line that it has printed."""
    batos = tmp_path / "batos"
    batos.write_text(f'#!/bin/sh\nexec {sys.executable} -m cli.main "$@" --json\n')
    batos.chmod(0o755)
    environment = {**whole.environment, "PATH": f"{tmp_path}:{whole.environment['PATH']}", "PYTHONPATH": str(ROOT)}

    def run(lines):
        script = "".join(f'{line} || exit 9\necho "{END}"\n' for line in lines)
        done = subprocess.run(
            ["bash", "-c", script], env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, (done.stdout[-2000:], done.stderr)
        return [part.strip().rpartition("\n")[2] for part in done.stdout.split(END)[:-1]]

    return run


def test_every_command_of_the_page_about_time_does_what_it_says(shell, whole):
    lines = COMMAND.findall(PAGE.read_text())
    said = [(line, json.loads(out)) for line, out in zip(lines, shell(lines), strict=True) if out]
    assert len(said) >= 15
    by = dict(said)
    log = by["batos log"]["commits"]
    assert [one["why"] for one in log[:3]] == ["define shelf", "set shelf width", "new shelf"]
    (area,) = next(one for one in by['batos diff "$then"']["objects"] if one["name"] == "shelf")["methods"]
    assert "+def area_(self): return self.width * self.height" in area["diff"]
    planned, first, second, *_ = (result for line, result in said if line.startswith("batos undo last"))
    assert (planned["undone"], planned["tid"]) == ([log[0]["tid"]], None)
    assert first["undone"] == [log[0]["tid"]]
    assert second["undone"] == [first["tid"]]
    assert whole.ok("send", "shelf", "area_")["result"] == 32
    code, refused = whole.run("undo", "nothing")
    assert (code, refused["error"]["code"]) == (2, "UNKNOWN_CYCLE")
