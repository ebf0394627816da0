"""What is read of a JSON text that was cut anywhere."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.inference.forms.partial_json import CutNumber, CutString, CutWord, partial

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60)
@given(VALUES, st.sampled_from([None, 1]), st.booleans())
def test_every_beginning_of_a_json_text_is_one(value, indent, is_ascii):
    text = json.dumps(value, indent=indent, ensure_ascii=is_ascii)
    found = [partial(text[:end]) for end in range(len(text) + 1)]
    assert None not in found
    # A number may go on.
    assert found[-1].is_whole != (found[-1].cut is not None)
    assert not any(one.is_whole for one in found[:-1])


@pytest.mark.parametrize(
    ("text", "cut", "items"),
    [
        ('{"a": 1.0, "b": [tr', CutWord("tr"), [[("a", "1.0")], []]),
        ('{"a": {"x": null}, "\\u00e9\\u00', CutString("é", "\\u00"), [[("a", {"x": None})]]),
        ("[1, -2.5E+", CutNumber("-2.5E+"), [[("", "1")]]),
        ('["\\ud83d\\ude00", "\\ud83d', CutString("", "\\ud83d"), [[("", "😀")]]),
        ('["a" ', None, [[("", "a")]]),
    ],
)
def test_what_is_whole_and_what_is_cut(text, cut, items):
    found = partial(text)
    assert (found.cut, [top.items for top in found.path]) == (cut, items)


@pytest.mark.parametrize(
    "text",
    ["{,", "[,", "[1,]", '{"a":1,}', '{"a":1,,', '{"a" 1', "01", "1 2", "]", '{"a":1,"a"', "+1", '"\n', '"\\x', "nil"],
)
def test_what_no_text_can_mend_is_none(text):
    assert partial(text) is None
