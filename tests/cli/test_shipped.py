"""The experts that ship: each comes in once, over the base model that it is made for, and overrules nobody."""

from __future__ import annotations

import json

import pytest

from cli import shipped
from protocol.errors import BatosError
from protocol.messages import ExpertReply, ExpertView, MandateReply

BASE = "cd" * 32


def view(name, sha256=None):
    return ExpertView(name=name, sha256=sha256 or name[0] * 64, tier="cold", bytes=5, rank=8, base_model=BASE)


@pytest.fixture
def asked(system, serving, monkeypatch, tmp_path):
    """A system in which `brick` and `robin` ship; `imported` and `adopted` have what it was asked for."""

    class Asked:
        def __init__(self):
            self.imported, self.adopted, self.told, self.refused = [], [], [], {}

        async def bring(self, **inference):
            return await shipped.bring(system.home, {"digest": BASE, "experts": [], **inference}, self.told.append)

    made = Asked()
    entries = [
        {"name": name, "persona": name.upper(), "sha256": name[0] * 64, "base_model": BASE}
        for name in ("brick", "robin")
    ]
    (tmp_path / "index.json").write_text(json.dumps(entries))
    for entry in entries:
        (tmp_path / entry["name"]).mkdir()
    monkeypatch.setattr(shipped, "folder", lambda: tmp_path)

    async def mandate(request, call):
        if request.target in made.refused:
            raise made.refused[request.target]
        made.adopted.append((request.target, request.selector, request.args, call.envelope.idem))
        return MandateReply(mandate="M1", state="COMPLETE")

    system.handlers["mandate"] = mandate
    inference = serving()
    inference.replies["import"] = lambda request: ExpertReply(expert=view(request.name), seconds=0.1, tid="0" * 16)
    inference.start()
    system.start_orchestrator()
    made.imported = inference.asked
    made.inference = inference
    return made


def adoption(name):
    return (name.upper(), "adopt_expert_", [name], f"shipped:{name}:{name[0] * 64}")


async def test_a_world_without_experts_gets_them_all(asked, tmp_path):
    assert await asked.bring()
    assert [(request.name, request.path) for _, request in asked.imported] == [
        (name, str(tmp_path / name)) for name in ("brick", "robin")
    ]
    assert sorted(asked.adopted) == [adoption("brick"), adoption("robin")]
    assert asked.told == ["bringing the experts brick, robin"]


async def test_a_second_time_nothing_is_imported_and_the_mandates_have_the_same_keys(asked):
    there = [{"name": name, "sha256": name[0] * 64} for name in ("brick", "robin")]
    assert not await asked.bring(experts=there)
    assert asked.imported == []
    assert sorted(asked.adopted) == [adoption("brick"), adoption("robin")]
    assert asked.told == []


async def test_a_name_with_another_content_is_its_owners(asked):
    assert await asked.bring(experts=[{"name": "brick", "sha256": "0" * 64}])
    assert [request.name for _, request in asked.imported] == ["robin"]
    assert asked.adopted == [adoption("robin")]


async def test_over_another_base_model_nothing_happens(asked):
    assert not await asked.bring(digest="ef" * 32)
    assert not await shipped.bring(None, {}, asked.told.append)
    assert (asked.imported, asked.adopted, asked.told) == ([], [], [])


async def test_what_fails_is_told_and_stops_nobody(asked):
    asked.refused = {
        "BRICK": BatosError("GENERATION_FAILED", "the device is full"),
        "ROBIN": BatosError("UNKNOWN_OBJECT", "no object is called ROBIN"),
    }
    assert await asked.bring()
    assert asked.adopted == []
    assert asked.told[1:] == ["BRICK has not taken up brick: the device is full"]


async def test_that_it_was_taken_up_too_long_ago_to_be_answered_again_is_no_failure(asked):
    asked.refused = {name: BatosError("EXPIRED", "its end is not kept any more") for name in ("BRICK", "ROBIN")}
    assert not await asked.bring(experts=[{"name": name, "sha256": name[0] * 64} for name in ("brick", "robin")])
    assert asked.told == []


async def test_an_import_that_fails_is_told_and_is_not_adopted(asked):
    asked.inference.replies["import"] = BatosError("BAD_EXPERT", "it is spoiled")
    assert await asked.bring()
    assert asked.adopted == []
    assert asked.told[1:] == [
        "the expert brick is not brought: it is spoiled",
        "the expert robin is not brought: it is spoiled",
    ]


def test_the_index_is_in_the_package():
    assert {one.name for one in shipped.index(shipped.folder())} == {"brick", "robin", "babs", "alfred"}
