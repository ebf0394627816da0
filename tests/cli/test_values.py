from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli import values
from protocol import codec
from protocol.codec import Ref
from protocol.errors import BatosError

keys = st.text(st.characters(exclude_categories=["Cs"]), max_size=4) | st.sampled_from(
    ["$ref", "$bytes", "$dict", "$int"]
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**30, max_value=10**31)
    | st.sampled_from([1, -1, 3]).map(lambda sign: sign * 10**4300)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary(max_size=40)
    | st.integers(min_value=0, max_value=2**62).map(lambda oid: Ref(f"{oid:016x}"))
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=10
)


def refused(text, code="BAD_JSON"):
    with pytest.raises(BatosError) as caught:
        values.read_json(text, "argument 2")
    assert caught.value.code == code
    assert caught.value.exit_code == 2
    assert "argument 2" in caught.value.message
    return caught.value


@given(anything)
def test_what_is_printed_reads_back_as_it_was(value):
    line = values.line(value)
    back = values.read_json(line, "it")
    assert back == value
    assert values.line(back) == line


@given(anything)
def test_a_line_stays_one_line_whatever_it_holds(value):
    line = values.line(value)
    assert line.isascii()
    assert len(line.splitlines()) == 1


@given(anything)
def test_nothing_shown_can_steer_a_terminal(value):
    assert values.shown(value).isprintable()


@given(st.text())
def test_any_text_is_read_or_refused(text):
    code = "read"
    try:
        values.read_json(text, "argument 1")
    except BatosError as error:
        code = error.code
    assert code in {"read", "BAD_JSON", "BAD_VALUE"}


def test_the_signs_for_references_and_bytes():
    assert values.read_json('{"$ref":"000000000000002a"}', "it") == Ref("000000000000002a")
    assert values.read_json('[{"$bytes":"AP8="}]', "it") == [b"\x00\xff"]
    assert json.loads(values.line({"a": Ref("0" * 16), "b": b"\x00\xff"})) == {
        "a": {"$ref": "0" * 16},
        "b": {"$bytes": "AP8="},
    }


@pytest.mark.parametrize("value", [1 << 60000, -(1 << 60000), 10**4300, 1 - 10**4300])
def test_a_long_integer_is_read_by_whoever_reads_json(value):
    line = values.line({"n": [value]})
    # A reader that keeps Python's own limit of digits.
    limit = "import json, sys; sys.set_int_max_str_digits(4300); print(json.load(sys.stdin)['n'])"
    told = subprocess.run([sys.executable, "-c", limit], input=line, capture_output=True, text=True, check=True)
    assert ("$int" in told.stdout) == (abs(value) >= 10**4300)
    assert values.read_json(line, "it") == {"n": [value]}
    assert values.read_json(values.shown(value), "it") == value
    assert values.shown(value) == str(value)


def test_keys_that_are_numbers_print_as_texts_unless_that_loses_one():
    assert values.line({1: "a"}) == '{"1":"a"}'
    assert values.read_json(values.line({1: "a", "1": "b"}), "it") == {1: "a", "1": "b"}


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "-Infinity", "1e999", '{"a":1,"a":2}', "", "[1", "1 2", "'a'"])
def test_what_is_no_json_is_refused(text):
    refused(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"$ref":"box"}',
        '{"$ref":7}',
        '{"$ref":"000000000000002a","x":1}',
        '{"$bytes":"%%"}',
        '{"$bytes":1}',
        '{"$int":7}',
        '{"$int":"7"}',
        '{"$int":"0x"}',
        '{"$int":"0x_1"}',
        '{"$dict":7}',
        '{"$dict":[[1,2],[1,3]]}',
        '{"$dict":[[true,2]]}',
    ],
)
def test_a_malformed_sign_is_refused(text):
    refused(text)


def test_the_place_of_the_mistake_is_said():
    assert "line 1 column 9" in refused('{"a": 1 "b": 2}').message


def test_a_bare_word_gets_the_hint_to_quote_it():
    assert """'"Hello"'""" in refused("Hello").hint


def test_depth_and_surrogates_are_refused():
    refused("[" * 100_000)
    refused("[" * 200 + "]" * 200, "BAD_VALUE")
    refused('"\\ud800"', "BAD_VALUE")


def test_pairs():
    assert values.read_pairs(["a=1", 'b="x=y"'], "slot") == {"a": 1, "b": "x=y"}
    for words in (["a"], ["=1"], ["a=1", "a=1"]):
        with pytest.raises(BatosError) as caught:
            values.read_pairs(words, "slot")
        assert caught.value.code == "USAGE"


def nobody(name):
    raise AssertionError(f"{name} was taken for a name")


@given(anything)
def test_what_is_printed_goes_into_the_world_as_it_was(value):
    assert codec.resolved(values.read_outside(values.line(value), "it"), nobody) == value


def test_an_object_is_referred_to_by_its_name_or_oid():
    pen, oid = {"$ref": "pen"}, Ref("000000000000002a")
    assert values.read_outside('{"product":{"$ref":"pen"}}', "it") == {"product": pen}
    assert values.read_outside('[{"$ref":"000000000000002a"}]', "it") == [oid]
    assert values.read_outside(" @pen", "it") == pen
    assert values.read_outside("@000000000000002a", "it") == oid
    assert values.read_pairs(["first=@pen"], "slot") == {"first": pen}
    assert values.read_outside('"@pen"', "it") == "@pen"


@pytest.mark.parametrize("text", ["@", "@a b", "@_x", '{"$ref":"a b"}', '{"$ref":7}', "@pen@"])
def test_what_is_no_name_is_refused(text):
    with pytest.raises(BatosError) as caught:
        values.read_outside(text, "argument 1")
    assert caught.value.code == "BAD_JSON"
