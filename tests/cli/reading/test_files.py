"""A file from its path to the parts of its text."""

from __future__ import annotations

import os
import random
import tracemalloc

import pytest

from cli.reading import files
from cli.reading.jailer import Children
from protocol.errors import BatosError


@pytest.fixture(scope="module")
def children():
    with Children() as made:
        yield made


@pytest.fixture
def read(tmp_path, children):
    def read(name, data):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        found = files.read(files.look(str(path)), children)
        return found, list(found.parts)

    return read


def test_markdown_says_what_its_front_matter_says(read):
    found, text = read(
        "a.md", "---\ntitle: 'My note'\ntags: [a]\nauthor: Ann\ndate: 2024-05-06\n---\n# Heading\n\nText.\n"
    )
    assert found.facts == {"format": "markdown", "title": "My note", "author": "Ann", "date": "2024-05-06"}
    assert text == ["# Heading\n\nText.\n"]
    found, text = read("b.md", "```\n# comment\n```\nTitle\n=====\n\nText.\n")
    assert found.facts["title"] == "Title"
    assert text == ["```\n# comment\n```\nTitle\n=====\n\nText.\n"]


def test_no_markdown_takes_long(read):
    for text in ("# a" + " " * 60_000 + "x", "# " * 30_000 + "x", "```\n~~~\n" * 7000, "---\n" + "title:" * 10_000):
        assert read("a.md", text)[1] == [text.removesuffix("\n") + "\n" * text.endswith("\n")]


def test_code_says_its_language(read):
    found, text = read("a.py", "def f():\n    return 1\n")
    assert (found.facts, text) == ({"format": "code", "language": "python"}, ["def f():\n    return 1\n"])


@pytest.mark.parametrize(
    ("charset", "certain"),
    [("utf-8", True), ("utf-8-sig", True), ("utf-16", True), ("latin-1", False), ("utf-16-le", False)],
)
def test_text_of_any_encoding_is_read_and_a_guess_is_told(read, charset, certain):
    found, text = read("a.txt", "Grüße aus Köln\r\nund Fluß\r".encode(charset))
    assert text == ["Grüße aus Köln\nund Fluß\n"]
    assert bool(found.notes) is not certain
    assert ("encoding" in found.facts) is not certain


def test_one_stray_byte_spoils_no_text(read):
    text = "Сегодня хорошая погода.\n" * 100_000
    data = text.encode()
    for at in (10, len(data) // 2, len(data) - 1):
        _, parts = read("a.txt", data[:at] + b"\xfc" + data[at:])
        assert "".join(parts).count("Сегодня") >= 99_999


def test_what_a_child_reads(read, make_pdf, make_docx, make_paragraph):
    assert read("a.pdf", make_pdf("Words of it."))[1] == ["Words of it."]
    assert read("a", make_docx(make_paragraph("Words of it.")))[1] == ["Words of it."]
    found, text = read("a.html", "<html><title>T</title><p>Gr\u00fc\u00dfe, Stra\u00dfe</p>".encode("latin-1"))
    assert (found.facts["title"], found.facts["encoding"], text) == ("T", "cp1252", ["Grüße, Straße"])


@pytest.mark.parametrize(
    "data",
    [b"", random.Random(1).randbytes(3000) + b"\0\0", b"text\0text", b"\x89PNG\r\n\x1a\n", b"Word. " * 90000 + b"\0"],
)
def test_what_holds_no_text_is_refused(read, data):
    with pytest.raises(BatosError) as caught:
        read("a.txt", data)
    assert (caught.value.code, bool(caught.value.hint)) == ("BAD_DOCUMENT", True)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, children):
    path = tmp_path / "a.txt"
    path.write_text("One wing.")
    seen = files.look(str(path))
    path.write_text("Two wings.")
    with pytest.raises(BatosError, match="changed while") as caught:
        list(files.read(seen, children).parts)
    assert caught.value.code == "UNREADABLE"


def test_what_is_over_the_bound_is_refused(read, monkeypatch, make_pdf):
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 100)
    monkeypatch.setattr(files, "MAX_TEXT_BYTES", 2000)
    for name, data in (("a.pdf", make_pdf("Words.")), ("a.txt", b"word " * 1000)):
        with pytest.raises(BatosError) as caught:
            read(name, data)
        assert caught.value.code == "TOO_LARGE"


def test_a_pipe_is_read_once(children):
    source, sink = os.pipe()
    with os.fdopen(sink, "wb") as written:
        written.write(b"From a pipe.")
    seen = files.look(f"/dev/fd/{source}")
    os.close(source)
    assert list(files.read(seen, children).parts) == ["From a pipe."]


def test_a_large_text_is_never_held_as_a_whole(tmp_path, children):
    path = tmp_path / "large.txt"
    with path.open("w") as file:
        file.writelines(f"Paragraph {n} of a large text.\n\n" for n in range(600_000))
    size = path.stat().st_size
    tracemalloc.start()
    try:
        seen = files.look(str(path))
        total = sum(len(part) for part in files.read(seen, children).parts)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == size
    assert peak < size // 2
