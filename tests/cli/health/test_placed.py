"""What `doctor` says of the form in which a model begins."""

from __future__ import annotations

import pytest

from cli.health import placed as placing
from cli.health.census import Census
from cli.health.placed import placed
from protocol.errors import BatosError
from protocol.home import Home, Inference, Settings
from protocol.messages import ActorStatus

DIGEST = "d1" * 32
TRIED = [{"selector": "a_", "solved": True}, {"selector": "b_", "solved": False}]


def census(**detail):
    ready = {
        name: ActorStatus(ready=True, pid=1, uptime_s=1.0, detail=facts)
        for name, facts in (("orchestrator", {}), ("inference", {"model": "M", "digest": DIGEST, **detail}))
    }
    return Census(house=1, supervised=True, processes={}, statuses=ready, errors={}, restarts={})


def settings(form="auto"):
    return Settings(inference=Inference(form=form))


async def told(tmp_path, monkeypatch, kept, *, form="auto", **detail):
    async def look(_home):
        if isinstance(kept, BatosError):
            raise kept
        return kept

    monkeypatch.setattr(placing, "placements", look)
    return await placed(Home(tmp_path), settings(form), census(**detail))


@pytest.mark.parametrize(
    ("kept", "how", "words"),
    [
        ({DIGEST: {"form": "narrow", "tried": []}}, {}, "begins at narrow: found"),
        ({DIGEST: {"form": "open", "tried": TRIED}}, {}, "begins at open: found, 1 of 2 tasks"),
        ({}, {}, "not placed yet"),
        ({}, {"form": "free"}, "begins at free: configured"),
        ({}, {"grammars": False}, "begins at free: no grammar"),
    ],
)
async def test_the_model_its_digest_and_who_says_where_it_begins(tmp_path, monkeypatch, kept, how, words):
    check = await told(tmp_path, monkeypatch, kept, **how)
    assert (check.ok, check.detail.startswith(f"M ({DIGEST[:12]})"), words in check.detail) == (True, True, True)


async def test_a_world_that_does_not_answer_is_no_lack(tmp_path, monkeypatch):
    check = await told(tmp_path, monkeypatch, BatosError("TIMEOUT", "nobody answers"))
    assert (check.ok, check.required, "nobody answers" in check.detail) == (False, False, True)


async def test_a_system_at_rest_tells_the_configuration(tmp_path):
    nothing = Census(house=None, supervised=False, processes={}, statuses={}, errors={}, restarts={})
    assert "configured: open" in (await placed(Home(tmp_path), settings("open"), nothing)).detail
