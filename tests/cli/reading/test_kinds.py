"""What a file is: its content first, then its name."""

from __future__ import annotations

import pytest

from cli.reading.kinds import kind_of, language
from protocol.errors import BatosError

LETTER = b"From: a@b\r\nTo: c@d\r\nSubject: Hi\r\nDate: Mon, 4 Mar 2024 10:00:00 +0100\r\n\r\nHello"


@pytest.mark.parametrize(
    ("head", "name", "kind"),
    [
        (b"plain words", "notes", "text"),
        (b"plain words", "notes.txt", "text"),
        (b"# Title", "a.MD", "markdown"),
        (b"%PDF-1.7 ...", "notes.txt", "pdf"),
        (b"\n%PDF-1.7", "a", "pdf"),
        (b"PK\x03\x04...", "a.zip", "docx"),
        (b"<!DOCTYPE html><html>", "a.txt", "html"),
        (b"<!-- by hand -->\n<html lang=de>", "a", "html"),
        (b"a page", "a.html", "html"),
        (b"<!doctype html>", "a.php", "code"),
        (b"a,b", "a.csv", "table"),
        (b"def f(): ...", "a.py", "code"),
        (b"FROM x", "Dockerfile", "code"),
        (LETTER, "a", "mail"),
        (b"Hello", "a.eml", "mail"),
        (b"From a@b Mon Mar  4 10:00:00 2024\n" + LETTER, "Inbox", "mailbox"),
        (b"From here on: nothing\nSubject: x\n", "a.txt", "text"),
        (b"Date: today\n\nFrom: me\nTo: you", "a.txt", "text"),
        (b"BM is no picture", "a.txt", "text"),
        (b"MZ is no program", "a.txt", "text"),
    ],
)
def test_a_kind(head, name, kind):
    assert kind_of(head, name) == kind


@pytest.mark.parametrize(
    ("head", "name", "said"),
    [
        (b"\x89PNG\r\n\x1a\n", "notes.txt", "PNG"),
        (b"\xff\xd8\xff\xe0", "a", "JPEG"),
        (b"\x7fELF\2\1", "a.py", "program"),
        (b"\x1f\x8b\x08\0", "a.txt", "gzip"),
        (b"MZ\x90\0\3", "a", "program"),
        (b"SQLite format 3\0", "a", "SQLite"),
        (b"RIFF\0\0\0\0WAVE", "a", "sound"),
        (b"\0\0\0\x20ftypisom", "a", "film"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.doc", "old Office"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.docx", "password"),
    ],
)
def test_what_holds_no_text_is_named(head, name, said):
    with pytest.raises(BatosError) as caught:
        kind_of(head, name)
    assert caught.value.code == "BAD_DOCUMENT"
    assert said in caught.value.message
    assert caught.value.hint


def test_no_beginning_takes_long():
    for head in (b"<!---->" * 9000, b"<!--" * 16000, b"From a " + b"2024 " * 12000, b"a" * 64000, b" " * 64000):
        assert kind_of(head, "a") == "text"


def test_the_language_of_code():
    assert [language(name) for name in ("a.rs", "Makefile", "x/y.TSX", "a.txt")] == ["rust", "make", "typescript", ""]
