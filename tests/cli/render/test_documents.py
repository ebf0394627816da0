"""What was remembered, refused and forgotten, as a person reads it."""

from __future__ import annotations

import pytest

from cli.calls.documents.outcomes import (
    Forecast,
    Foreseen,
    Forgetting,
    ForgottenDocument,
    Memories,
    RefusedFile,
    Remembered,
)
from cli.calls.documents.remembering import Stage
from cli.render import documents as render
from protocol.messages import IndexProgress


def test_of_several_files_files_are_counted_and_of_one_its_sentences():
    sentences = IndexProgress(doc_id="/a/b.txt//3", done=4, total=8)
    assert render.doing(Stage(2, 5, "/a/b.txt", sentences)) == ("remembers b.txt", 2, 5)
    assert render.doing(Stage(0, 1, "/a/b.txt", sentences)) == ("remembers b.txt, part 3", 4, 8)
    assert render.doing(Stage(1, 1, "/a/b.txt")) == ("remembers b.txt", 1, 1)


@pytest.mark.parametrize(("files", "lines"), [(1, 11), (5, 5), (1000, 20)])
def test_where_no_line_lives_a_few_lines_are_told(files, lines):
    told = render.Lines()
    if files == 1:
        stages = [Stage(0, 1, "a", IndexProgress(doc_id="a", done=n, total=1000)) for n in range(1, 1001)]
    else:
        stages = [Stage(n, files, "a") for n in range(1, files + 1)]
    said = [line for line in map(told.line, stages) if line]
    assert lines <= len(said) <= lines + 1


def test_refusals_are_told_by_their_reason():
    found = [RefusedFile(f"/{n}", "BAD_DOCUMENT", "it is empty", "Leave it out.") for n in range(12)]
    found.append(RefusedFile("/\x1b[2J", "UNREADABLE", "it cannot be read", ""))
    lines = render.refused(found)
    assert lines[:3] == ["not remembered: 13", "  it is empty", "    /0"]
    assert lines[12:16] == ["    … and 2 more", "  → Leave it out.", "  it cannot be read", "    /\\x1b[2J"]
    assert render.refused([]) == []


def test_many_documents_are_counted_by_what_became_of_them():
    made = [Remembered(f"/{n}", 2, "same", "text") for n in range(1000)]
    made += [Remembered("/n", 1, "new", "text"), Remembered("/r", 1, "renamed", "text", "/was")]
    assert render.remembered(Memories(made, "01")).splitlines() == [
        "1,002 documents, 2,002 passages: 1 new, 1 renamed, 1,000 same",
        "  /was → /r",
    ]


def test_nothing_is_said_to_be_nothing():
    assert render.remembered(Memories([], None)) == "there is nothing to remember"
    assert render.forecast(Forecast([], [], [])) == "there is nothing to remember"
    assert render.forgetting(Forgetting([])) == "nothing like that is remembered"


def test_a_forecast_is_a_table():
    found = Forecast([Foreseen("/a", "new", "pdf", 1200, "", ["1 of its 2 pages hold no text"])], [], ["/gone"])
    assert render.forecast(found).splitlines() == [
        "         read as    characters",
        "new      pdf             1,200  /a",
        "forget   /gone",
        "  /a: 1 of its 2 pages hold no text",
    ]


def test_what_is_forgotten_is_named_up_to_a_bound():
    many = [ForgottenDocument(f"/{n}", 1, "01") for n in range(50)]
    lines = render.forgetting(Forgetting(many)).splitlines()
    assert len(lines) == render.EACH + 4
    assert lines[-4:-2] == ["… and 30 more", "50 documents, 50 passages: forgotten"]
    assert lines[-1] == render.UNTIL_PACK


def test_no_note_of_a_file_is_obeyed_by_a_terminal():
    one = Remembered("a", 1, "new", "pdf", notes=["\x1b[2J"])
    assert "\x1b" not in render.remembered(Memories([one], "03f1"))
