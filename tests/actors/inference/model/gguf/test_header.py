from __future__ import annotations

import shutil
from contextlib import suppress

import gguf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.inference.model.gguf.header import Length, read_header
from protocol.errors import BatosError

from ...ggufs import HIDDEN, write


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write(tmp_path_factory.mktemp("gguf") / "model.gguf", kinds=("Q8_0", "F16"), general__file_type=7)


def refusal(path):
    with pytest.raises(BatosError) as caught:
        read_header(path)
    assert (caught.value.code, bool(caught.value.hint)) == ("BAD_MODEL", True)
    return caught.value.message


def test_a_header_is_what_the_packages_own_reader_says(whole):
    header, theirs = read_header(whole), gguf.GGUFReader(whole)
    assert [(one.name, one.shape, one.kind, one.offset, one.bytes) for one in header.tensors] == [
        (one.name, tuple(map(int, reversed(one.shape))), one.tensor_type.name, one.data_offset, one.n_bytes)
        for one in theirs.tensors
    ]
    assert (header.architecture, header.quantization, header.parts) == ("llama", "Q8_0", (whole,))
    assert header.of_model("embedding_length") == HIDDEN
    assert header.of_model("nothing") is None
    words = header.values["tokenizer.ggml.tokens"]
    assert isinstance(words, Length)
    assert words == 258
    assert header.values["tokenizer.chat_template"] == "{{ messages }}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"PK\3\4", "zip"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
        (b"<!DOCTYPE html>", "web page"),
        (b"GGUF", "does not end"),
        (b"GGUF\x01\0\0\0" + b"\0" * 16, "version 1"),
        (b"GGUF\x03\0\0\0" + b"\xff" * 64, "does not end"),
    ],
)
def test_what_is_no_gguf_file_is_said_to_be_what_it_is(tmp_path, content, said):
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    assert said in refusal(path)


def test_a_file_that_is_cut_off_is_told_by_its_bytes(whole, tmp_path):
    path = tmp_path / "cut.gguf"
    end = max(tensor.offset + tensor.bytes for tensor in read_header(whole).tensors)
    path.write_bytes(whole.read_bytes()[:end])
    assert read_header(path).tensors
    path.write_bytes(whole.read_bytes()[: end - 1])
    assert f"it has {end - 1} bytes, and its header tells of {end}" in refusal(path)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_damage_is_more_than_a_refusal(whole, tmp_path_factory, data):
    raw = bytearray(whole.read_bytes())
    begin = read_header(whole).tensors[0].offset
    kept = data.draw(st.integers(1, begin))
    for place in data.draw(st.lists(st.integers(4, begin - 1), max_size=3)):
        raw[place] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path_factory.mktemp("damaged") / "model.gguf"
    path.write_bytes(raw[:kept] if data.draw(st.booleans()) else raw)
    with suppress(BatosError):
        read_header(path)


def test_the_parts_of_a_set_are_one_model(whole, tmp_path):
    for number in (1, 2):
        write(tmp_path / f"m-0000{number}-of-00002.gguf", split__count=2, split__no=number - 1)
    second = tmp_path / "m-00002-of-00002.gguf"
    header = read_header(second)
    assert [part.name for part in header.parts] == ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"]
    assert len(header.tensors) == 2 * len(read_header(whole).tensors)
    (tmp_path / "m-00001-of-00002.gguf").unlink()
    assert "m-00001-of-00002.gguf is missing" in refusal(second)
    shutil.move(second, tmp_path / "renamed.gguf")
    assert "does not say which" in refusal(tmp_path / "renamed.gguf")
