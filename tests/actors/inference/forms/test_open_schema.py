"""The schema of what a text has begun."""

from __future__ import annotations

import json

import pytest

from actors.inference.forms.constraints import Form
from actors.inference.forms.open_schema import opened
from actors.inference.forms.partial_json import partial

MARK = "mark"


def path(text):
    return partial(text).path


def test_the_keys_of_the_text_come_first_and_none_is_required_that_is_not_there():
    schema = {"type": "object", "properties": {"a": {"type": "null"}, "b": {"type": "string"}}, "required": ["a", "b"]}
    made = opened(schema, path('{"b": "x", '), MARK)
    assert list(made["properties"]) == [MARK, "b", "a"]
    assert made["required"] == [MARK, "b"]


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "array"}, "{"),
        ({"enum": [1, [2]]}, "{"),
        ({"anyOf": [{"type": "null"}, {"type": ["array", "string"]}]}, "{"),
        ({"type": "object", "additionalProperties": False}, '{"a":'),
        ({"type": "object", "maxProperties": 1}, '{"a":1,'),
        ({"$ref": "#"}, "{"),
    ],
)
def test_what_cannot_begin_like_this_has_no_schema(schema, text):
    assert opened(schema, path(text), MARK) is False


def test_references_are_found_where_the_schema_stands_now():
    schema = {"$id": "here", "$defs": {"a/b": {"type": "object"}}, "items": {"$ref": "#/$defs/a~1b"}, "type": "array"}
    made = opened(schema, path('[{"x":1},{"y":'), MARK)
    assert made["$defs"][MARK]["items"] == {"$ref": f"#/$defs/{MARK}/$defs/a~1b"}
    assert "$id" not in made["$defs"][MARK]
    assert len(made["items"]["anyOf"]) == 2


def test_ways_that_part_at_each_level_are_not_written_out():
    one, other = ({"type": "array", "items": {"$ref": "#/$defs/n"}, "maxItems": most} for most in (1, 2))
    schema = {"$defs": {"n": {"anyOf": [one, other, {"type": "integer"}]}}, "$ref": "#/$defs/n"}
    assert len(json.dumps(opened(schema, path("[" * 60), MARK))) < 100_000
    assert Form(schema, None).is_begun("[" * 20 + "1.0")
    assert not Form(schema, None).is_begun("[" * 20 + "1.5,")


def test_patterns_are_read_as_the_form_reads_them():
    schema = {"type": "object", "patternProperties": {r"^\p{Lu}": {"type": "integer"}, "^(a+)+$": {"type": "null"}}}
    assert Form(schema, None).is_begun('{"É":1.0,')
    assert not Form(schema, None).is_begun('{"É":1.5,')
    assert Form(schema, None).is_begun('{"' + "a" * 60 + '!":1.5e0,"x')
