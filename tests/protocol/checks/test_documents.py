"""What may be remembered, and what is said of the rest."""

from __future__ import annotations

import pytest

from protocol.checks.documents import MAX_BYTES, check
from protocol.codec import Ref
from protocol.errors import BatosError


@pytest.mark.parametrize(
    ("doc_id", "text", "metadata", "code"),
    [
        ("", "text", {}, "BAD_DOCUMENT"),
        ("d" * 4097, "text", {}, "BAD_DOCUMENT"),
        ("a\nb", "text", {}, "BAD_DOCUMENT"),
        (b"d", "text", {}, "BAD_DOCUMENT"),
        (None, None, None, "BAD_DOCUMENT"),
        ("d", "", {}, "BAD_DOCUMENT"),
        ("d", " \n\u00a0\u200b\ufeff", {}, "BAD_DOCUMENT"),
        ("d", "a\0b", {}, "BAD_DOCUMENT"),
        ("d", "\ud800", {}, "BAD_DOCUMENT"),
        ("d", b"text", {}, "BAD_DOCUMENT"),
        ("d", "é" * (MAX_BYTES // 2) + "a", {}, "TOO_LARGE"),
        ("d", "text", [], "BAD_DOCUMENT"),
        ("d", "text", {1: 2}, "BAD_DOCUMENT"),
        ("d", "text", {"a": {1, 2}}, "BAD_VALUE"),
        ("d", "text", {"a": float("nan")}, "BAD_VALUE"),
        ("d", "text", {"a": "b" * (1 << 16)}, "TOO_LARGE"),
    ],
)
def test_what_is_no_document_is_refused(doc_id, text, metadata, code):
    with pytest.raises(BatosError) as caught:
        check(doc_id, text, metadata)
    assert caught.value.code == code
    assert caught.value.exit_code == 2


def test_what_is_at_the_limit_is_one():
    assert check("d" * 4096, "é" * (MAX_BYTES // 2), {}).doc_id == "d" * 4096


def test_the_hash_is_of_text_and_metadata_and_not_of_the_name():
    plain = check("a", "text", {"n": [1, Ref("00" * 8)]})
    assert check("b", "text", {"n": [1, Ref("00" * 8)]}).sha256 == plain.sha256
    assert check("a", "text.", {"n": [1, Ref("00" * 8)]}).sha256 != plain.sha256
    assert check("a", "text", {"n": [1, Ref("01" * 8)]}).sha256 != plain.sha256


def test_the_cycle_is_that_of_the_metadata():
    assert check("a", "text", {"cycle": "C1"}).cycle == "C1"
    assert check("a", "text", {"cycle": 1}).cycle == check("a", "text", {}).cycle == ""
