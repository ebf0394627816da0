"""The tasks by which a model is placed: whatever the house does with a message it can do with them."""

from __future__ import annotations

import ast

import pytest

from protocol import codec, names
from protocol.messages import Example

from .test_candidates import CYCLE, GRAMMAR, PROMPT

TASKS = CYCLE.placement_tasks_()
SOLUTIONS = {
    "perimeter_": "def perimeter_(self):\n    return 2 * (self.width + self.height)\n",
    "longer_than_": "def longer_than_(self, letters):\n    return [w for w in self.words if len(w) > letters]\n",
    "balance_": "def balance_(self):\n    return sum(e['amount'] if e['kind'] == 'in' else -e['amount'] for e in self.entries)\n",
    "take_": (
        "def take_(self, count):\n    if count > self.stock:\n        return False\n    self.stock -= count\n"
        "    self._p_changed = True\n    return True\n"
    ),
}


class Receiver:
    pass


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task["selector"])
def test_a_task_is_a_message_that_a_method_can_answer(task):
    assert names.check_selector(task["selector"])
    examples = [codec.convert(example, Example) for example in task["examples"]]
    assert len(examples) == 3
    namespace: dict = {}
    exec(SOLUTIONS[task["selector"]], namespace)
    for example in examples:
        receiver = Receiver()
        slots = {**task["slots"], **example.slots}
        vars(receiver).update(slots)
        assert namespace[task["selector"]](receiver, *example.args) == example.returns
        after = {name: value for name, value in vars(receiver).items() if not name.startswith("_")}
        wanted = example.slots_after if isinstance(example.slots_after, dict) else {}
        assert after == {**slots, **wanted}


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task["selector"])
def test_a_task_can_be_asked_as_any_message_is(task):
    asked, _ = PROMPT(task, "open", [])
    assert task["selector"] in asked["content"]
    assert f"def {task['selector']}" in GRAMMAR(task, 0)
    parameters = [arg.arg for arg in ast.parse(SOLUTIONS[task["selector"]]).body[0].args.args]
    assert parameters == ["self", *task["parameters"]]
