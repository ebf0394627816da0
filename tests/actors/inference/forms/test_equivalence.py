"""Texts that say the same in other words, whole and cut."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.inference.forms.constraints import Form

# llguidance reads constants of many digits, or of a large exponent, with an error in the last digit.
FLOATS = st.floats(-1e9, 1e9).map(lambda value: float(f"{value:.6g}")).filter(lambda value: abs(value) > 1e-9)
LEAVES = [
    ({"type": "integer"}, st.integers(-(10**20), 10**20)),
    ({"type": "integer", "minimum": 3, "maximum": 1200}, st.integers(3, 1200)),
    ({"type": "number"}, FLOATS),
    (
        {"type": "number", "minimum": -2, "maximum": 30.5},
        FLOATS.filter(lambda value: -2 <= value <= 30.5) | st.integers(-2, 30),
    ),
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


@settings(max_examples=60)
@given(forms(), st.randoms(use_true_random=False))
def test_a_value_keeps_its_form_however_it_is_written_and_so_does_every_beginning(form, luck):
    schema, value = form
    text = spell(value, luck)
    checked = Form(schema, None)
    assert checked.is_kept(text), text
    for end in luck.sample(range(len(text) + 1), min(6, len(text) + 1)):
        assert checked.is_begun(text[:end]), (text, text[:end])


def test_a_text_of_very_many_keys_or_digits_ends_nothing():
    assert Form({"type": "object"}, None).is_kept(json.dumps({f"k{n}": 1.5 for n in range(3000)}))
    assert not Form({"enum": [1]}, None).is_kept("1e999999999")
