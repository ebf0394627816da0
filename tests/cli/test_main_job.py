"""The main job on real parts, and what survives when any one of them is killed in the middle of it.

supervisord, ZEO, the broker, all actors and the embedded model, through the command, as a person would use it.
"""

from __future__ import annotations

import json
import os
import signal

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.model]

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
