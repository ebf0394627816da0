"""What is a little less than a method: it is a method too, and none twice."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.orchestrator.primitives.behaviour.simplifying import MOST, simpler

NUMBER = st.integers(0, 9).map(str)
READ = st.sampled_from(["self.n", "self.m", "by"])
EXPRESSION = st.recursive(
    NUMBER | READ,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "*", "and"]), inner).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(inner, inner).map(lambda parts: f"max({', '.join(parts)})"),
        st.tuples(inner, inner, inner).map(lambda parts: "({} if {} else {})".format(*parts)),
        inner.map(lambda part: f"(-{part})"),
    ),
    max_leaves=8,
)


def method(body):
    return f"def f_(self, by):\n    {body}\n"


def told(body):
    return [ast.unparse(ast.parse(one).body[0].body) for one in simpler(method(body))]


@given(EXPRESSION, EXPRESSION)
def test_each_is_a_method_of_the_same_name_and_none_stands_twice(condition, value):
    source = method(f"if {condition}:\n        return {value}\n    return 0")
    found = simpler(source, {"3": ["self.n", "by"]})
    assert len(found) == len(set(found)) <= MOST
    for one in found:
        [function] = ast.parse(one).body
        assert ast.unparse(function.args) == "self, by"
        assert ast.dump(function) != ast.dump(ast.parse(source).body[0])
        compile(one, "", "exec")


@pytest.mark.parametrize(
    ("body", "less"),
    [
        ("return self.n * by", ["return self.n", "return by"]),
        ("return max(3, by)", ["return 3", "return by", "return max(0, by)", "return max(1, by)"]),
        ("return not by", ["return by"]),
        ("return by[1]", ["return by", "return by[0]"]),
        ("return by.strip()", ["return by"]),
        ("return [n for n in by if n]", ["return [n for n in by]"]),
        ("return True", []),
        ("return 'shipped'", []),
        ("return sum(*by)", []),
    ],
)
def test_a_part_goes_or_a_number_is_simpler(body, less):
    assert told(body) == less


def test_a_condition_goes_with_or_without_what_it_guards():
    assert told("if by:\n        self.n = by\n    return by") == [
        "self.n = by\nreturn by",
        "pass\nreturn by",
        "if by:\n    pass\nreturn by",
    ]


def test_what_a_literal_may_stand_for_is_tried():
    same = {"4": ["self.height"], "'ab'": ["self.name"]}
    found = [ast.unparse(ast.parse(one).body[0].body) for one in simpler(method("return (4, 'ab')"), same)]
    assert "return (self.height, 'ab')" in found
    assert "return (4, self.name)" in found


def test_the_words_of_an_f_string_are_exchanged_as_part_of_it():
    same = {"' of '": ["self.between"], "'>'": ["by"], "5": ["self.width"]}
    found = [ast.unparse(ast.parse(one).body[0].body) for one in simpler(method("return f'{by} of {by:>{5}}'"), same)]
    assert "return f'{by}{self.between}{by:>{5}}'" in found
    assert "return f'{by} of {by:{by}{5}}'" in found
    assert "return f'{by} of {by:>{self.width}}'" in found


def test_a_long_method_has_no_more_than_can_be_tried():
    assert len(simpler(method("return " + " + ".join(["by"] * 40)))) <= MOST
