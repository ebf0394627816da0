from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.brief import brief
from protocol.codec import Ref

ordinary = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(ordinary, st.integers(1, 200))
def test_what_is_ordinary_looks_as_in_python(value: Any, most: int):
    text = repr(value)
    assert brief(value, 10**6) == text
    assert brief(value, most) == (text if len(text) <= most else text[: most - 1] + "…")


def nest(levels: int) -> Any:
    value: Any = []
    for _ in range(levels):
        value = [value, value]
    return value


@pytest.mark.parametrize(
    ("value", "start"),
    [
        (1 << 60000, "<an integer of 60001 bits>"),
        ({1 << 60000: [-(1 << 60000)]}, "{<an integer of 60001 bits>: [<an integer of 60001 bits>]}"),
        ([10**100000], "[<an integer of 332193 bits>]"),
        (nest(99), "[" * 64 + "…, …], "),
        ("x" * 10**6, "'xxx"),
        ({"x" * 10**6: 1}, "{'xxx"),
        ([0] * 10**6, "[0, 0, "),
        (Ref("0" * 16), "<reference>"),
        ([print, int, object()], "[<builtin_function_or_method>, <type>, <object>]"),
        ({3, 1, "b", None}, "{'b', 1, 3, None}"),
        (frozenset(), "frozenset()"),
        (set(), "set()"),
        (ValueError("a", [KeyError(Ref("0" * 16))]), "ValueError('a', [KeyError(<reference>)])"),
        ("\ud800", "'\\ud800'"),
    ],
)
def test_everything_has_a_short_text(value: Any, start: str):
    text = brief(value)
    assert text.startswith(start)
    assert len(text) <= 300


def test_what_holds_itself_has_one_too():
    value: list[Any] = [1]
    value.append({"again": value})
    assert brief(value).startswith("[1, {'again': [1, {'again': ")
