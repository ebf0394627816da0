"""The thirty real messages: their references are methods that hold all their cases, and that the open form allows."""

from __future__ import annotations

import copy
import json
import math
from types import SimpleNamespace

import pytest

from actors.guardian import gates
from bench import admission
from bench.writing.image import cycle

ROWS = {row["id"]: row for row in map(json.loads, admission.FILES[0].read_text().splitlines())}


@pytest.fixture(scope="module")
def grammar():
    return cycle().open_grammar_


def same(value):
    return json.loads(json.dumps(value))


def test_there_are_thirty_and_each_has_an_intent_and_cases():
    assert len(ROWS) == 30
    assert all(row["intent"] and len(row["examples"]) == 3 and len(row["hidden"]) >= 4 for row in ROWS.values())


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_reference_holds_every_case(row):
    scope = {"math": math}
    exec(row["reference"], scope)
    for case in row["examples"] + row["hidden"]:
        before = copy.deepcopy({**row["slots"], **case["slots"]})
        receiver = SimpleNamespace(**copy.deepcopy(before))
        result = scope[row["selector"]](receiver, *copy.deepcopy(case["args"]))
        after = {name: value for name, value in vars(receiver).items() if name != "_p_changed"}
        assert same(result) == case.get("returns", same(result))
        assert same(after) == {**before, **case.get("slots_after", {})}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_reference_is_accepted_and_admitted(row, grammar):
    assert gates.judge(row["reference"]).violations == []
    one = admission.written(row)
    found = admission.admits(grammar(one.message), one.source)
    assert found.ok, found.taken[-60:]


def test_where_a_form_ends_is_told(grammar):
    message = admission.written(ROWS["transfer"]).message
    found = admission.admits(grammar(message), "def transfer_(self, source, target, amount):\n    import os\n")
    assert not found.ok
    assert found.taken.endswith("    import")


def test_a_method_by_itself_answers_a_message_of_its_own(grammar):
    code = 'def twice(self, n):\n    """Twice."""\n    import math\n\n    return n * self.factor\n'
    one = admission.written({"id": "x", "code": code})
    assert one.source == "def twice_(self, n):\n    return n * self.factor\n"
    assert admission.admits(grammar(one.message), one.source).ok
