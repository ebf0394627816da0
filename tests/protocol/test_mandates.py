"""What a mandate must be to be accepted at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import BatosError
from protocol.mandates import MAX_INTENT, check_intent, check_mandate
from protocol.messages import Example, Learn, Mandate

printable = st.text(st.characters(codec="utf-8").filter(lambda letter: letter.isprintable() or letter in "\n\t"))


def refused(**facts):
    with pytest.raises(BatosError) as caught:
        check_mandate(Mandate(**{"target": "box", "selector": "area_", **facts}))
    assert caught.value.exit_code == 2
    assert caught.value.hint
    return caught.value.code


@given(printable.map(lambda text: text[:MAX_INTENT]))
def test_an_intent_may_be_in_any_language(intent):
    assert check_intent(intent) == intent


@pytest.mark.parametrize(
    "intent", ["", "sum the \"prices\" of '{lines}'; def f(): pass", "面積を返す\n\tbitte", " " * 9999]
)
def test_what_an_intent_may_be(intent):
    assert check_mandate(Mandate(target="box", selector="area_", intent=intent)).intent == intent


def test_what_no_intent_is():
    assert refused(intent="x" * 1_000_000) == "TOO_LARGE"
    assert refused(intent="x" * (MAX_INTENT + 1)) == "TOO_LARGE"
    assert refused(intent="clear\x1b[2J") == "BAD_ARGUMENT"
    assert refused(intent="a\u202eb") == "BAD_ARGUMENT"


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"args": [1]}, "BAD_ARGUMENT"),
        ({"kwargs": {"by": 1}}, "BAD_ARGUMENT"),
        ({"selector": "_process_synthesis_"}, "BAD_SELECTOR"),
        ({"learn": Learn(candidates=["def area_(self):\n    return 1\n"] * 17)}, "TOO_LARGE"),
        ({"learn": Learn(drop_contract=True)}, "BAD_ARGUMENT"),
        ({"learn": Learn(corrects=True)}, "BAD_ARGUMENT"),
    ],
)
def test_what_cannot_be_learned(facts, code):
    assert refused(**{"learn": Learn(), **facts}) == code


@pytest.mark.parametrize("selector", ["__init__", "__class__", "_area_", "area", "for", "import_ed", "1_", "_"])
def test_a_selector_that_python_reserves(selector):
    assert refused(selector=selector) == "BAD_SELECTOR"


@pytest.mark.parametrize("selector", ["class_", "print_", "None_", "match_"])
def test_a_selector_that_only_looks_so(selector):
    assert check_mandate(Mandate(target="box", selector=selector, learn=Learn()))


@pytest.mark.parametrize("name", ["class", "None", "self", "print", "getattr", "_by", "__by", "b y", ""])
def test_a_parameter_that_no_method_could_have(name):
    assert refused(parameters=[name]) == "BAD_SELECTOR"


@pytest.mark.parametrize("name", ["width", "list", "sum", "match", "by_"])
def test_a_parameter_may_be_named_like_a_slot_or_a_function(name):
    assert check_mandate(Mandate(target="box", selector="area_", parameters=[name]))


def test_an_example_calls_the_method_as_it_is_named():
    refusing = [Example(args=[1, 2], returns=1), Example(kwargs={"to": 1}, returns=1)]
    refusing.append(Example(args=[1], kwargs={"by": 1}, returns=1))
    for example in refusing:
        assert refused(parameters=["by"], examples=[example]) == "BAD_EXAMPLE"
    assert check_mandate(Mandate(target="box", selector="add_", examples=[Example(args=[1, 2], returns=1)]))
    good = [Example(args=[1], returns=1), Example(kwargs={"by": 2}, returns=1)]
    assert check_mandate(Mandate(target="box", selector="add_", parameters=["by"], examples=good))
