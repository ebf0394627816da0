"""Texts that say the same in other words, whole and cut: against values that are known, and against all texts of small forms."""

from __future__ import annotations

import itertools
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.inference.constraints import Form

LEAVES = [
    ({"type": "integer"}, st.integers(-(10**20), 10**20)),
    ({"type": "integer", "minimum": 3, "maximum": 1200}, st.integers(3, 1200)),
    ({"type": "number"}, st.floats(allow_nan=False, allow_infinity=False)),
    ({"type": "number", "minimum": -2, "maximum": 30.5}, st.floats(-2, 30.5)),
    ({"enum": [7, 0.1, "é/", None, 1e-7]}, st.sampled_from([7, 0.1, "é/", None, 1e-7])),
    ({"type": "string"}, st.text(max_size=6)),
    ({"type": "string", "pattern": "^[a-c]{2}"}, st.sampled_from(["ab", "cc", "ab\n😀"])),
    ({"type": ["boolean", "null"]}, st.sampled_from([True, False, None])),
]
KEYS = ["a", "b", "né", "c\n"]


@st.composite
def forms(draw, depth=2):
    """A schema and a value that has it."""
    kind = draw(st.sampled_from(["leaf", "object", "array", "any", "all", "const", "pair"] if depth else ["leaf"]))
    if kind == "leaf":
        schema, values = draw(st.sampled_from(LEAVES))
        return schema, draw(values)
    schema, value = draw(forms(depth=depth - 1))
    if kind == "object":
        members = {key: draw(forms(depth=depth - 1)) for key in draw(st.lists(st.sampled_from(KEYS), unique=True))}
        made = {"type": "object", "properties": {key: one for key, (one, _) in members.items()}}
        made["required"] = [key for key in members if draw(st.booleans())]
        made["additionalProperties"] = draw(st.sampled_from([False, schema]))
        more = {"more": value} if made["additionalProperties"] else {}
        return made, {key: one for key, (_, one) in members.items()} | more
    if kind == "array":
        return {"type": "array", "items": schema, "maxItems": 3}, [value] * draw(st.integers(0, 3))
    if kind == "pair":
        other, second = draw(forms(depth=depth - 1))
        return {"type": "array", "prefixItems": [schema, other], "items": False, "minItems": 2}, [value, second]
    if kind == "any":
        other, _ = draw(forms(depth=depth - 1))
        return {"anyOf": draw(st.permutations([schema, other]))}, value
    if kind == "all":
        return {"$defs": {"one/two": schema}, "allOf": [{"$ref": "#/$defs/one~1two"}]} if depth == 2 else schema, value
    return {"const": value}, value


def spell(value, luck):
    """The value as JSON in some order of keys, with some escapes, exponents and blanks."""

    def blank():
        return luck.choice(["", "", "", " ", "\n"])

    if isinstance(value, dict):
        keys = luck.sample(list(value), len(value))
        inner = ",".join(f"{blank()}{spell(key, luck)}{blank()}:{spell(value[key], luck)}" for key in keys)
        return f"{blank()}{{{inner}{blank()}}}{blank()}"
    if isinstance(value, list):
        return f"{blank()}[{','.join(spell(one, luck) for one in value)}{blank()}]{blank()}"
    if isinstance(value, str):
        return '"' + "".join(character(one, luck) for one in value) + '"'
    if isinstance(value, bool) or value is None:
        return f"{blank()}{json.dumps(value)}{blank()}"
    return f"{blank()}{number(value, luck)}{blank()}"


def character(one, luck):
    if one == "/" and luck.random() < 0.5:
        return "\\/"
    return json.dumps(one, ensure_ascii=luck.random() < 0.5 or one == "\x7f")[1:-1]


def number(value, luck):
    text = json.dumps(value)
    if isinstance(value, int):
        return luck.choice(
            [
                text,
                text,
                f"{text}.0",
                f"{text}0e-1" if value else "0.0e-1",
                f"{text}E+0",
                f"{text}.00e00",
            ]
        )
    return luck.choice(
        [text, text.replace("e", "E") if "e" in text else text + "0", text if "e" in text else text + "e0"]
    )


@settings(max_examples=60, deadline=None)
@given(forms(), st.randoms(use_true_random=False))
def test_a_value_keeps_its_form_however_it_is_written_and_so_does_every_beginning(form, luck):
    schema, value = form
    text = spell(value, luck)
    checked = Form(schema, None)
    assert checked.is_kept(text), text
    for end in luck.sample(range(len(text) + 1), min(6, len(text) + 1)):
        assert checked.is_begun(text[:end]), (text, text[:end])


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
    assert Form({"type": "object"}, None).is_kept(json.dumps({f"k{n}": 1.5 for n in range(3000)}))
    many = "{" + ",".join(f'"k{n}": 1.0' for n in range(3000))
    assert not Form({"type": "object", "additionalProperties": {"enum": ["x"]}}, None).is_begun(many)
    assert not Form({"enum": [1]}, None).is_begun("1" * 5000)
    assert not Form({"enum": [1]}, None).is_kept("1e999999999")
