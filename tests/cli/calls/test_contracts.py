"""Contracts from the command: words in, one request out, and what a person is told at 80 columns."""

from __future__ import annotations

import msgspec
import pytest

from protocol.errors import BatosError
from protocol.messages import (
    BrokenCase,
    Checked,
    CheckedMethod,
    CheckProgress,
    Confirmed,
    Event,
    Example,
    Learned,
    MandateReply,
    MethodMade,
)

OID = "00000000000000ab"
AREA = "def area_(self):\n    return self.width * self.height\n"
KEPT = {"slots": {"width": 3, "height": 4}, "args": [], "kwargs": {}, "returns": 12, "slots_after": {}}
HELD = CheckedMethod(name="box", selector="area_", passed=3, failed=0)


def checked(*methods, **rest):
    facts = {"contracts": len(methods), "examples": 3 * len(methods), "without": 2, "seconds": 0.25, "tid": OID}
    return Checked(ok=not any(method.failed for method in methods), methods=list(methods), **{**facts, **rest})


@pytest.fixture
def asked(system):
    """Every request with its key; `answers` by verb may be changed."""
    seen = []
    learned = Learned(
        source=AREA, sha256="cd" * 32, installed=True, replaced=[Example(slots={"width": 3}, args=[], returns=7)]
    )
    made = MethodMade(selector="area_", sha256="cd" * 32, attempts=2, source=AREA)
    system.answers = answers = {
        "check": checked(HELD),
        "confirm": Confirmed(name="box", oid=OID, selector="area_", mandate="M1", example=KEPT, examples=2, tid=OID),
        "correct": MandateReply(
            mandate="M2", state="COMPLETE", cycle="c1", method=made, learned=learned, synthesized=True, tid=OID
        ),
    }

    def answering(verb):
        async def handler(request, call):
            seen.append((verb, request, call.envelope.idem))
            if verb == "check":
                call.partial(CheckProgress(done=1, total=3, broken=1))
            if verb == "correct":
                call.partial(Event(event="accepted", mandate="M2"))
            if isinstance(answers[verb], BatosError):
                raise answers[verb]
            return answers[verb]

        return handler

    system.handlers = {verb: answering(verb) for verb in answers}
    system.start()
    return seen


def test_a_world_whose_contracts_hold_ends_with_a_summary_and_0(asked, told):
    code, out, err = told("check", "box", "pen")
    assert (code, out) == (0, "all hold: 1 contract, 3 examples, 0.2 s; 2 methods without a contract\n")
    assert "1 of 3 contracts, 1 broken" in err
    assert asked[0][1].names == ["box", "pen"]


def test_where_a_line_lives_how_far_a_check_is_stands_on_that_line_alone(asked, told, monkeypatch):
    monkeypatch.setattr("cli.live.Live.is_possible", True)
    assert "1 of 3 contracts" not in told("check")[2]


def test_each_broken_method_is_a_line_and_the_exit_code_is_1(asked, system, told):
    case = BrokenCase(
        number=2,
        asked="{'slots': {}}",
        rule="TRIAL_RESULT",
        message="the method returned something else: expected 4, got 5",
    )
    long = BrokenCase(number=1, asked="", rule="TRIAL_FAILED", message="the method failed: " + "why " * 40)
    one = CheckedMethod(name="box", selector="area_", passed=2, failed=1, cases=[case])
    more = CheckedMethod(name="crate-" * 12, selector="size_", passed=0, failed=2, cases=[long, long])
    system.answers["check"] = checked(one, more, HELD)
    code, out, _ = told("check")
    first, second, last = out.splitlines()
    assert code == 1
    assert first == "box.area_  example 2: expected 4, got 5"
    assert len(second) == 80
    assert second.endswith("… (and 1 more)")
    assert last == "2 broken of 3 contracts, 9 examples, 0.2 s; 2 methods without a contract"


def test_the_result_is_what_scripts_rely_on(asked, batos):
    code, lines = batos("check")
    assert code == 0
    result = lines[-1]
    assert {"ok", "methods", "seconds"} <= result.keys()
    assert result["methods"] == [{"name": "box", "selector": "area_", "passed": 3, "failed": 0, "cases": []}]


def test_a_call_is_confirmed_under_a_key(asked, told, batos):
    code, out, _ = told("confirm", "last", "--key", "k1")
    assert (code, out) == (0, "box.area_ owes 2 examples now, this one too:\n  with width = 3, height = 4 : 12\n")
    assert [(verb, request.mandate, key) for verb, request, key in asked] == [("confirm", "last", "k1")]
    assert batos("confirm", "M1")[1][-1]["example"] == KEPT


def test_a_call_is_corrected_and_what_goes_of_the_contract_is_named(asked, told):
    code, out, err = told("correct", "M1", "--returns", "12", "--slots-after", '{"width": "@pen"}', "--timeout", "9")
    assert (code, out) == (0, AREA)
    assert "the contract says no longer:\n  with width = 3 : 7" in err
    [(_, request, key)] = asked
    assert (request.mandate, request.returns, request.slots_after, request.seconds) == (
        "M1",
        12,
        {"width": "@pen"},
        9.0,
    )
    assert key


def test_the_reply_of_a_correction_has_what_was_replaced(asked, batos):
    code, lines = batos("correct", "M1", "--returns", "12")
    assert (code, lines[-1]["replaced"][0]["returns"], lines[-1]["installed"]) == (0, 7, True)


def test_a_correction_that_waits_for_its_user_says_how_to_settle_it(asked, system, told):
    waits = msgspec.structs.replace(system.answers["correct"], state="PROPOSED", proposal="ab12")
    system.answers["correct"] = waits
    code, out, err = told("correct", "M1", "--returns", "12")
    assert (code, out) == (8, AREA)
    assert "accept ab12\n" in err
    assert "reject ab12 --because TEXT\n" in err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("correct", "M1"), "USAGE"),
        (("correct", "M1", "--returns", "{"), "BAD_JSON"),
        (("correct", "M1", "--slots-after", "{'width': 1}"), "BAD_JSON"),
        (("correct", "M1", "--slots-after", "3"), "BAD_ARGUMENT"),
        (("correct", "M1", "--returns", "1", "--timeout", "0"), "USAGE"),
        (("correct",), "USAGE"),
        (("confirm",), "USAGE"),
        (("confirm", "M1", "--key", ""), "USAGE"),
        (("check", "_box"), "BAD_NAME"),
    ],
)
def test_bad_words_are_refused_here_with_the_next_step(asked, batos, words, code):
    exit_code, lines = batos(*words)
    assert (exit_code, lines[-1]["error"]["code"]) == (2, code)
    assert lines[-1]["error"]["hint"]
    assert asked == []


@pytest.mark.parametrize("words", [("confirm", "M1"), ("correct", "M1", "--returns", "1")])
def test_what_is_forgotten_is_said_to_be(asked, system, batos, words):
    system.answers[words[0]] = BatosError("EXPIRED", "it is forgotten", "State the example.")
    code, lines = batos(*words)
    assert (code, lines[-1]["error"]["code"]) == (2, "EXPIRED")
