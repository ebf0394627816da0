"""CSV as a table in Markdown."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.reading import tables
from protocol.errors import BatosError


def table(text, name="a.csv", size=None):
    pieces = [text] if size is None else [text[at : at + size] for at in range(0, len(text), size)]
    return "".join(tables.texts(pieces, name))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('name,age\n"Ann, the\nfirst",5\nBob\n', "a.csv"),
        ('name;age\n"Ann, the\nfirst";5\nBob\n', "a.csv"),
        ('name\tage\n"Ann, the\nfirst"\t5\nBob\n', "a.tsv"),
    ],
)
def test_a_table(text, name):
    assert table(text, name) == "| name | age |\n| --- | --- |\n| Ann, the first | 5 |\n| Bob |  |\n"


@pytest.mark.parametrize("separator", [",", ";", "|", "\t"])
def test_what_separates_is_found_out(separator):
    rows = [["a", "b, c; d", "e"], ["1", "one, or; two", "3.5"]] * 3
    quoted = "\n".join(separator.join(f'"{cell}"' for cell in row) for row in rows)
    assert table(quoted).splitlines()[0] == "| a | b, c; d | e |"
    assert table('"\'",' * 5000 + "\n")


def test_a_column_is_a_list_and_nothing_is_nothing():
    assert table("one\ntwo\n\nthree") == "one\ntwo\nthree\n"
    assert table("") == table("\n\n") == ""


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n|\\", exclude_categories=("Cc",)), min_size=1)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=2), st.integers(1, 20))
def test_every_cell_is_there_wherever_the_pieces_end(rows, size):
    written = io.StringIO()
    csv.writer(written, delimiter="\t", lineterminator="\n").writerows(rows)
    lines = table(written.getvalue(), "a.tsv", size).splitlines()
    kept = [" ".join(cell.split()) for row in rows if any(cell.strip() for cell in row) for cell in row]
    assert [cell.strip() for line in lines if "---" not in line for cell in line.strip("|").split("|")] == kept or any(
        "---" in cell or len(cell.splitlines()) > 1 for row in rows for cell in row
    )


def test_a_cell_that_never_ends_is_refused(monkeypatch):
    monkeypatch.setattr(tables, "MAX_FIELD", 1000)
    with pytest.raises(BatosError, match="no CSV"):
        table('a,b\n"' + "x" * 5000)


def test_the_header_of_a_table():
    assert tables.header("| a | b |\n| --- | --- |\n| 1 | 2 |") == "| a | b |\n| --- | --- |\n"
    assert tables.header("one\ntwo\nthree") == ""
