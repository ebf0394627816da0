from __future__ import annotations

import json
import subprocess
import sys

import pytest

from cli import lifecycle
from cli.calls import asking, facts
from cli.console import Invocation
from cli.main import main
from cli.stories import demo
from protocol.checks import documents
from protocol.errors import BatosError
from protocol.messages import ExpertReply, ExpertView, Hit, Looked, MethodView

STEPS = ["synthesize", "reuse", "refuse", "remember", "ask", "recall", "swap", "crash", "restart"]


@pytest.fixture
def nothing_to_start(monkeypatch):
    calls = []

    async def up(home, _progress):
        calls.append(("up", home.prepare()))

    async def down(home, _progress):
        calls.append(("down", home))

    monkeypatch.setattr(lifecycle, "up", up)
    monkeypatch.setattr(lifecycle, "down", down)
    return calls


def test_a_step_that_fails_says_why_and_the_world_is_thrown_away(monkeypatch, capsys, nothing_to_start):
    async def well(_self):
        return "it holds"

    async def badly(_self):
        raise BatosError("NOT_READY", "no orchestrator is ready", "Look at its log")

    for name in STEPS:
        monkeypatch.setattr(demo.Demo, name, badly if name == "crash" else well)
    assert main(["demo", "--json", "--events"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines[:-1]] == ["step"] * len(STEPS)
    assert lines[-1]["ok"] is False
    assert [step["ok"] for step in lines[-1]["steps"]] == [name != "crash" for name in STEPS]
    assert lines[-1]["steps"][STEPS.index("crash")]["detail"] == "no orchestrator is ready. Look at its log (NOT_READY)"
    assert [name for name, _ in nothing_to_start] == ["up", "down"]
    assert not nothing_to_start[0][1].root.parent.exists()


ANSWER = asking.Answer(
    mandate="M1",
    cycle="C1",
    state="COMPLETE",
    answer="It judges.",
    facets=[asking.Facet("BABS", name, "What?", "It.") for name in ("iceman_facet_", "tech_bat_facet_")],
    sources=[{"doc_id": facts.DOCUMENT, "chunk_index": 0}],
    remembered=True,
)


def hit(text, cycle="C1", index=0):
    metadata = {"kind": "answer", "cycle": cycle}
    return Hit(chunk_oid="0" * 16, doc_id=f"answer:{cycle}", chunk_index=index, score=1.0, text=text, metadata=metadata)


def persona(**methods):
    made = {
        name: MethodView(sha256=source, author="C1", source=source, verdict="accept")
        for name, source in methods.items()
    }
    return {"BABS": Looked(name="BABS", oid="0" * 16, tid="1" * 16, slots={}, parents=[], methods=made)}


@pytest.fixture
def story(home, monkeypatch):
    """A demo whose question is answered before it is asked: only what it looks at is its own."""
    told = demo.Demo(home, Invocation())
    told.asked = ANSWER
    known = {"hits": [hit("It judges.")], "answer": ANSWER, "before": persona(iceman_facet_="a"), "after": None}

    async def search():
        return known["hits"]

    async def question():
        return known["answer"]

    async def personas():
        found, known["before"] = known["before"], known["after"] or known["before"]
        return found

    for name, played in (("search", search), ("question", question), ("personas", personas)):
        monkeypatch.setattr(told, name, played)
    return told, known


KNOWN = {"iceman_facet_": "a", "tech_bat_facet_": "b"}


async def test_recall_says_whether_a_method_was_written(story):
    told, known = story
    known["before"] = persona(**KNOWN)
    assert "and wrote no method" in await told.recall()
    known["before"], known["after"] = persona(iceman_facet_="a"), persona(**KNOWN)
    assert "wrote BABS.tech_bat_facet_" in await told.recall()


@pytest.mark.parametrize(
    ("before", "after", "hits", "wrong"),
    [
        (KNOWN, {**KNOWN, "iceman_facet_": "c"}, [hit("It judges.")], "is not what it was"),
        (KNOWN, {**KNOWN, "sage_facet_": "c"}, [hit("It judges.")], "and wrote"),
        (KNOWN, KNOWN, [], "does not find"),
        (KNOWN, KNOWN, [hit("It judges.", "C2")], "does not find"),
        (KNOWN, KNOWN, [hit("It judges."), hit("It judges.")], "twice"),
        (KNOWN, KNOWN, [hit("It sleeps.")], "another answer"),
    ],
)
async def test_recall_fails_where_it_must(story, before, after, hits, wrong):
    told, known = story
    known.update(before=persona(**before), after=persona(**after), hits=hits)
    with pytest.raises(BatosError, match=wrong):
        await told.recall()


class Swap:
    """A persona whose facet says what its expert says, over experts of ours."""

    def __init__(self, monkeypatch, told):
        self.current, self.used, self.clock = "babs", {"alfred": None, "babs": 1.0}, 1.0
        self.says = {"babs": "Two wheels.", "alfred": "Two."}
        told.asked = ANSWER.__class__(
            mandate="M1",
            cycle="C1",
            state="COMPLETE",
            facets=[asking.Facet("BABS", "iceman_facet_", "What?", "It.", "babs")],
        )
        for name in ("send", "experts", "facet"):
            monkeypatch.setattr(told, name, getattr(self, name))
        monkeypatch.setattr(demo.experts, "activate", self.activate)

    async def send(self, persona, selector, *, value):
        assert (persona, selector) == ("BABS", "adopt_expert_")
        self.current = value

    async def experts(self):
        return [
            ExpertView(name=name, sha256=name * 9, tier="hot", bytes=5, rank=8, base_model="x", last_used=used)
            for name, used in self.used.items()
        ]

    async def facet(self, _part):
        self.clock += 1
        self.used[self.current] = self.clock
        return self.says[self.current]

    async def activate(self, _home, name):
        return ExpertReply(expert=(await self.experts())[0], seconds=0.002)


@pytest.fixture
def swap(story, monkeypatch):
    return story[0], Swap(monkeypatch, story[0])


async def test_swap_shows_both_voices_and_gives_the_persona_its_own_back(swap):
    told, played = swap
    said = await told.swap()
    assert "through babs: Two wheels. Through alfred: Two. The swap took 2.0 ms" in said
    assert played.current == "babs"


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (lambda played: played.says.update(alfred="Two wheels."), "says the same"),
        (lambda played: played.used.pop("babs"), "speaks through babs"),
        (lambda played: setattr(played, "clock", -9.0), "was not used"),
        (lambda played: setattr(played, "says", Forgetful()), "something else"),
    ],
    ids=["one voice", "no such expert", "not used", "another text"],
)
async def test_swap_fails_where_it_must(swap, change, wrong):
    told, played = swap
    change(played)
    with pytest.raises(BatosError, match=wrong):
        await told.swap()


class Forgetful(dict):
    """Says something new each time."""

    def __getitem__(self, _name):
        self[len(self)] = None
        return f"word {len(self)}"


def test_the_facts_are_a_document_that_holds_what_is_asked():
    assert documents.check(facts.DOCUMENT, facts.FACTS, {})
    assert "guardian" in facts.FACTS
    assert "guardian" in facts.QUESTION


@pytest.mark.e2e
@pytest.mark.model
def test_the_whole_story():
    command = [sys.executable, "-m", "cli.main", "demo", "--json"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    result = json.loads(told.stdout.splitlines()[-1])
    assert (told.returncode, result.get("ok")) == (0, True), told.stdout + told.stderr
    assert [step["name"] for step in result["steps"]] == STEPS
    detail = {step["name"]: step["detail"] for step in result["steps"]}
    assert "_facet_" in detail["ask"]
    assert facts.DOCUMENT in detail["ask"]
    assert "(babs)" in detail["ask"]
    assert "The swap took" in detail["swap"]
    assert "is not clever" in told.stderr
