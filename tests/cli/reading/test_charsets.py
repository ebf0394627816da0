"""Which encoding bytes are in: certain where only that one allows them, and otherwise a guess that is said to be one."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.reading.charsets import declared, detect

GERMAN = "Die Straße über den Fluß ist schön. Müller grüßt Köln."
FRENCH = "L'été dernier, le café était fermé à cause de la grève. Ça va, garçon."
RUSSIAN = "Сегодня хорошая погода, и мы идём гулять в парк вместе с друзьями."  # noqa: RUF001
POLISH = "Zażółć gęślą jaźń. Wczoraj poszliśmy do sklepu po chleb i mleko, było późno."
JAPANESE = "今日は天気がいいので、公園に散歩に行きましょう。日本語の文章です。"


@given(st.text(min_size=1).filter(lambda text: "\0" not in text))
def test_utf8_is_certain(text):
    found = detect(text.encode())
    if not text.startswith("\ufeff"):
        assert (found.name, found.certainty) == ("utf-8", 1.0)


@pytest.mark.parametrize("name", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_mark_is_certain(name):
    data = GERMAN.encode(name)
    found = detect(data)
    assert (data.decode(found.name), found.certainty) == (GERMAN, 1.0)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (GERMAN, "latin-1"),
        ("Grüße", "latin-1"),
        (f"„{GERMAN}“, 5 €", "cp1252"),
        (FRENCH, "latin-1"),
        ("x" * 100_000 + FRENCH, "latin-1"),
        (FRENCH, "utf-16-le"),
        (FRENCH, "utf-16-be"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (POLISH, "cp1250"),
        (JAPANESE, "shift_jis"),
    ],
)
def test_others_are_guessed_and_said_to_be_a_guess(text, name):
    data = text.encode(name)
    found = detect(data)
    assert data.decode(found.name) == text
    assert 0 < found.certainty < 1


def test_a_text_put_together_from_two_is_read_as_both():
    data = f"{GERMAN} {RUSSIAN}".encode() + " Grüße und Fluß".encode("latin-1")
    found = detect(data)
    assert data.decode(found.name, found.errors) == f"{GERMAN} {RUSSIAN} Grüße und Fluß"
    assert 0.5 <= found.certainty < 1
    cut = RUSSIAN.encode()[:-2]
    assert detect(cut).name == "utf-8"


@pytest.mark.parametrize(
    "data", [random.Random(1).randbytes(4000) + b"\0", bytes(range(32)) * 50 + b"\xff", b"a\0b\0\0\0\xff\xfe" * 100]
)
def test_what_is_no_text_has_no_encoding(data):
    assert detect(data) is None


def test_what_a_file_declares_counts_where_it_is_true():
    assert declared(GERMAN.encode("latin-1"), "iso-8859-1").name == "cp1252"
    assert declared(GERMAN.encode("latin-1"), "utf-8") is None
    assert declared(b"a", "no such") is None
