"""What a person reads of the shapes that programs read."""

from __future__ import annotations

from cli.health.census import Census, describe
from cli.render import render
from protocol.home import Home
from protocol.messages import ActorStatus


def test_status_shows_a_jail_that_lacks_a_layer(tmp_path):
    why = "the kernel has\x1b[2J no Landlock"
    guardian = ActorStatus(
        ready=True, pid=1, uptime_s=1.0, detail={"missing": {"landlock": why}, "may_lack": ["landlock"]}
    )
    found = describe(Home(tmp_path), _census({"guardian": guardian}))
    assert found["jail"] == {"missing": {"landlock": why}, "may_lack": ["landlock"]}
    shown = render.status(found)
    assert "the jail lacks landlock: the kernel has" in shown
    assert "\x1b" not in shown


def test_status_is_silent_about_a_whole_jail_and_about_one_that_cannot_be_asked(tmp_path):
    whole = ActorStatus(ready=True, pid=1, uptime_s=1.0, detail={"missing": {}, "may_lack": []})
    for statuses in ({"guardian": whole}, {}):
        assert "jail" not in render.status(describe(Home(tmp_path), _census(statuses)))


def test_status_counts_the_experts_and_passes_on_what_is_known_of_each(tmp_path):
    experts = [{"name": name, "tier": tier, "reason": ""} for name, tier in (("a", "cold"), ("b", "hot"), ("c", "hot"))]
    inference = ActorStatus(ready=True, pid=1, uptime_s=1.0, detail={"experts": experts})
    found = describe(Home(tmp_path), _census({"inference": inference}))
    assert found["experts"] == experts
    assert "experts: 2 hot, 1 cold (batos expert ls)" in render.status(found)
    assert "experts" not in render.status(describe(Home(tmp_path), _census({})))


def _census(statuses: dict[str, ActorStatus]) -> Census:
    return Census(house=None, supervised=False, processes={}, statuses=statuses, errors={}, restarts={})


def test_status_says_who_generates_why_and_what_would_be_faster(tmp_path):
    engine = {"engine": "local", "why": "xllamacpp is not installed", "faster": "install it"}
    detail = {"model": "some.gguf", "engine": engine, "device": "cpu", "dtype": "float32", "speed": {"one": 6.25}}
    inference = ActorStatus(ready=True, pid=1, uptime_s=1.0, detail=detail)
    found = describe(Home(tmp_path), _census({"inference": inference}))
    assert (found["model"]["engine"], found["model"]["context"]) == (engine, None)
    shown = render.status(found)
    assert "model some.gguf: float32 on cpu, 6.25 tokens/s alone" in shown
    assert "engine local: xllamacpp is not installed" in shown
    assert "→ install it" in shown
    assert "engine" not in render.status(describe(Home(tmp_path), _census({})))
