"""What a person reads of a method that was learned, at 80 columns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.render import learned as render_learned
from protocol.codec import Ref
from protocol.messages import Doubt, GroupAnswer

leaves = st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.just(Ref("0" * 16))
values = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(values)
def test_a_value_is_one_line_that_a_terminal_can_show(value):
    text = render_learned.literal(value)
    assert len(text) <= 40
    assert text.isprintable()


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        ({"returns": 12}, "12"),
        ({"returns": None}, "None"),
        ({"returns": None, "changed": {"total": 5}}, "total = 5"),
        ({"returns": "a", "changed": {"total": True}, "removed": ["old"]}, "'a', total = True, old goes"),
        ({"raises": "KeyError"}, "raises KeyError"),
        ({"sends": "price_", "to": Ref("0" * 16)}, "sends price_"),
    ],
)
def test_what_a_method_did(outcome, text):
    assert render_learned.outcome(outcome) == text


def doubt(*outcomes, **facts):
    return Doubt(answers=[GroupAnswer(sha256="s", outcome=outcome) for outcome in outcomes], **facts)


def test_a_doubt_is_a_line_where_that_is_enough():
    found = doubt({"returns": 0}, {"returns": None}, slots={"lines": []}, args=[2], kwargs={"to": "x"})
    assert render_learned.doubt(found, ["by"]) == "with lines = [], by = 2, to = 'x' : 0  |  None"
    assert render_learned.doubt(doubt({"returns": 1}, {"raises": "ValueError"})) == "as it is : 1  |  raises ValueError"


@given(st.lists(values, min_size=1, max_size=4), st.lists(values, min_size=2, max_size=5))
def test_no_line_of_a_doubt_is_wider_than_the_page(args, answers):
    found = doubt(*({"returns": value} for value in answers), args=args)
    assert all(len(line) <= 78 for line in render_learned.doubt(found).split("\n"))
