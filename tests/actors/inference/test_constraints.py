"""Forms whose texts somebody else has written."""

from __future__ import annotations

import pytest

from actors.inference.constraints import Form
from protocol.errors import BatosError

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "grammar", "text", "kept"),
    [
        (None, None, "whatever", True),
        (None, 'start: "né" /[0-9]{1,3}/', "né12", True),
        (None, 'start: "né" /[0-9]{1,3}/', "né", False),
        (None, 'start: "né" /[0-9]{1,3}/', "né12 ", False),
        (None, 'start: "a"?', "", True),
        (SCHEMA, None, '{"a": 1}', True),
        (SCHEMA, None, '{ "a" :\n1}', True),
        (SCHEMA, None, '{"a": "1"}', False),
        (SCHEMA, None, '{"a": 1', False),
        (SCHEMA, None, '{"a": 1, "b": 2}', False),
    ],
)
def test_whether_a_text_keeps_its_form(schema, grammar, text, kept):
    form = Form(schema, grammar)
    assert [form.is_kept(text) for _ in range(2)] == [kept] * 2


@pytest.mark.parametrize(
    ("schema", "grammar"), [(None, "start: nothing"), ({"type": "no"}, None), (SCHEMA, "start: 'a'")]
)
def test_a_form_that_cannot_be_kept_is_refused(schema, grammar):
    with pytest.raises(BatosError) as caught:
        Form(schema, grammar)
    assert caught.value.code == "BAD_CONSTRAINT"


@pytest.mark.parametrize(
    ("text", "kept"),
    [('{"a": 1.0}', True), (' {"\\u0061":1e0}\n', True), ('{"a": 1.5}', False), ('{"a":1,"a":1}', False)],
)
def test_another_spelling_of_the_same_value_keeps_a_schema(text, kept):
    assert Form(SCHEMA, None).is_kept(text) == kept


@pytest.mark.parametrize(("text", "begun"), [('{"a": 1', True), ("", True), ("hello", False), ('{"b"', False)])
def test_a_cut_text_must_be_the_beginning_of_its_form(text, begun):
    assert Form(SCHEMA, None).is_begun(text) == begun


@pytest.mark.parametrize(
    ("schema", "grammar"), [({"const": "\ud800"}, None), ({"minimum": float("nan")}, None), (None, "start: start")]
)
def test_a_form_that_raises_or_allows_nothing_is_refused_in_words(schema, grammar):
    with pytest.raises(BatosError) as caught:
        Form(schema, grammar)
    assert caught.value.code == "BAD_CONSTRAINT"
    assert "backtrace" not in caught.value.message


def test_a_choice_of_thousands_is_served():
    form = Form(None, "start: " + " | ".join(f'"w{n}"' for n in range(2500)))
    assert form.is_kept("w7")
