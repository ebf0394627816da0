# ruff: noqa: RUF001 - characters that look like others are the matter here

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.guardian.policy import bounds

BROKEN = {
    "BND001": ["def m(self):\n" + "    x = 1\n" * 4000],
    "BND002": ["x = 1\n" * 1001, "def m(self): return '" + "a" * 2000 + "'"],
    "BND003": [
        "def m(self): return " + "(" * 41 + ")" * 41,
        "def m(self): return " + "-" * 500 + "1",
        "def m(self): return " + "1+" * 500 + "1",
        "\n".join(" " * n + "if 1:" for n in range(30)),
    ],
    "BND004": ["def m(self): return self.ｘ", "def m(self): return ﬁ"],
    "BND005": ["def m(self): return " + "9" * 401, "x = 0x" + "f" * 401],
    "BND006": ["def m(self):\0 pass", "x = 'a\u202eb'", "x = '\ud800'", "x = 1 # \u2066"],
}


@pytest.mark.parametrize(("rule", "source"), [(rule, source) for rule, all_ in BROKEN.items() for source in all_])
def test_each_bound_refuses(rule: str, source: str):
    assert [violation.rule for violation in bounds.measure(source)] == [rule]


def test_every_rule_of_the_raw_text_has_its_example():
    assert set(BROKEN) == set(bounds.RULES) - {"BND007", "BND008"}


@pytest.mark.parametrize(
    "source",
    [
        "def m(self):\n    '''Say (((((((((((((((((((((((((((((((((((((((((((((((((( in a text.'''\n    return 1\n",
        "def m(self):\n    # ))) [[[ ----------\n\treturn {'a': [1, 2, (3,)]}\n",
        "def größe_(self):\n    return 'ｘ'\n",
        "def m(self):\n    return [" + "1, " * 600 + "]\n",
        'def m(self):\n    return "it\'s" + \'\\\'\' + """a\n"b" ""c"""\n',
    ],
)
def test_what_only_looks_deep_passes(source: str):
    assert bounds.measure(source) == []


def test_a_violation_names_its_line():
    (violation,) = bounds.measure("def m(self):\n    x = '''\n\n'''\n    return self.ｘ\n")
    assert violation.line == 5


@given(st.text(alphabet="'\"\\\n([{}])#f0_a -ﬁ", max_size=400))
def test_any_text_gets_an_answer(source: str):
    for violation in bounds.measure(source):
        assert violation.rule in bounds.RULES
