from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.examples import check_examples, example_value, read_example, same_value

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.binary(max_size=5)
    | st.just(Ref("0" * 15 + "a"))
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3),
    max_leaves=8,
)


def refused(*examples):
    with pytest.raises(BatosError) as caught:
        check_examples([read_example(example) for example in examples])
    assert caught.value.code == "BAD_EXAMPLE"
    assert caught.value.exit_code == 2
    return caught.value.message


def accepted(*examples):
    check_examples([read_example(example) for example in examples])


@given(values)
def test_every_value_is_the_same_as_itself(value):
    assert same_value(value, value)


@given(values, values)
def test_sameness_has_no_direction(one, other):
    assert same_value(one, other) == same_value(other, one)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (2, 2.0, True),
        (1, True, False),
        (0.0, False, False),
        (True, True, True),
        ([1, [2]], [1.0, [2.0]], True),
        ([True], [1], False),
        ([1], [1, 1], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {"b": 1}, False),
        ("1", 1, False),
        (b"a", "a", False),
        (None, False, False),
        (Ref("0" * 16), Ref("0" * 16), True),
        (Ref("0" * 16), Ref("0" * 15 + "1"), False),
        (2**53 + 1, float(2**53), False),
    ],
)
def test_which_outcomes_are_equal(one, other, same):
    assert same_value(one, other) is same


def test_an_example_may_return_nothing_on_purpose():
    accepted({"returns": None})
    accepted({"slots_after": {}})


def test_an_example_that_asks_for_nothing_is_refused():
    assert "neither 'returns' nor 'slots_after'" in refused({"slots": {"a": 1}})


@pytest.mark.parametrize("bad", [7, [], {"return": 1}, {"returns": 1, "args": {}}, {"returns": 1, "slots": []}])
def test_what_is_no_example(bad):
    assert "the example" in refused(bad)


@pytest.mark.parametrize("bad", [{"slots": {"_x": 1}}, {"slots_after": {"area_": 1}}, {"kwargs": {"self": 1}}])
def test_a_name_that_nothing_can_have(bad):
    refused({"returns": 1, **bad})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"returns": 1}, {"returns": 2}),
        ({"returns": 1}, {"returns": True}),
        ({"args": [1], "returns": 1}, {"args": [1.0], "returns": 2}),
        ({"slots": {"n": 1}, "slots_after": {"n": 2}}, {"slots": {"n": 1}, "slots_after": {"n": 3}}),
        ({"slots": {"n": 1}, "slots_after": {"n": 2}}, {"slots": {"n": 1}, "slots_after": {}}),
    ],
)
def test_examples_that_no_method_could_satisfy(one, other):
    assert "examples 1 and 2" in refused(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"returns": 1}, {"returns": 1.0}),
        ({"returns": 1}, {"slots_after": {"n": 2}}),
        ({"args": [1], "returns": 1}, {"args": [True], "returns": 2}),
        ({"slots": {"n": 1}, "returns": 1}, {"slots": {"n": 2}, "returns": 2}),
        ({"kwargs": {"by": 1}, "returns": 1}, {"kwargs": {"by": 2}, "returns": 2}),
        ({"slots": {"n": 1}, "slots_after": {}}, {"slots": {"n": 1}, "slots_after": {"n": 1.0}}),
    ],
)
def test_examples_that_can_stand_together(one, other):
    accepted(one, other)


OTHERS = {"objects": {"pen": {"slots": {"cents": 2}}}, "replies": [{"selector": "infer_", "value": "fine"}]}


def test_an_example_may_say_how_others_stand_and_what_is_answered():
    accepted({**OTHERS, "returns": 1}, {"returns": 2}, {"objects": {"0" * 16: {}}, "returns": 3})
    assert "same slots" in refused({**OTHERS, "returns": 1}, {**OTHERS, "returns": 2})


@pytest.mark.parametrize(
    "part",
    [
        {"objects": {"no name": {}}},
        {"objects": {"pen": {"slots": {"_x": 1}}}},
        {"replies": [{"selector": "infer"}]},
    ],
)
def test_others_are_checked_too(part):
    assert "example 1" in refused({**part, "returns": 1})


@pytest.mark.parametrize("part", [{"objects": {"pen": {"slot": {}}}}, {"replies": [{"value": 1}]}, {"objects": []}])
def test_others_of_another_form_are_refused(part):
    with pytest.raises(BatosError) as caught:
        read_example({**part, "returns": 1})
    assert caught.value.code == "BAD_EXAMPLE"


@pytest.mark.parametrize("example", [{"returns": None}, {**OTHERS, "returns": 1}, {"slots_after": {"a": 1}}])
def test_an_example_is_read_from_its_plain_value(example):
    read = read_example(example)
    assert read_example(example_value(read)) == read
    assert example_value(read).keys() == {"slots", "args", "kwargs", *example}
