"""The composite mind on real parts: a document is remembered, a question is asked, and the answer is found again.

supervisord, ZEO, the broker, all actors and the embedded models, through the command. What the model says is its own
business; what is checked is the way that it comes about.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from batos import World
from cli.calls.facts import FACTS

pytestmark = [pytest.mark.e2e, pytest.mark.model]

ROOT = Path(__file__).parents[2]
EXAMPLE = '{"slots":{"width":3,"height":4},"args":[],"returns":12}'
QUESTION = "What does the document say about the guardian?"
"""Of the kind that goes to one persona alone, whose three facets are the only ones that a plan can name."""


class Asked:
    """The first question of a fresh world, and the personas before and after it."""

    def __init__(self, whole):
        self.whole = whole
        file = whole.home.parent / "house.txt"
        file.write_text(FACTS)
        self.remembered = whole.ok("remember", str(file), "--id", "house")
        self.answer = whole.ok("ask", "--deep", QUESTION)

    def methods(self):
        """Every facet's method that there is now, by persona and selector."""
        names = self.whole.ok("codex")["personas"]
        seen = {name: self.whole.ok("look", name)["methods"] for name in names}
        return {(name, selector): method for name, methods in seen.items() for selector, method in methods.items()}

    def story(self, id_):
        return self.whole.ok("cycle", "show", id_)


@pytest.fixture(scope="module")
def asked(whole):
    return Asked(whole)


@pytest.fixture(scope="module")
def codex(whole):
    return whole.ok("codex")["text"]


def last_commit(whole):
    return whole.ok("status")["world"]["tid"]


def answers(whole, cycle):
    """What search finds of the answer of this cycle, for the question it was asked."""
    hits = whole.ok("search", QUESTION, "--top-k", "20", "--where", "kind=answer", "--where", f"cycle={cycle}")["hits"]
    return [hit for hit in hits if hit["metadata"]["cycle"] == cycle]


def test_a_fresh_world_answers_from_what_it_was_told(whole, asked):
    answer = asked.answer
    assert (answer["state"], answer["remembered"], answer["bypassed"]) == ("COMPLETE", True, False)
    assert answer["answer"]
    assert (answer["way"], answer["refused"]) == ("deep", False)
    assert answer["facets"]
    assert len(answer["facets"]) + len(answer["dropped"]) >= 2
    assert all(
        part["query"] and part["answer"] and part["expert"] == part["persona"].lower() for part in answer["facets"]
    )
    told = asked.remembered["documents"][0]
    assert told["chunks"] >= 1
    assert {source["doc_id"] for source in answer["sources"]} == {"house"}
    assert all(source["text"] in FACTS for source in answer["sources"])
    found = answers(whole, answer["cycle"])
    assert len(found) == 1
    assert answer["answer"] in found[0]["text"]
    assert found[0]["metadata"]["question"] == QUESTION


def test_every_facet_that_spoke_was_written_by_a_cycle_of_its_own(asked):
    answer, methods = asked.answer, asked.methods()
    story = asked.story(answer["cycle"])
    assert [stay["state"] for stay in story["states"]] == [
        "IDLE",
        "DECOMPOSING",
        "DELEGATING",
        "SYNTHESIZING",
        "COMPLETE",
    ]
    assert len(story["caused"]) >= len(answer["facets"])
    authors = {methods[part["persona"], part["facet"]]["author"] for part in answer["facets"]}
    assert authors <= set(story["caused"])
    for cycle in story["caused"]:
        assert asked.story(cycle)["verdicts"]


def test_the_same_question_again_writes_nothing(whole, asked):
    before = asked.methods()
    again = whole.ok("ask", "--deep", QUESTION)
    assert (again["state"], again["remembered"]) == ("COMPLETE", True)
    assert again["cycle"] != asked.answer["cycle"]
    assert {part["facet"] for part in again["facets"]} <= {part["facet"] for part in asked.answer["facets"]}
    assert asked.methods() == before
    story = asked.story(again["cycle"])
    assert (story["caused"], story["verdicts"]) == ([], [])
    assert len(answers(whole, again["cycle"])) == 1
    assert len(answers(whole, asked.answer["cycle"])) == 1


def test_a_question_of_many_voices_is_thought_again_and_says_what_it_was_told(whole, asked):
    again = whole.ok("replay", asked.answer["cycle"])
    assert (again["same"], again["difference"]) == (True, None)
    assert again["now"]["result"]["answer"] == asked.answer["answer"]
    why = whole.ok("why", asked.answer["mandate"])
    assert {told["doc_id"] for told in why["passages"]} == {"house"}
    assert why["texts"]
    assert all(text["seeds"] and text["prompt"] for text in why["texts"])
    came = whole.ok("why", "house", "--used-by")
    assert came["document"]["passages"] >= 1
    assert asked.answer["mandate"] in [one["mandate"] for one in came["used_by"]["mandates"]]


def test_a_facet_whose_pillar_changes_is_written_again(whole, asked):
    part = asked.answer["facets"][0]
    place = (part["persona"], part["facet"])
    before = asked.methods()
    text = whole.ok("codex")["text"]
    # Its temperature, which says nothing about whose question it is: the same plan needs it again.
    changed = re.sub(rf'(facet = "{part["facet"]}"\nintent = ".*"\ntemperature = )[0-9.]+', r"\g<1>0.35", text)
    assert changed != text
    file = whole.home.parent / "codex.toml"
    file.write_text(changed)
    loaded = whole.ok("codex", str(file))
    assert loaded["forgotten"] == [".".join(place)]
    assert loaded["tid"]
    assert whole.ok("codex", str(file))["tid"] is None
    kept = asked.methods()
    assert kept == {where: method for where, method in before.items() if where != place}
    # Detached, and followed to its end.
    mandate = whole.ok("ask", "--deep", QUESTION, "--detach")["mandate"]
    states = []
    code, watched = whole.follow(
        lambda event: states.append((event["cycle"], event["state"])) if event["event"] == "state" else None,
        "cycle",
        "watch",
        mandate,
    )
    assert (code, watched["mandate"], watched["state"], watched["error"]) == (0, mandate, "COMPLETE", None)
    assert (watched["cycle"], "COMPLETE") in states
    story = asked.story(mandate)
    assert (story["cycle"], story["state"]) == (watched["cycle"], "COMPLETE")
    after = asked.methods()
    assert {where: after[where] for where in kept} == kept
    assert "'temperature': 0.35" in after[place]["source"]
    assert "'temperature': 0.35" not in before[place]["source"]
    assert after[place]["author"] in story["caused"]
    assert len(answers(whole, watched["cycle"])) == 1


def test_a_shipped_expert_that_was_dropped_stays_dropped(whole):
    assert {one["name"] for one in whole.ok("expert", "ls")["experts"]} >= {"brick", "robin", "babs", "alfred"}
    assert whole.ok("look", "BRICK")["slots"]["expert"] == "brick"
    whole.ok("send", "BRICK", "drop_expert_")
    before = last_commit(whole)
    assert whole.ok("up")["already"]
    assert whole.ok("look", "BRICK")["slots"]["expert"] is None
    assert last_commit(whole) == before
    whole.ok("send", "BRICK", "adopt_expert_", '"brick"')


def test_a_second_message_joins_the_running_cycle(whole):
    whole.ok("new", "box", "width=5", "height=6")
    words = ("send", "box", "area_", "--example", EXAMPLE)
    second = []

    def start_another(event):
        if event["state"] == "SYNTHESIZING" and not second:
            second.append(whole.start(*words))

    code, first = whole.follow(start_another, *words)
    (process,) = second
    with process:
        out, _ = process.communicate(timeout=120)
    assert (code, process.returncode) == (0, 0)
    *events, other = whole.lines(out)
    assert (first["result"], other["result"]) == (30, 30)
    assert [event["detail"]["mandate"] for event in events if event["event"] == "joined"] == [first["mandate"]]
    cycles = [one for one in whole.ok("cycle", "ls")["cycles"] if one["selector"] == "area_"]
    assert [one["mandate"] for one in cycles] == [first["mandate"]]
    assert list(whole.ok("look", "box")["methods"]) == ["area_"]


def without_a_pillar(text):
    """The codex without the last persona's last pillar."""
    return text[: text.rindex("[[persona.pillar]]")]


def with_a_persona_twice(text):
    return text + text[text.rindex("[[persona]]") :]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without_a_pillar, "2 pillars"),
        (with_a_persona_twice, "named 2 times"),
        (lambda _: "", "roles"),
        (lambda text: text.replace('"ROBIN"', '"NOBODY"', 1), "NOBODY"),
        (lambda text: text + "\n[other]\n", "other"),
    ],
    ids=["a pillar is missing", "a persona twice", "nothing", "a role for nobody", "an unknown table"],
)
def test_a_bad_codex_changes_nothing(whole, codex, change, said):
    before = last_commit(whole)
    file = whole.home.parent / "bad.toml"
    file.write_text(change(codex))
    code, result = whole.run("codex", str(file))
    assert (code, result["error"]["code"]) == (2, "BAD_CODEX")
    assert said in result["error"]["message"]
    assert "batos codex" in result["error"]["hint"]
    assert last_commit(whole) == before


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", "BAD_DOCUMENT"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "BAD_DOCUMENT"),
        (None, "UNREADABLE"),
    ],
    ids=["empty", "binary", "missing"],
)
def test_what_is_no_document_is_told_apart(whole, data, error):
    before = last_commit(whole)
    file = whole.home.parent / "bad.txt"
    file.unlink(missing_ok=True)
    if data is not None:
        file.write_bytes(data)
    code, result = whole.run("remember", str(file))
    assert (code, result["error"]["code"]) == (2, error)
    assert result["error"]["hint"]
    assert last_commit(whole) == before


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["ask", " "], "USAGE"),
        (["ask", "x" * 5000], "TOO_LARGE"),
        (["cycle", "watch", "nothing"], "UNKNOWN_CYCLE"),
        (["forget", "nothing"], "UNKNOWN_DOCUMENT"),
    ],
)
def test_bad_words_are_told_apart(whole, words, error):
    code, result = whole.run(*words)
    assert (code, result["error"]["code"]) == (2, error)
    assert result["error"]["message"]


# A program beside the command --------------------------------------------------------------------------------------


def test_the_notebook_runs_on_the_whole_system(whole):
    run = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "notebook.py")],
        env=whole.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert run.returncode == 0, run.stderr
    told = run.stdout.splitlines()
    assert told[1].startswith("30 ")
    assert any(line.startswith("refused: ") for line in told)
    assert told[-2:] == ["True", "False"]  # its contract holds, and it is gone


def test_a_program_loses_no_answer_when_the_orchestrator_is_killed(whole):
    with World(whole.home) as world:
        pad = world.new("pad", total=0)
        pad.define(
            "def add_(self, by):\n    self.total = self.total + by\n    self._p_changed = True\n    return self.total\n"
        )
        assert pad.add_(1) == 1
        os.kill(whole.pid("orchestrator"), signal.SIGKILL)
        assert (pad.add_(2), pad.total) == (3, 3)
        world.remember("The lamp of Orsa was lit in 1907.", id="lamp")
        assert world.search("lamp of Orsa", top_k=1)[0].doc_id == "lamp"
        answer = world.ask("When was the lamp of Orsa lit?")
        assert (answer.state, str(answer)) == ("COMPLETE", answer.answer)
        assert set(world.status()) >= {"orchestrator", "inference", "memory", "guardian"}
        world.forget("lamp")


def test_a_token_is_made_shown_and_revoked(whole):
    made = whole.ok("token", "new", "laptop", "--right", "ask", "--tokens-a-day", "1000")
    assert made["token"].startswith("batos_")
    (one,) = whole.ok("token", "ls")["tokens"]
    assert (one["name"], one["rights"], one["daily"], one["today"]) == ("laptop", ["ask"], 1000, 0)
    assert made["token"] not in str(one)
    assert whole.run("token", "new", "laptop")[1]["error"]["code"] == "NAME_TAKEN"
    assert whole.ok("token", "revoke", "laptop") == {"name": "laptop", "cancelled": []}
    assert whole.run("token", "revoke", "laptop")[1]["error"]["code"] == "UNKNOWN_TOKEN"
