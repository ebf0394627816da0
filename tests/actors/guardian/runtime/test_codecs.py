"""One list of codecs, by whatever way a method turns text into bytes and back."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.codec import Ref
from protocol.messages import Done, Failed, Run

WAYS = [
    "'ä'.encode({})",
    "'ä'.encode(encoding={})",
    "str.encode('ä', {})",
    "getattr('ä', 'encode')({})",
    "bytes('ä', {})",
    "bytes('ä', encoding={})",
    "bytes(source='ä', encoding={}, errors='strict')",
    "list(map(bytes, ['ä'], [{}]))[0]",
    "str(b'a', {})",
    "str(b'a', encoding={})",
    "str(b'a', errors='replace', encoding={})",
    "b'a'.decode({})",
    "b'a'.decode(encoding={})",
    "bytes.decode(b'a', {})",
    "type(b'')('ä', {})",
]


@pytest.fixture
def do(within):
    def do(expression: str) -> Any:
        source = f"def m_(self):\n    codec = '-'.join(['utf', '16'])\n    return {expression}\n"
        return within(Run(source=source, receiver=Ref("0" * 16)))

    return do


@pytest.mark.parametrize("way", WAYS)
def test_every_way_has_the_same_codecs(do, way: str):
    for codec in ("'utf-8'", "'UTF_8'", "'iso-8859-1'"):
        assert isinstance(do(way.format(codec)), Done)
    for codec in ("'utf-16'", "'idna'", "'rot13'", "codec"):
        outcome = do(way.format(codec))
        assert isinstance(outcome, Failed)
        assert (outcome.code, outcome.error) == ("METHOD_FAILED", "ValueError")
        assert "the encodings here are utf-8" in outcome.message


@pytest.mark.parametrize(
    "codec", ["utf-8", "UTF8", "utf_8", "us-ascii", "Latin-1", "latin1", "ISO8859-1", "iso_8859_1"]
)
def test_what_python_knows_by_itself_is_there(do, codec: str):
    assert do(f"'a'.encode('{codec}') + bytes('b', '{codec}')") == Done(result=b"ab")


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("[bytes(2), bytes([65]), bytes(), bytes(b'x'), bytes.fromhex('41')]", [b"\0\0", b"A", b"", b"x", b"A"]),
        ("[isinstance(b'', bytes), isinstance(1, (str, bytes)), type(b'') == bytes]", [True, False, True]),
        ("list(map(bytes, [[65], [66]]))", [b"A", b"B"]),
        ("'ä'.encode('ascii', 'replace') + bytes('ä', 'ascii', 'ignore')", b"?"),
        ("str(bytes)", "<class 'bytes'>"),
    ],
)
def test_the_type_of_bytes_is_what_it_is_in_python(do, expression: str, result: Any):
    assert do(expression) == Done(result=result)


@pytest.mark.parametrize(
    "expression", ["bytes('a')", "bytes('a', 5)", "'a'.encode(5)", "str.encode(5)", "bytes(5, 'utf-8')"]
)
def test_what_is_no_text_is_a_type_error(do, expression: str):
    outcome = do(expression)
    assert isinstance(outcome, Failed)
    assert outcome.error == "TypeError"
