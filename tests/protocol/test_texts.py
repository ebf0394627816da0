"""What a person names by a file: a text of bounded size, or a word on why it is none."""

from __future__ import annotations

import io
import os
import types
from pathlib import Path
from typing import Any

import pytest

from protocol import texts
from protocol.errors import BatosError


def read(file: str | Path, **options: Any) -> str:
    given = {"name": "it", "most": 10, "parts": "In parts.", "convert": "Convert it."}
    return texts.bounded_text(file, **(given | options))


def refused(file: str | Path, **options: Any) -> BatosError:
    with pytest.raises(BatosError) as caught:
        read(file, **options)
    return caught.value


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "text.txt"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"lantern\r\n", "lantern\r\n"),
        ("größe".encode(), "größe"),
        (b"\xef\xbb\xbfgate", "gate"),
        (b"0123456789", "0123456789"),
    ],
    ids=["nothing", "line", "wide", "mark of the byte order", "as much as may be"],
)
def test_a_text_is_read_whole(path: Path, data: bytes, text: str) -> None:
    path.write_bytes(data)
    assert read(path) == read(str(path)) == text


@pytest.mark.parametrize("data", [b"gate", b"01234567890", b"\xff"], ids=["good", "long", "noise"])
def test_standard_input_is_a_file_like_others(path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    def told(file: str | Path) -> str:
        try:
            return read(file)
        except BatosError as error:
            return repr((error.code, error.message, error.hint, error.data))

    path.write_bytes(data)
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=io.BytesIO(data)))
    assert told("-") == told(path)


def test_one_byte_too_many_is_refused_and_says_what_to_do(path: Path) -> None:
    path.write_bytes(b"01234567890")
    error = refused(path)
    assert (error.code, error.hint, error.data) == ("TOO_LARGE", "In parts.", {"limit": 10})
    assert error.message == "it has more than 10 bytes"


def test_a_file_without_an_end_is_refused_too() -> None:
    assert refused("/dev/zero").code == "TOO_LARGE"


def test_a_pipe_is_read_to_its_end() -> None:
    end, begin = os.pipe()
    os.write(begin, b"gate")
    os.close(begin)
    try:
        assert read(f"/dev/fd/{end}") == "gate"
    finally:
        os.close(end)


def test_what_is_no_text_says_where(path: Path) -> None:
    path.write_bytes(b"a\nb\n\xff")
    error = refused(path)
    assert (error.code, error.hint, error.data) == ("BAD_DOCUMENT", "Convert it.", {"line": 3})
    assert error.message == "it is not text in UTF-8 (line 3, byte 4)"
    assert refused(path, code="UNREADABLE").code == "UNREADABLE"


def test_what_is_too_long_and_no_text_is_too_long(path: Path) -> None:
    path.write_bytes(b"\xff" * 11)
    assert refused(path).code == "TOO_LARGE"


@pytest.mark.parametrize(
    ("name", "why"),
    [(".", "is a folder"), ("nothing", "No such file"), ("a\0b", "null byte"), ("x" * 300, "name too long")],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, why: str) -> None:
    error = refused(f"{tmp_path}/{name}")
    assert (error.code, bool(error.hint)) == ("UNREADABLE", True)
    assert why in error.message
    assert "it" in error.message
