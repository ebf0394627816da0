"""Passages: exact slices under the cap with their context, whatever the text is."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.memory.texts.chunking import adjacent, changepoint
from actors.memory.texts.passages import Divider

CAP = 40
LINES = [
    *("# A", "## B", "### A longer heading here", "Title", "===", "---", "1. Scope", "1.1 Deep", "#" * 7, "- item"),
    *("One line. Two of it are longer.", "", "\r", "word " * 50, "q" * 300, "漢字です。次です。", "no end", "  "),
    *("```", "```py", "def f(x):", "    return x", "class K:", "@deco", "}", "~~~"),
    *("| a | b |", "|---|---|", "| 1 | 2 |", "a,b,c", "1,2,3", "x\ty"),
]


def tokens(texts):
    return [[found.span() for found in re.finditer(r"\w{1,4}|[^\w\s]", text)] for text in texts]


def count(text):
    return len(tokens([text])[0])


def divided(text, cap=CAP, strategy=changepoint, **options):
    divider = Divider(cap, tokens, strategy)
    parts = divider.parts(text, **options)
    units = sum(len(part.units) for part in parts if part.is_told_apart)
    return divider.passages(text, parts, np.ones((units, 2), np.float32) / np.float32(2**0.5))


@given(
    st.lists(st.sampled_from(LINES), max_size=30).map("\n".join),
    st.sampled_from([16, CAP, 100]),
    st.booleans(),
    st.sampled_from(["", "A", "Title of it"]),
    st.sampled_from([changepoint, adjacent]),
)
def test_passages_are_slices_in_order_under_the_cap(text, cap, is_code, title, strategy):
    at = 0
    for each in divided(text, cap, strategy, title=title, is_code=is_code):
        assert each.start >= at
        assert text[each.start : each.start + len(each.text)] == each.text
        assert each.text.strip()
        assert count(each.read) <= cap
        at = each.start + len(each.text)


def test_however_deep_a_path_is_little_of_it_is_read_again():
    path = [f"1{'.1' * depth} Title" for depth in range(50)]
    sections = [f"{path[-1]}\n\nword {n}\n\n" for n in range(50)]
    text = "".join(f"{title}\n\nword\n\n" for title in path) + "".join(sections)
    read = []
    made = Divider(CAP, lambda texts: read.extend(texts) or tokens(texts), changepoint).parts(text)
    assert len(made) == 100
    assert sum(map(len, read)) < 20 * len(text)


@pytest.mark.parametrize("text", ["var a=b(c,d); " * 20_000, "x" * 250_000, "a,b\n1,2\n3,4\n" + "5," * 100_000])
@pytest.mark.parametrize("is_code", [True, False])
def test_a_line_that_is_a_whole_text_is_counted_in_small_parts(text, is_code):
    most = []
    divider = Divider(CAP, lambda texts: most.append(sum(map(len, texts))) or tokens(texts), changepoint)
    parts = divider.parts(text, is_code=is_code)
    assert max(most) < 1 << 17
    left = "".join(text[unit.start : unit.end] for part in parts for unit in part.units)
    assert "".join(left.split()) == "".join(text.split())


def test_a_document_within_the_cap_is_one_passage():
    assert divided("  # A\n\nText of it.\n\n# B\n\nMore.\n") == [("# A\n\nText of it.\n\n# B\n\nMore.", 2, "")]
    assert divided("Text.", title="Of bread") == [("Text.", 0, "Of bread")]
    assert divided("Of bread\nText.", title="Of bread") == [("Of bread\nText.", 0, "")]
    assert divided(" \n ") == []


def test_a_section_within_the_cap_stays_whole_under_its_headings():
    sections = [f"{name} rises. {name} is baked. {name} is eaten. {name} is good." for name in ("Bread", "Cake", "Pie")]
    text = "# Food\n\n" + "\n\n".join(f"## Of {n}\n\n{each}" for n, each in enumerate(sections))
    assert divided(text) == [(each, text.index(each), f"Food > Of {n}") for n, each in enumerate(sections)]
    assert {each.context for each in divided(text, title="Food")} == {f"Food > Of {n}" for n in range(3)}
    assert {each.context for each in divided(text, title="Book")} == {f"Book > Food > Of {n}" for n in range(3)}


def test_no_passage_is_a_heading_alone():
    text = "# Warranty\n\n## What we found\n\n" + "The seals leak when it is cold. " * 9 + "\n\n## Payment\n\n# End\n"
    passages = divided(text)
    assert all("The seals leak" in each.text for each in passages)
    assert all(each.context == "Warranty > What we found" for each in passages)
    assert passages[-1].text.endswith("## Payment\n\n# End")


@pytest.mark.parametrize("separator", [",", " | "])
def test_a_table_is_cut_between_rows_under_its_header(separator):
    rows = [separator.join((f"thing{n}", str(n), "x")) for n in range(10_000)]
    header = separator.join(("name", "price", "of"))
    passages = divided("\n".join([header, *rows]))
    assert [line for each in passages for line in each.text.split("\n")] == [header, *rows]
    assert {each.context for each in passages[1:]} == {header}
    assert passages[0].context == ""


def test_code_is_cut_between_definitions_and_a_long_one_goes_on_under_its_name():
    short = [f"def f{n}(x):\n    return x + {n}" for n in range(6)]
    long = "class Long:\n" + "\n".join(f"    field{n} = {n}" for n in range(30))
    text = "\n\n".join([*short, long])
    passages = divided(text, is_code=True)
    assert all(each.text.startswith(("def", "class", "    field")) for each in passages)
    cut = [each for each in passages if each.text.startswith("    field")]
    assert cut
    assert {each.context for each in cut} == {"class Long:"}


def test_headings_that_are_too_long_are_cut_and_leave_room_for_text():
    path = "\n".join(f"{'#' * level} {'deep ' * 20}{level}" for level in range(1, 7))
    passages = divided(f"{path}\n" + "word " * 100)
    assert len(passages) < 6
    assert all(each.context.startswith("deep") for each in passages)


@pytest.mark.parametrize(
    "text", ["word " * 20_000, "漢" * 5_000, "漢字です。" * 2_000, "# A\n" * 2_000, "word\r\n" * 9_000]
)
def test_what_has_no_end_is_parted_by_the_cap(text):
    passages = divided(text)
    assert "".join("".join(each.text for each in passages).split()) == "".join(text.split())
    assert len(passages) < 2 * count(text) / CAP + 2
