"""`learn` over a real broker, with an orchestrator of ours: what it asks, what it prints, how it ends."""

from __future__ import annotations

import json
import shlex

import pytest

from cli.main import main
from protocol.messages import (
    CyclesReply,
    CycleSummary,
    Doubt,
    Example,
    Group,
    GroupAnswer,
    Learned,
    Looked,
    MandateReply,
    MethodMade,
    Watched,
)

SUM = "def total_(self):\n    return sum(self.lines)\n"
GUARDED = "def total_(self):\n    if not self.lines:\n        return None\n    return sum(self.lines)\n"
CASE = '{"slots":{"lines":[1,2]},"returns":3}'
EMPTY = [Example(slots={"lines": []}, returns=0)]
GROUPS = [
    Group(count=5, sha256="a" * 64, source=SUM, cases=EMPTY),
    Group(count=1, sha256="b" * 64, source=GUARDED, cases=[Example(slots={"lines": []}, returns=None)]),
]
ANSWERS = [
    GroupAnswer(sha256="a" * 64, outcome={"returns": 0}),
    GroupAnswer(sha256="b" * 64, outcome={"returns": None}),
]
DOUBT = Doubt(slots={"lines": []}, answers=ANSWERS)


def learned(*, installed, doubts=(DOUBT,), groups=GROUPS, reason=""):
    return Learned(
        source=SUM, sha256="a" * 64, installed=installed, reason=reason, doubts=list(doubts), groups=list(groups)
    )


@pytest.fixture
def teaching(system):
    """Start an orchestrator whose learnings come to this, and give the mandates that it was asked for."""

    def start(found):
        asked = []

        async def mandate(request, _call):
            asked.append(request)
            made = MethodMade(selector="total_", sha256="a" * 64, attempts=6, source=SUM)
            if request.detach:
                return MandateReply(mandate="M1", state="accepted")
            return MandateReply(mandate="M1", cycle="C1", state="COMPLETE", method=made, learned=found, tid="3" * 16)

        async def look(_request, _call):
            return Looked(name="order", oid="1" * 16, tid="2" * 16, slots={}, parents=[], methods={})

        async def cycles(_request, _call):
            facts = {"state": "COMPLETE", "started": 1.0, "seconds": 1.0}
            rows = [("C3", "M3", "other_"), ("C1", "M1", "total_"), ("C0", "M0", "total_")]
            return CyclesReply(
                cycles=[
                    CycleSummary(cycle=cycle, mandate=mandate, target="1" * 16, selector=selector, **facts)
                    for cycle, mandate, selector in rows
                ]
            )

        async def watch(request, _call):
            known = found if request.id == "M1" else None
            return Watched(
                mandate=request.id, cycle="C1", state="COMPLETE", learned=known, intent="the sum", is_sent=False
            )

        system.handlers.update(mandate=mandate, look=look, cycles=cycles, watch=watch)
        system.start()
        return asked

    return start


def test_the_words_become_a_learning(teaching, batos):
    asked = teaching(learned(installed=True))
    words = ["--intent", " 合計 ", "--example", CASE, "--dry-run", "--again", "--strict", "--detach"]
    code, lines = batos("learn", "order", "total_", *words)
    assert (code, lines[-1]["state"], lines[-1]["method"]) == (0, "accepted", None)
    (mandate,) = asked
    assert (mandate.intent, mandate.examples, mandate.seconds) == (
        "合計",
        [Example(slots={"lines": [1, 2]}, returns=3)],
        None,
    )
    assert (mandate.learn.again, mandate.learn.dry_run, mandate.learn.strict) == (True, True, True)
    batos("learn", "order", "total_", "--timeout", "7")
    assert asked[-1].seconds == 7


def test_its_shape(teaching, batos):
    teaching(learned(installed=True))
    code, (*_, shape) = batos("learn", "order", "total_", "--example", CASE)
    assert code == 0
    assert {"mandate", "cycle", "state", "method", "proposal", "doubts", "runner_up", "tid"} <= shape.keys()
    assert (shape["proposal"], shape["installed"], shape["tid"]) == (None, True, "3" * 16)
    assert shape["runner_up"]["source"] == GUARDED
    assert shape["doubts"][0]["answers"][1] == {"sha256": "b" * 64, "outcome": {"returns": None}}
    [case] = shape["groups"][0]["cases"]
    assert {name: value for name, value in case.items() if value} == {"slots": {"lines": []}}
    assert case["returns"] == 0


def test_a_dry_run_shows_the_next_best_and_the_example_that_settles_it(teaching, home, capsys):
    teaching(learned(installed=False, reason="a dry run installs nothing"))
    words = ["learn", "order", "total_", "--intent", "it's the sum", "--example", CASE, "--dry-run"]
    assert main(["--home", str(home.root), *words]) == 0
    told = capsys.readouterr()
    assert told.out == SUM
    assert "with lines = [] : 0  |  None" in told.err
    assert "    if not self.lines:" in told.err
    paste = told.err[told.err.index("batos --home") :].split("\nif ")[0].replace(" \\\n", " ")
    typed = shlex.split(paste)
    assert typed[typed.index("--intent") + 1] == "it's the sum"
    examples = [json.loads(typed[n + 1]) for n, word in enumerate(typed) if word == "--example"]
    assert examples[-1] == {"slots": {"lines": []}, "args": [], "returns": 0}
    assert examples[0]["returns"] == 3
    assert "--dry-run" not in typed


def test_a_strict_learning_in_doubt_has_failed(teaching, batos, home, capsys):
    teaching(learned(installed=False, reason="candidates do not agree"))
    code, lines = batos("learn", "order", "total_", "--example", CASE, "--strict")
    error = lines[-1]["error"]
    assert (code, error["code"], error["mandate"], error["cycle"]) == (1, "IN_DOUBT", "M1", "C1")
    assert error["data"]["doubts"][0]["slots"] == {"lines": []}
    assert main(["--home", str(home.root), "learn", "order", "total_", "--example", CASE, "--strict"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "IN_DOUBT" in told.err
    assert "with lines = [] : 0  |  None" in told.err


def test_with_an_intent_only_there_is_a_choice(teaching, batos, home, capsys):
    asked = teaching(learned(installed=False, reason="without an example nobody knows whether it is right"))
    assert main(["--home", str(home.root), "learn", "order", "total_", "--intent", "the sum"]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[0] == "1. 5 candidates"
    assert "    with lines = [] : 0\n2. 1 candidate" in told.out
    assert "learn order total_ --pick N" in told.err
    code, lines = batos("learn", "order", "total_", "--intent", "the sum", "--strict")
    assert (code, lines[-1]["installed"], lines[-1]["tid"], len(lines[-1]["groups"])) == (0, False, None, 2)
    code, _ = batos("learn", "order", "total_", "--pick", "2", "--example", CASE)
    assert (code, asked[-1].intent, asked[-1].learn.candidates) == (0, "the sum", [GUARDED])
    assert asked[-1].examples == [*GROUPS[1].cases, Example(slots={"lines": [1, 2]}, returns=3)]


@pytest.mark.parametrize(
    ("selector", "number", "said"), [("never_", "1", "nothing to pick"), ("total_", "3", "2 groups")]
)
def test_what_cannot_be_picked(teaching, batos, selector, number, said):
    asked = teaching(learned(installed=False))
    code, lines = batos("learn", "order", selector, "--pick", number)
    assert (code, lines[-1]["error"]["code"], said in lines[-1]["error"]["message"]) == (2, "BAD_ARGUMENT", True)
    assert lines[-1]["error"]["hint"]
    assert asked == []


def test_a_message_in_doubt_says_so_in_a_line(teaching, batos, home, capsys):
    asked = teaching(learned(installed=True))
    code, lines = batos("send", "order", "total_", "--example", CASE, "--intent", "the sum")
    assert (code, lines[-1]["proposal"], len(lines[-1]["doubts"]), asked[-1].intent) == (0, None, 1, "the sum")
    assert main(["--home", str(home.root), "send", "order", "total_", "--example", CASE]) == 0
    told = capsys.readouterr().err
    assert "in doubt: with lines = [] : 0  |  None" in told
    assert "learn order total_ --again --example" in " ".join(told.replace("\\\n", "").split())


def test_what_is_learned_can_be_watched(teaching, home, capsys):
    teaching(learned(installed=False, reason="without an example"))
    assert main(["--home", str(home.root), "cycle", "watch", "M1"]) == 0
    assert capsys.readouterr().out.startswith("1. 5 candidates\n    def total_(self):")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["total_", "--example", "{"], "BAD_JSON"),
        (["total_", "--example", '{"args":[1]}'], "BAD_EXAMPLE"),
        (["total_(by)", "--example", '{"args":[1,2],"returns":1}'], "BAD_EXAMPLE"),
        (["total_", "--example", '{"returns":1}', "--example", '{"returns":2}'], "BAD_EXAMPLE"),
        (["total_(class)"], "BAD_SELECTOR"),
        (["__init__"], "BAD_SELECTOR"),
        (["_process_synthesis_"], "BAD_SELECTOR"),
        (["total_", "--intent", "x" * 100_000], "TOO_LARGE"),
        (["total_", "--intent", "\x1b[2J"], "BAD_ARGUMENT"),
        (["total_", "--intent", "\udcff"], "BAD_ARGUMENT"),
        (["total_", "--pick", "0"], "USAGE"),
        (["total_", "--timeout", "nan"], "USAGE"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(batos, words, code):
    exit_code, lines = batos("learn", "order", *words)
    assert (exit_code, lines[-1]["error"]["code"]) == (2, code)
    assert lines[-1]["error"]["hint"]
