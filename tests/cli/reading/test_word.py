"""DOCX: headings, paragraphs, lists, tables and footnotes; and archives that mean harm."""

from __future__ import annotations

import io
import zipfile

import pytest

from cli.reading import word
from protocol.errors import BatosError

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def refused(data, name="a.docx"):
    with pytest.raises(BatosError) as caught:
        word.read(data, name)
    assert caught.value.hint
    return caught.value


def test_a_document(make_docx, make_paragraph):
    p = make_paragraph
    row = "<w:tr><w:tc>{}</w:tc><w:tc>{}</w:tc></w:tr>"
    table = f"<w:tbl>{row.format(p('a'), p('b'))}{row.format(p('1'), p('2'))}</w:tbl>"
    listed = "<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>{}</w:t></w:r></w:p>"
    body = (
        p("A book", "Title")
        + p("Erstes", "berschrift2")
        + "<w:p><w:r><w:t>Split </w:t></w:r><w:r><w:tab/><w:t>word</w:t></w:r><w:r><w:delText>gone</w:delText></w:r></w:p>"
        + listed.format("one")
        + listed.format("two")
        + table
        + f"<mc:AlternateContent xmlns:mc='m'><mc:Choice>{p('once')}</mc:Choice><mc:Fallback>{p('twice')}</mc:Fallback></mc:AlternateContent>"
    )
    styles = f'<w:styles {W}><w:style w:styleId="berschrift2"><w:name w:val="heading 2"/></w:style></w:styles>'
    core = (
        '<c xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:t="http://purl.org/dc/terms/"><dc:title>T</dc:title>'
        "<dc:creator>Ann</dc:creator><t:created>2024-03-05T10:00:00Z</t:created></c>"
    )
    notes = f"<w:footnotes {W}>{p('A footnote.')}</w:footnotes>"
    found = word.read(make_docx(body, word__styles=styles, docProps__core=core, word__footnotes=notes), "a.docx")
    assert found.text.split("\n\n") == [
        "# A book",
        "## Erstes",
        "Split  word",
        "- one\n- two",
        "| a | b |\n| --- | --- |\n| 1 | 2 |",
        "once",
        "A footnote.",
    ]
    assert (found.title, found.author, found.date) == ("T", "Ann", "2024-03-05T10:00:00")


def test_entities_are_refused_before_they_expand(make_docx, make_paragraph):
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    assert "document type" in refused(make_docx(make_paragraph("&b;"), before=laughs)).message


def test_what_expands_is_read_to_the_bound_and_no_further(make_docx, make_paragraph, monkeypatch):
    data = make_docx(make_paragraph("A" * 3_000_000))
    assert len(data) < 10_000
    monkeypatch.setattr(word, "MAX_XML", 1 << 21)
    assert refused(data).code == "TOO_LARGE"
    monkeypatch.setattr(word, "MAX_XML", 1 << 30)
    monkeypatch.setattr(word, "MAX_TEXT", 1 << 20)
    assert refused(data).code == "TOO_LARGE"


def test_what_is_nested_deep_costs_nothing(make_docx, make_paragraph):
    data = make_docx("<w:x>" * 50_000 + make_paragraph("deep") + "</w:x>" * 50_000)
    assert word.read(data, "").text == "deep"


@pytest.mark.parametrize(
    ("entry", "said"), [("xl/workbook.xml", "Excel"), ("ppt/presentation.xml", "presentation"), ("a.txt", "ZIP")]
)
def test_another_archive_is_named(entry, said):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(entry, "x")
    assert said in refused(data.getvalue()).message


def test_a_damaged_or_empty_one_is_named(make_docx, make_paragraph):
    whole = make_docx(make_paragraph("Words."))
    assert "damaged" in refused(whole[:-30]).message
    assert "damaged" in refused(make_docx("<w:p>")).message
    assert "no text" in refused(make_docx("")).message
