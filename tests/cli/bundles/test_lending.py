"""Experts that go along with a bundle: asked for, known again by their hash, and looked at before anything is taken in."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import msgspec
import pytest

from cli.bundles import document
from protocol.errors import BatosError
from protocol.messages import BaseModelReply, BundledObject, ExpertReply, ExpertsReply, ExpertView, Exported, Imported

DATA = b"the numbers of an expert"
MODEL = "cd" * 32
VIEW = ExpertView(
    name="poet", sha256=hashlib.sha256(DATA).hexdigest(), tier="cold", bytes=len(DATA), rank=4, base_model=MODEL
)
OBJECTS = [BundledObject(name="box", slots={"expert": "poet", "width": 1})]


@pytest.fixture
def house(system, serving):
    """An orchestrator and an inference of ours; `imports` has what the orchestrator was to take in."""
    system.imports = []

    async def export(_request, _call):
        return Exported(objects=OBJECTS)

    async def taken(request, _call):
        system.imports.append(request)
        return Imported(objects=[], methods=[])

    def give(request):
        Path(request.path).write_bytes(DATA)
        return ExpertReply(expert=VIEW, seconds=0.0)

    inference = serving()
    inference.replies.update(
        give=give,
        experts=ExpertsReply(experts=[VIEW, msgspec.structs.replace(VIEW, name="other")]),
        model=BaseModelReply(digest=MODEL, source="a play"),
        **{"import": ExpertReply(expert=VIEW, seconds=0.1, tid="00000000000000ab")},
    )
    inference.start()
    system.handlers = {"export": export, "import": taken}
    system.start_orchestrator()
    return inference


@pytest.fixture
def file(house, batos, tmp_path):
    place = tmp_path / "b.json"
    code, [made] = batos("export", "box", "--experts", "-o", str(place))
    assert (code, made["experts"]) == (0, ["poet"])
    house.asked.clear()
    return place


def test_those_that_a_slot_names_go_along_and_come_in(house, system, batos, home, file):
    assert document.read(str(file)).experts[0].file == DATA
    house.replies["experts"] = ExpertsReply(experts=[])
    came = []
    house.replies["import"] = lambda request: (
        came.append((request.name, Path(request.path).read_bytes())) or ExpertReply(expert=VIEW, seconds=0.1)
    )
    code, lines = batos("import", str(file))
    assert (code, lines[-1]["experts"], came) == (0, ["poet"], [("poet", DATA)])
    assert system.imports[0].objects == OBJECTS
    assert list(home.root.glob("bundle-*")) == []


def test_one_that_is_there_already_is_left_alone(house, system, batos, file):
    assert batos("import", str(file))[0] == 0
    assert "import" not in [verb for verb, _ in house.asked]
    assert len(system.imports) == 1


@pytest.mark.parametrize(
    ("replies", "code"),
    [
        ({"model": BaseModelReply(digest="ef" * 32, source="another")}, "BAD_EXPERT"),
        ({"experts": ExpertsReply(experts=[msgspec.structs.replace(VIEW, sha256="ab" * 32)])}, "NAME_TAKEN"),
    ],
)
def test_one_that_does_not_fit_is_told_before_anything_is_taken_in(house, system, batos, file, *, replies, code):
    house.replies.update(replies)
    _, lines = batos("import", str(file))
    assert lines[-1]["error"]["code"] == code
    assert "Nothing was taken in" in lines[-1]["error"]["hint"]
    assert system.imports == []


def test_one_that_cannot_come_in_after_all_says_what_is_there(house, batos, file):
    house.replies["experts"] = ExpertsReply(experts=[])
    house.replies["import"] = BatosError("STORAGE", "no room", "Make some.")
    _, lines = batos("import", str(file))
    assert lines[-1]["error"]["code"] == "STORAGE"
    assert "The objects of the bundle are taken in; the expert poet is not." in lines[-1]["error"]["hint"]


@pytest.mark.parametrize("change", [{"file": "AAAA"}, {"file": "%"}, {"file": 3}, {"sha256": "00"}, {"name": "_x"}])
def test_an_expert_that_was_changed_is_refused(house, system, batos, file, change):
    whole = json.loads(file.read_text())
    whole["experts"][0] |= change
    file.write_text(json.dumps(whole))
    code, lines = batos("import", str(file))
    assert (code, lines[-1]["error"]["code"]) == (2, "BAD_NAME" if "name" in change else "BAD_BUNDLE")
    assert system.imports == []
