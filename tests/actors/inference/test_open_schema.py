"""The schema of what a text has begun."""

from __future__ import annotations

import pytest

from actors.inference.open_schema import opened
from actors.inference.partial_json import partial

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
