"""What a text shows of its own structure, and that nothing is lost of one that shows none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.memory.texts import structure
from actors.memory.texts.structure import blocks, definitions

PROSE = "One line.\nAnother one."
TABLE = "| Name | Price |\n|---|---|\n| Bread | 3 |\n| Tea | 4 |"
CODE = "```py\ndef rise(dough):\n    # Heading of nothing\n    return dough\n```"
LINES = [
    *("# A", "## B", "###### F", "####### seven", "#", "#tag", "Title", "===", "---", "1. Scope", "1.1 Deep", "2) no"),
    *(
        "",
        " ",
        "\r",
        "text. More.",
        "- item",
        "a,b",
        "1,2",
        "a, b",
        "x\ty",
        "| a | b |",
        "|---|---|",
        "```",
        "~~~~",
        "漢字",
    ),
]


def found(text, **options):
    return [(each.kind, text[each.start : each.end], each.path) for each in blocks(text, **options)]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (f"# A\n\n## B ##\n{PROSE}", ("A", "B")),
        (f"# A\r\n\r\n## B\r\n{PROSE}", ("A", "B")),
        (f"A\n=\n\nB\n---\n{PROSE}", ("A", "B")),
        (f"# A\n\n1. First\n\n1.2. Second\n\n{PROSE}", ("A", "1. First", "1.2. Second")),
        (f"# A\n### B\n## C\n{PROSE}", ("A", "C")),
        (f"{'#' * 7} A\n{PROSE}", ()),
        (f"#A\n{PROSE}", ()),
        (f"# {'A' * 300}\n{PROSE}", ()),
        (f"Two lines of\na paragraph\n---\n{PROSE}", ()),
        (f"1. Milk\n\n2. Bread\n\n{PROSE}", ()),
        (f"1. done\n\n{PROSE}", ()),
    ],
)
def test_headings_are_those_of_markdown_and_numbered_titles(text, path):
    assert blocks(text)[-1].path == path
    assert found(text)[-1][1].endswith(PROSE)


def test_a_table_and_code_are_blocks_of_their_own():
    text = f"# A\n{PROSE}\n\n{TABLE}\n\n{CODE}\n{PROSE}\n"
    assert found(text) == [
        ("prose", PROSE, ("A",)),
        ("table", TABLE, ("A",)),
        ("code", CODE, ("A",)),
        ("prose", PROSE, ("A",)),
    ]
    assert blocks(text)[1].header == "| Name | Price |"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_lines_with_as_many_fields_are_a_table(separator):
    rows = "\n".join(separator.join(row) for row in (["a", "b"], ["1", '"x, y; z"'], ["2", "3"]))
    (table,) = blocks(f"\n{rows}\n")
    assert (table.kind, table.header) == ("table", f"a{separator}b")


@pytest.mark.parametrize(
    "text", ["Bread, tea\nmilk, eggs\nsalt, flour\n", "rise();\nbake();\neat();\n", "a,b\n1,2\n\n3,4"]
)
def test_clauses_and_statements_are_no_fields(text):
    assert [each.kind for each in blocks(text)] == ["prose"]


@pytest.mark.parametrize("fence", ["```", "~~~", "````"])
def test_a_fence_that_nothing_closes_swallows_no_headings(fence):
    assert blocks(f"{fence}\ncode\n\n# A\n\n{PROSE}")[-1].path == ("A",)


def test_however_many_fences_nothing_closes_each_line_is_looked_at_a_few_times(monkeypatch):
    looked_at = []
    short = structure._Lines.short
    monkeypatch.setattr(structure._Lines, "short", lambda self, n: looked_at.append(n) or short(self, n))
    fences = ["`" * length for length in range(150, 2, -1)]
    assert [each.kind for each in blocks("\n".join([*fences, *["."] * 1000]))] == ["prose"]
    assert len(looked_at) < 10 * (len(fences) + 1000)


def test_a_longer_fence_holds_a_shorter_one():
    text = f"````\n{CODE}\n````"
    assert found(text) == [("code", text, ())]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"# A\n{PROSE}\n## B\n", [f"{PROSE}\n## B"]),
        (f"# A\n# B\n{PROSE}", [f"# A\n# B\n{PROSE}"]),
        ("# A\n## B\n# C\n", ["# A\n## B\n# C"]),
        (f"# A\n{TABLE}\n# B\n# C\n{PROSE}", [f"{TABLE}\n# B", PROSE]),
    ],
)
def test_a_heading_of_nothing_is_beside_some_text(text, kept):
    assert [each[1] for each in found(text)] == kept


@given(st.lists(st.sampled_from(LINES), max_size=25), st.sampled_from(["\n", "\r\n"]))
def test_all_of_a_text_is_in_one_block_or_on_a_path(lines, end):
    text = end.join(lines)
    made = blocks(text)
    at, left = 0, ""
    for each in made:
        assert at <= each.start < each.end <= len(text)
        left += text[at : each.start]
        at = each.end
    paths = {title for each in made for title in each.path}
    for line in (left + text[at:]).split("\n"):
        assert line.strip(" \t\r#=-") == "" or any(title in line for title in paths)


def test_code_is_parted_before_definitions_and_after_blank_lines():
    text = "import os\n\n@cache\ndef a():\n    x = 1\n\n    return x\ndef b():\n    pass\n\nint main() {\n  f();\n\n}\n"
    assert [text[start:end] for start, end in definitions(text, 0, len(text))] == [
        "import os",
        "@cache\ndef a():\n    x = 1\n\n    return x",
        "def b():\n    pass",
        "int main() {\n  f();\n\n}",
    ]
    assert found(text, is_code=True) == [("code", text.rstrip(), ())]
    assert blocks(" \n", is_code=True) == []


@pytest.mark.parametrize("text", ["#" * 10**6, "- " * 10**5, "|-" * 10**5 + "\n" + "|-" * 10**5, "word " * 10**5])
def test_a_line_of_a_megabyte_is_prose(text):
    assert [(each.start, each.end) for each in blocks(text)] == [(0, len(text.rstrip()))]
