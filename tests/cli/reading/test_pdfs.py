"""PDF: the text of its pages, and what is said where there is none."""

from __future__ import annotations

import io

import pypdf
import pytest
from pypdf.errors import DependencyError

from cli.reading import pdfs
from protocol.errors import BatosError


def written(writer):
    data = io.BytesIO()
    writer.write(data)
    return data.getvalue()


def refused(data):
    with pytest.raises(BatosError) as caught:
        pdfs.read(data, "a.pdf")
    assert caught.value.hint
    return caught.value


def test_pages_are_read_in_order_without_their_edges(make_pdf):
    found = pdfs.read(make_pdf(*(f"My Journal\nThe keeper saw storm num-\nber {n}.\nPage {n}" for n in range(5))), "")
    assert found.text.split("\n\n") == [f"The keeper saw storm number {n}." for n in range(5)]


def test_what_stands_on_few_pages_stays(make_pdf):
    assert pdfs.read(make_pdf("Title\nOne.", "Title\nTwo."), "").text == "Title\nOne.\n\nTitle\nTwo."


def test_what_the_file_says_of_itself():
    writer = pypdf.PdfWriter()
    writer.add_blank_page(200, 200)
    writer.add_metadata({"/Title": "A  title", "/Author": "Ann", "/CreationDate": "D:20240305101500Z"})
    found = pdfs._facts(pypdf.PdfReader(io.BytesIO(written(writer))))
    assert found == {"title": "A title", "author": "Ann", "date": "2024-03-05T10:15:00"}


def test_pictures_of_pages_hold_no_text():
    writer = pypdf.PdfWriter()
    writer.add_blank_page(200, 200)
    error = refused(written(writer))
    assert (error.code, error.message) == ("BAD_DOCUMENT", "its pages are pictures, and hold no text")
    assert "ocrmypdf" in error.hint


def test_pages_without_text_among_others_are_told(make_pdf):
    assert pdfs.read(make_pdf("Words.", ""), "").notes == ["1 of its 2 pages hold no text"]


def test_a_password_is_named():
    writer = pypdf.PdfWriter()
    writer.add_blank_page(200, 200)
    writer.encrypt("secret", algorithm="RC4-128")
    error = refused(written(writer))
    assert error.message == "it has a password"
    assert "qpdf" in error.hint


def test_what_anybody_may_open_is_read_though_it_is_encrypted(make_pdf, monkeypatch):
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(make_pdf("Words of it.")))
    writer.encrypt("", owner_password="secret", algorithm="RC4-128")
    data = written(writer)
    assert pdfs.read(data, "").text == "Words of it."

    def aes(*_):
        raise DependencyError("cryptography is required for AES")

    monkeypatch.setattr(pypdf.PageObject, "extract_text", aes)
    error = refused(data)
    assert error.message == "it is encrypted"
    assert "qpdf" in error.hint


@pytest.mark.parametrize("data", [b"%PDF-1.4\n", b"%PDF-1.4\n" + bytes(range(256)) * 4])
def test_a_damaged_one_is_named(data):
    assert refused(data).code == "BAD_DOCUMENT"


def test_a_tree_of_pages_that_holds_itself_ends():
    loop = (
        b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
        b"2 0 obj\n<< /Type /Pages /Count 2 /Kids [2 0 R 2 0 R] >>\nendobj\ntrailer << /Size 3 /Root 1 0 R >>\n%%EOF"
    )
    assert refused(loop).code == "BAD_DOCUMENT"


def test_too_many_pages_are_refused(make_pdf, monkeypatch):
    monkeypatch.setattr(pdfs, "MAX_PAGES", 2)
    assert refused(make_pdf("a", "b", "c")).code == "TOO_LARGE"
    monkeypatch.setattr(pdfs, "MAX_TEXT", 2)
    assert refused(make_pdf("a long page")).code == "TOO_LARGE"
