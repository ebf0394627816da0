from __future__ import annotations

from typing import Any

import msgspec
import pytest

from protocol.codec import Ref
from protocol.examples import compare
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
    case = compare(Example(**example), {"x": 1, "y": 2}, outcome)
    assert (case.passed, case.rule) == (not rule, rule)


def test_a_failed_case_says_what_was_expected_in_few_words():
    case = compare(Example(returns="a" * 10_000), {}, Done(result=[1, "b"]))
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


def test_a_source_that_was_judged_before_is_only_tried_and_never_outside_of_the_language(within):
    silent = GROW.replace("    self._p_changed = True\n", "")
    request = Trial(
        source=silent, receiver=ME, slots={"size": 1}, examples=[Example(args=[1], returns=2)], is_sent=False
    )
    assert within(request).verdict == "reject"
    (case,) = within(msgspec.structs.replace(request, is_judged=True)).cases
    assert (case.passed, "COVENANT_BREACH" in case.message or "signal" in case.message) == (False, True), case
    outside = "def grow_(self, by):\n    import os\n    return 2\n"
    (case,) = within(msgspec.structs.replace(request, source=outside, is_judged=True)).cases
    assert (case.passed, case.rule) == (False, "TRIAL_FAILED")


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
    assert compare(Example(slots_after={"x": 1}), {"x": 1}, Done(result="anything")).passed


@pytest.mark.parametrize("value", [1 << 60000, [-(1 << 60000)], {"n": 10**5000, 7: b"x" * 10**6}, "x" * 10**6])
def test_whatever_a_method_returns_is_told_in_few_words(within, value: Any):
    source = "def m_(self, value):\n    self.x = value\n    self._p_changed = True\n    return value\n"
    examples = [
        Example(args=[value], returns=value, slots_after={"x": value}),
        Example(args=[value], returns=5),
        Example(args=[5], returns=value),
        Example(args=[value], slots_after={"x": 5}),
        Example(args=[5], slots_after={"x": value}),
        Example(args=[value], slots_after={}),
    ]
    tried = within(Trial(source=source, receiver=ME, slots={"x": 0}, args=[value], examples=examples))
    assert [case.passed for case in tried.cases] == [True] + [False] * 5
    assert all(len(case.message) < 1000 for case in tried.cases)
    assert "bits>" in tried.cases[1].message or "x" * 99 in tried.cases[1].message
    assert tried.outcome.result == value


def test_what_is_too_large_for_a_child_is_a_case_that_fails(within):
    megabyte = "x" * (1 << 20)
    large = {f"x{n}": megabyte[:-9] for n in range(9)}
    examples = [Example(args=[2], returns=2), Example(args=[3], slots=large, returns=3), Example(args=[4], returns=4)]
    source = "def m_(self, n):\n    return n\n"
    tried = within(Trial(source=source, receiver=ME, args=[5], examples=examples))
    assert [case.passed for case in tried.cases] == [True, False, True]
    assert "TOO_LARGE" in tried.cases[1].message
    assert tried.outcome == Done(result=5)
    tried = within(Trial(source=source, receiver=ME, slots=large, args=[5], examples=examples[:1]))
    assert [case.rule for case in tried.cases] == ["TRIAL_FAILED"]
    assert (tried.outcome.code, tried.outcome.error) == ("TOO_LARGE", "TOO_LARGE")


def test_after_the_limit_of_time_nothing_more_is_tried(within):
    source = "def m_(self, n):\n    while n:\n        pass\n    return n\n"
    examples = [Example(args=[0], returns=0), Example(args=[1], returns=1), Example(args=[0], returns=0)]
    tried = within(Trial(source=source, receiver=ME, args=[0], examples=examples, seconds=0.1))
    assert [case.passed for case in tried.cases] == [True, False, False]
    assert "LIMIT_TIME" in tried.cases[1].message
    assert "not tried" in tried.cases[2].message
    assert tried.outcome.error == "LIMIT_TIME"
