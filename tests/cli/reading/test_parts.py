"""A text in parts: slices of it, each within the bound, cut where something begins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.reading.parts import parts

WORDS = st.text(st.sampled_from("ab #\n\t|"), max_size=400)


@given(WORDS, st.integers(2, 60), st.integers(1, 50), st.sampled_from(["text", "markdown", "code"]))
def test_parts_are_slices_in_order(text, most, size, kind):
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    found = list(parts(pieces, kind, most))
    assert all(part.strip() and len(part) <= most for part in found)
    at = 0
    for part in found:
        begin = text.index(part, at)
        assert not text[at:begin].strip()
        at = begin + len(part)
    assert not text[at:].strip()


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("aaaa\n\nbb\n\ncc\n# d\nee", "markdown", ["aaaa\n\nbb\n\ncc\n", "# d\nee"]),
        ("aaaa\n\nbb\n\ncc\n# d\nee", "code", ["aaaa\n\nbb\n\n", "cc\n# d\nee"]),
        ("aaaa bbbb cccc dddd eeee", "text", ["aaaa bbbb cccc ", "dddd eeee"]),
        ("a" * 40, "text", ["a" * 16, "a" * 16, "a" * 8]),
        ("aaaaaaaaaa\nbbb cccc dddd", "text", ["aaaaaaaaaa\n", "bbb cccc dddd"]),
    ],
)
def test_the_cut_is_where_something_begins(text, kind, found):
    assert list(parts([text], kind, 16)) == found


def test_each_part_of_a_table_has_its_header():
    rows = [f"| {n:03} | x |\n" for n in range(100)]
    found = list(parts(["| a | b |\n| --- | --- |\n", *rows], "table", 200))
    assert all(part.startswith("| a | b |\n| --- | --- |\n|") and len(part) <= 200 for part in found)
    assert [line for part in found for line in part.splitlines(keepends=True)[2:]] == rows


def test_a_line_of_a_megabyte_passes():
    assert list(parts(["word " * 250_000], "text")) == [("word " * 180_000), "word " * 70_000]
