"""Cut texts against all texts of a small form, and what stands at a cut against what it may still become."""

from __future__ import annotations

import itertools
import random

import pytest

from actors.inference.forms.constraints import Form

SMALL = {
    "type": "object",
    "properties": {
        "aa": {"enum": ["x", "xy", None]},
        "ab": {"type": "array", "items": {"type": "boolean"}, "maxItems": 1},
        "b": {
            "anyOf": [
                {"type": "object", "properties": {"k": {"const": "u"}, "m": {"const": "v"}}, "required": ["k", "m"]}
                | {"additionalProperties": False},
                {"type": "object", "properties": {"k": {"const": "w"}}, "additionalProperties": False},
            ]
        },
    },
    "required": ["aa"],
    "additionalProperties": False,
}


def orders(members):
    return itertools.chain.from_iterable(itertools.permutations(members, n) for n in range(len(members) + 1))


def all_texts():
    """Every text of `SMALL` without a blank and an escape."""
    inner = ['{"k":"u","m":"v"}', '{"m":"v","k":"u"}', '{"k":"w"}', "{}"]
    values = {"aa": ['"x"', '"xy"', "null"], "ab": ["[]", "[true]", "[false]"], "b": inner}
    for keys in orders(values):
        if "aa" in keys:
            for chosen in itertools.product(*(values[key] for key in keys)):
                yield "{" + ",".join(f'"{key}":{value}' for key, value in zip(keys, chosen, strict=True)) + "}"


def test_a_beginning_is_accepted_exactly_where_a_text_of_the_form_begins_like_this():
    luck = random.Random(5)
    texts = sorted(all_texts())
    beginnings = {text[:end] for text in texts for end in range(len(text) + 1)}
    form = Form(SMALL, None)
    for text in luck.sample(sorted(beginnings), 300):
        assert form.is_begun(text), text
    strange = set()
    while len(strange) < 500:
        text = luck.choice(texts)
        end = luck.randrange(1, len(text) + 1)
        wrong = text[: end - 1] + luck.choice('{}[],:"abkmuvwxytfn')
        # Something may follow that is no longer looked at if the check is too lenient.
        strange |= {wrong, wrong + text[end : end + luck.randrange(12)]} - beginnings
    assert [text for text in sorted(strange) if form.is_begun(text)] == []


RANGE = {"type": "number", "minimum": 20, "maximum": 30}
WHOLE = {"type": "integer", "minimum": 0}
LIST = {"type": "array", "items": {"type": "object", "properties": {"p": WHOLE, "q": RANGE}, "required": ["p", "q"]}}
TREE = {
    "$defs": {
        "t": {"type": "object", "properties": {"v": WHOLE, "k": {"type": "array", "items": {"$ref": "#/$defs/t"}}}}
    },
    "$ref": "#/$defs/t",
    "required": ["v", "k"],
}


@pytest.mark.parametrize(
    ("schema", "text", "begun"),
    [
        ({"enum": [7]}, "0.", True),
        ({"enum": [7]}, "0.07e", True),
        ({"enum": [7]}, "7.00E-0", True),
        ({"enum": [7]}, "7.1", False),
        ({"enum": [7]}, "7e1", False),
        ({"enum": [7]}, "-", False),
        (RANGE, "2", True),
        (RANGE, "0.25e", True),
        (RANGE, "31", False),
        (RANGE, "4", False),
        (RANGE, "250e-", True),
        (RANGE, "250e+", False),
        (WHOLE, "-0", True),
        (WHOLE, "-1", False),
        (WHOLE, "1.5", True),
        (WHOLE, "1.5e0", True),
        (WHOLE, "1.5e-", False),
        ({"enum": ["ab"]}, '"a\\u006', True),
        ({"enum": ["ab"]}, '"a\\u007', False),
        ({"enum": ["ab"]}, '"ab\\', False),
        ({"enum": ["a😀"]}, '"a\\ud83d', True),
        ({"enum": ["a😀"]}, '"a\\ud83d\\ude0', True),
        ({"enum": ["a😀"]}, '"a\\ud83d\\ude1', False),
        ({"enum": ["a😀"]}, '"a\\ud9', False),
        ({"type": "string", "maxLength": 2}, '"\\u00e9\\/\\', False),
        (LIST, '[{"q":2.5e1,"p":1},{"q"', True),
        (LIST, '[{"q":2.5e1},{"q"', False),
        (LIST, '[{"q":2.5e1', True),
        ({**LIST, "maxItems": 1}, '[{"q":2.5e1,"p":1},', False),
        (TREE, '{"k":[{"k":[],"v":1.0},{"k":[{"', True),
        (TREE, '{"k":[{"k":[],"v":1.5},{"k":[{"', False),
        ({"enum": [{"p": 1, "q": [{"s": 2, "r": 1.5}]}]}, '{"q":[{"r":1.50,"s":2}],"p', True),
        ({"enum": [{"p": 1, "q": [{"s": 2, "r": 1.5}]}]}, '{"q":[{"r":1.5,"s":3', False),
        ({"type": "object", "patternProperties": {"^x": WHOLE}}, '{"y":"","x":1.0', True),
        ({"type": "object", "patternProperties": {"^x": WHOLE}}, '{"y":"","x":1.0,"xx":"', False),
        ({"type": "object", "maxProperties": 1}, '{"a":1.0e0,', False),
    ],
)
def test_what_a_cut_text_may_still_become(schema, text, begun):
    assert Form(schema, None).is_begun(text) == begun


@pytest.mark.parametrize("text", ['{"a"', '{"a":1 2', '{"a":1,,', "[1,]", "01", "tru e", '{"a":1}x', "nul1", "\ud800"])
def test_what_begins_no_json_is_refused(text):
    assert not Form({"type": ["array", "null"]}, None).is_begun(text)


def test_a_text_of_very_many_keys_or_digits_ends_nothing():
    many = "{" + ",".join(f'"k{n}": 1.0' for n in range(3000))
    assert not Form({"type": "object", "additionalProperties": {"enum": ["x"]}}, None).is_begun(many)
    assert not Form({"enum": [1]}, None).is_begun("1" * 5000)
