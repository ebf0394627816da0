from __future__ import annotations

import pytest

from actors.guardian import gates
from actors.guardian.covenant import covenant
from actors.guardian.policy import bounds, policy
from protocol.errors import BatosError

BOTH = "def m_(self, x):\n    import os\n    self.x = x\n"


def found(gate: str) -> list[str]:
    return [violation.rule for violation in gates.judge(BOTH, gate=gate).violations]


def test_each_gate_answers_for_itself():
    assert found("all") == ["POL002", "COV001"]
    assert found("policy") == ["POL002"]
    assert found("covenant") == ["COV001"]


@pytest.mark.parametrize("gate", ["all", "policy", "covenant"])
def test_bounds_and_the_parse_belong_to_every_gate(gate: str):
    assert [violation.rule for violation in gates.judge("x = " + "(" * 99, gate=gate).violations] == ["BND003"]
    (violation,) = gates.judge("def m_(self):\n    return return\n", gate=gate).violations
    assert (violation.rule, violation.line) == ("BND007", 2)
    assert gates.judge("def m_(self):\n    return " + "lambda: " * 90 + "1", gate=gate).violations[0].rule == "BND003"


def test_the_boot_check_passes_when_all_stand():
    gates.probe()


@pytest.mark.parametrize(
    ("module", "name", "broken"),
    [
        (bounds, "measure", lambda source: []),
        (policy, "compile_method", lambda module, kernel: compile("1", "", "eval")),
        (covenant, "check", lambda module: []),
        (covenant, "check", lambda module: [("COV001", 1, "everything is wrong")]),
    ],
)
def test_a_gate_that_refuses_nothing_or_everything_is_found(monkeypatch, module, name, broken):
    monkeypatch.setattr(module, name, broken)
    with pytest.raises(BatosError) as caught:
        gates.probe()
    assert caught.value.code == "NO_JAIL"


def test_the_covenant_is_standard_library_only():
    import subprocess
    import sys

    script = (
        "import sys; before = set(sys.modules); import actors.guardian.covenant.covenant; "
        "print(*{m.partition('.')[0] for m in set(sys.modules) - before} - set(sys.stdlib_module_names))"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["actors"]
