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
