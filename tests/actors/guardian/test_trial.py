from __future__ import annotations

from typing import Any

import msgspec
import pytest

from actors.guardian import trial
from protocol.codec import Ref
from protocol.messages import Done, Effect, Example, Failed, Send, Trial

ME = Ref("00000000000000aa")
GROW = "def grow_(self, by):\n    self.size += by\n    self._p_changed = True\n    return self.size\n"
DONE = Done(result=2, changed={"x": 3}, removed=["y"])


@pytest.mark.parametrize(
    ("example", "outcome", "rule"),
    [
        ({"returns": 2.0}, DONE, ""),
        ({"returns": True}, Done(result=1), "TRIAL_RESULT"),
        ({"returns": None}, DONE, "TRIAL_RESULT"),
        ({"returns": {"a": 1, "b": [1]}}, Done(result={"b": [1], "a": 1}), ""),
        ({"slots_after": {"x": 3, "y": 2}}, DONE, "TRIAL_SLOTS"),
        ({"slots_after": {"x": 3}}, DONE, "TRIAL_SLOTS"),
        ({"slots_after": {"x": 3}}, Done(changed={"x": 3}), ""),
        ({"slots_after": {"x": 3}}, Done(changed={"x": 3, "z": 1}), "TRIAL_SLOTS"),
        ({"slots_after": {}}, Done(result=9), ""),
        ({"slots_after": {"x": 3}}, Done(), "TRIAL_SLOTS"),
        ({"returns": 2}, Done(result=2, changed={"x": 3}), ""),
        ({"returns": 2}, Effect(n=0, send=Send(kind="send", receiver=ME, selector="a_"), digest=""), "TRIAL_SEND"),
        ({"returns": 2}, Failed(code="METHOD_FAILED", error="ValueError", message="no", line=3), "TRIAL_FAILED"),
    ],
)
def test_what_an_example_asks_for(example: dict[str, Any], outcome: Any, rule: str):
    case = trial.compare(Example(**example), {"x": 1, "y": 2}, outcome)
    assert (case.passed, case.rule) == (not rule, rule)


def test_a_failed_case_says_what_was_expected_in_few_words():
    case = trial.compare(Example(returns="a" * 10_000), {}, Done(result=[1, "b"]))
    assert case.message.startswith("the method returned something else: expected 'aaa")
    assert case.message.endswith("got [1, 'b']")
    assert len(case.message) < 1000


def test_examples_run_on_copies_of_the_receiver(within):
    examples = [
        Example(args=[1], returns=11, slots_after={"size": 11}),
        Example(slots={"size": 1}, args=[2], returns=3),
        Example(args=[1], returns=12),
    ]
    request = Trial(source=GROW, receiver=ME, slots={"size": 10}, args=[5], examples=examples)
    tried = within(request)
    assert tried.verdict == "accept"
    assert [case.passed for case in tried.cases] == [True, True, False]
    assert tried.outcome == Done(result=15, changed={"size": 15}, signalled=True)


def test_a_refused_method_is_not_run(within):
    tried = within(Trial(source=GROW.replace("    self._p_changed = True\n", ""), receiver=ME, args=[1]))
    assert (tried.verdict, [violation.rule for violation in tried.violations]) == ("reject", ["COV001"])
    assert tried.outcome is None


def test_a_send_is_an_outcome_but_passes_no_example(within):
    source = "def ask_(self):\n    return self.infer_('why')\n"
    assert isinstance(within(Trial(source=source, receiver=ME)).outcome, Effect)
    tried = within(Trial(source=source, receiver=ME, examples=[Example(returns=1)]))
    assert [case.rule for case in tried.cases] == ["TRIAL_SEND"]


def test_absent_is_not_none():
    assert Example().returns is msgspec.UNSET
    assert trial.compare(Example(slots_after={"x": 1}), {"x": 1}, Done(result="anything")).passed
