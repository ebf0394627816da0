"""Grammars as they are read before they are compiled."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.inference.forms import grammar as grammars
from actors.inference.forms.grammar import endless_words, needs_of, why_not
from actors.inference.forms.productivity import Alternative, endless


@pytest.mark.parametrize(
    "grammar",
    [
        "start: start",
        'start: "a" start',
        'start: ("a" start) | ["b"] start+',
        'start: "a" x  // "x" | "y"\nx: "b" y{2,3}\n  | "c" y\ny: x~1..2',
        '%llguidance {"no_forcing": true}\n%import common.INT\n%ignore /b/\nstart[capture="c"]: INT x -> named\n!x.5: start "|"',
        'start: x::0\nx::_: "a" x::incr(_) %if lt(_, 5)\n | "b" x::0 %if eq(_, 5)',
        'start: "a" %json {"$ref": "#/$defs/x", "$defs": {"x": {"$ref": "#/$defs/x"}}}',
    ],
)
def test_a_grammar_of_which_no_text_ends(grammar):
    assert "no text of it ever ends" in why_not(grammar)


@pytest.mark.parametrize(
    "grammar",
    [
        'start: start "a" | "a"',
        'start: "a" start?',
        'start: "a" start*',
        'start: "a" [start]',
        'start: "a" start{0,3}',
        'start: "a" start{,3}',
        'start: "a" start~0..3',
        'start: "start" | /start/ | START\nSTART: "start"',
        'start: "a" | "b" x\nx: "b" x',
        'start: ""',
        "start: ",
        "begin: begin",
        "start: nothing",
        'start: ~"a" | "a".."z"',
        'start: %regex {"substring_words": "a b"} (%json {"type": "integer"})',
        'start: x::0\nx::_: "a" x::incr(_) %if lt(_, 5)\n | "b" %if eq(_, 5)',
        # What is not understood is llguidance's to judge.
        "start: (((",
        "start: " + "(" * 50 + '"a"' + ")" * 50,
        "start: \x00",
        "%json {",
    ],
)
def test_a_grammar_that_nothing_speaks_against(grammar):
    assert why_not(grammar) == ""


@pytest.mark.parametrize("name", ["<|im_end|>", "<[2]>", "@other", "%lark { start: start }"])
def test_what_is_no_text_is_refused_by_name(name):
    assert name.split()[0] in why_not(f'start: "a" {name}')
    assert "Lark" in why_not('{"grammars": []}')


def test_a_choice_is_large_as_a_token_and_bounded_as_a_rule(monkeypatch):
    many = " | ".join(f'"w{n}"' for n in range(grammars.MAX_PARTS))
    assert "WORD" in why_not(f"start: {many}")
    assert why_not(f"start: WORD\nWORD: {many}") == ""
    monkeypatch.setattr(grammars, "MAX_CHARACTERS", 20)
    assert "21 characters" in why_not('start: "' + "a" * 12 + '"')


RULES = ["start", "x", "y"]
PART = st.tuples(st.sampled_from(['"a"', "/b|c/", "T", *RULES]), st.sampled_from("?*+"), st.booleans(), st.booleans())
CHOICES = st.lists(st.lists(PART, min_size=1, max_size=3), min_size=1, max_size=3)


def written(part):
    name, sign, has_sign, is_grouped = part
    return (
        f'("z" | {name} "q")' if is_grouped and name == "T" else f"({name})" if is_grouped else name
    ) + sign * has_sign


@given(st.tuples(CHOICES, CHOICES, CHOICES))
def test_a_grammar_is_read_as_it_was_meant(choices):
    rules = dict(zip(RULES, choices, strict=True))
    lines = [f"{rule}: " + "\n  | ".join(" ".join(map(written, one)) for one in rules[rule]) for rule in RULES]
    meant = [
        Alternative(
            rule, [name for name, sign, has_sign, _ in one if name in RULES and not (has_sign and sign in "?*")]
        )
        for rule in RULES
        for one in rules[rule]
    ]
    read = needs_of("\n".join([*lines, 'T: "t"']))
    assert [bool(endless(read, rule)) for rule in RULES] == [bool(endless(meant, rule)) for rule in RULES]


def test_a_circle_is_named_in_the_grammars_own_words():
    assert why_not('start: "a" x\nx: ("b" y)\ny: "c" x') == "no text of it ever ends: `x` needs `y` needs `x` again"
    rules = "\n".join(f"r{n}: r{(n + 1) % 9}" for n in range(9))
    assert "through 8 others" in why_not(f"start: r0\n{rules}")
    assert endless_words([], "start") == ""
