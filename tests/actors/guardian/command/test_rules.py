"""The page of the rules is made from the code, and what it says of each example is what the gates say."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from actors.guardian import gates
from actors.guardian.command import rules
from protocol.codec import Ref
from protocol.messages import Example, Trial

PAGE = Path(__file__).parents[4] / "docs" / "rules.md"
RULES = [rule for found in rules.rules().values() for rule in found]
STATIC = [rule for rule in RULES if rule.case is None]


def test_the_page_is_what_the_code_says():
    assert PAGE.read_text() == rules.page(), "make it anew: python -m actors.guardian rules > docs/rules.md"


def test_every_rule_is_on_the_page_once():
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))
    assert all(f"### {id_}: " in PAGE.read_text() for id_ in ids)


@pytest.mark.parametrize("rule", STATIC, ids=lambda rule: rule.id)
def test_each_example_is_judged_as_the_page_says(rule: rules.Rule):
    gate = "covenant" if rule.id.startswith("COV") else "all"
    named = {violation.rule for violation in gates.judge(rule.refused, gate=gate).violations}
    # Before Python 3.12 nothing is left that only the last rule of the policy refuses.
    assert named & ({rule.id, "BND007"} if rule.id == "POL018" else {rule.id})
    assert gates.judge(rule.accepted).violations == []


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.case], ids=lambda rule: rule.id)
def test_each_trial_ends_as_the_page_says(within, rule: rules.Rule):
    case = msgspec.convert(rule.case, Example)
    for source, expected in ((rule.refused, rule.id), (rule.accepted, "")):
        tried = within(Trial(source=source, receiver=Ref("0" * 16), slots={}, examples=[case]))
        assert [(found.passed, found.rule) for found in tried.cases] == [(not expected, expected)]
