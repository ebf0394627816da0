"""Which rules have a text that ends, and what the parts of a schema need."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.inference.forms.grammar import endless_words
from actors.inference.forms.productivity import Alternative, endless, schema_alternatives

RULES = st.integers(0, 6)


def by_definition(alternatives, start):
    """Rules are added as long as one has an alternative all of whose needs are there."""
    ended = set()
    while more := {rule for rule, needs in alternatives if set(needs) <= ended} - ended:
        ended |= more
    return start in ended


@given(st.lists(st.builds(Alternative, RULES, st.lists(RULES, max_size=3)), max_size=12), RULES)
def test_a_rule_ends_where_the_definition_says_so_and_else_a_circle_tells_why(alternatives, start):
    circle = endless(alternatives, start)
    assert (not circle) == by_definition(alternatives, start)
    for rule, need in zip(circle, [*circle[1:], *circle[:1]], strict=True):
        own = [needs for other, needs in alternatives if other == rule]
        assert any(need in needs for needs in own) or (len(circle) == 1 and not own)
        assert not by_definition(alternatives, rule)


def test_a_circle_of_many_thousands_is_found_at_once():
    circle = endless([Alternative(n, [(n + 1) % 50_000]) for n in range(50_000)], 0)
    assert len(circle) == 50_000


def definition(**part):
    return {"$ref": "#/$defs/a", "$defs": {"a": part}}


AGAIN = {"$ref": "#/$defs/a"}


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        definition(**AGAIN),
        definition(type="object", properties={"n": {"type": "string"}, "x": AGAIN}, required=["n", "x"]),
        definition(type=["object", "array"], properties={"x": AGAIN}, required=["x"], items=AGAIN, minItems=1),
        definition(type="array", prefixItems=[{"type": "null"}, AGAIN], minItems=2),
        definition(anyOf=[AGAIN, {"type": "array", "items": AGAIN, "minItems": 2}]),
        definition(allOf=[{"type": "integer"}, AGAIN]),
        {"$ref": "#/$defs/a~1b%25", "$defs": {"a/b%": {"$ref": "#/$defs/a~1b%25"}}},
    ],
)
def test_a_schema_of_which_no_value_ends(schema):
    assert "needs" in endless_words(schema_alternatives(schema), "#")


@pytest.mark.parametrize(
    "schema",
    [
        {},
        True,
        {"$ref": "http://elsewhere"},
        {"$ref": "#/nowhere"},
        {"$ref": 5, "allOf": 5, "anyOf": [{}], "type": "object", "required": "x", "properties": []},
        definition(type="object", properties={"x": AGAIN}),
        definition(type=["object", "null"], properties={"x": AGAIN}, required=["x"]),
        definition(type="array", items=AGAIN),
        definition(anyOf=[AGAIN, {"type": "integer"}]),
        definition(properties={"x": AGAIN}, required=["x"]),
        definition(enum=[1], allOf=[AGAIN]),
    ],
)
def test_a_schema_of_which_some_value_ends(schema):
    assert endless_words(schema_alternatives(schema), "#") == ""


@pytest.mark.parametrize("schema", [{"anyOf": []}, {"type": "array", "items": False, "minItems": 1}])
def test_a_schema_that_allows_nothing(schema):
    assert "allows nothing" in endless_words(schema_alternatives(schema), "#")
