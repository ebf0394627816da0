from __future__ import annotations

import ast
import itertools

import pytest

from actors.guardian.covenant.knowledge import objects
from actors.guardian.covenant.knowledge.objects import (
    INVOKABLE,
    NOTHING,
    Bound,
    Closure,
    Foreign,
    GeneratorObject,
    Lazy,
    Outside,
    Sentinel,
    Site,
)

SENTINELS = [one for one in vars(objects).values() if isinstance(one, Sentinel)]
ALIKE = [
    *(kind("x") for kind in (Foreign, Outside)),
    *(kind(1) for kind in (Closure, GeneratorObject)),
    Site(1, "list"),
    Site(1, "dict"),
    Site(1, "list", "pair"),
    Site(1, "list", earlier=True),
    Bound("x", NOTHING),
    Lazy(1, "list", (), NOTHING),
    *SENTINELS,
]


def test_no_two_are_taken_for_one_another():
    assert len(set(ALIKE)) == len(ALIKE)
    assert not any(one == other for one, other in itertools.combinations(ALIKE, 2))


def test_those_of_the_same_items_are_one():
    assert {Foreign("x"), Site(1, "list")} == {Foreign("x"), Site(1, "list")}
    assert Sentinel("state") != objects.STATE


def test_what_runs_can_be_invoked():
    assert {type(one) for one in ALIKE if isinstance(one, INVOKABLE)} == {Closure, GeneratorObject, Bound, Lazy}


@pytest.mark.parametrize(
    ("text", "kind"),
    [("[]", "list"), ("{}", "dict"), ("{1}", "set"), ("()", "tuple"), ("[x for x in a]", "list"), ("f()", "any")],
)
def test_a_display_says_its_kind(text, kind):
    node = ast.parse(text, mode="eval").body
    assert objects.site(node) == Site(id(node), kind)
    assert objects.site(node, "iterator", "row").kind == "iterator"


def test_earlier_ones_are_others_and_one():
    recent = Site(1, "list", "row")
    earlier = objects.earlier(recent)
    assert earlier != recent
    assert objects.earlier(earlier) == earlier
