from __future__ import annotations

import shutil
import struct
from contextlib import suppress

import gguf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.inference.model.gguf import header as header_module
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
    assert (header.number("embedding_length"), header.number("nothing"), header.number("nothing", 3)) == (HIDDEN, 0, 3)
    assert header.bytes == sum(tensor.bytes for tensor in header.tensors)
    words = header.values["tokenizer.ggml.tokens"]
    assert isinstance(words, Length)
    assert words == 258
    assert header.values["tokenizer.chat_template"] == "{{ messages }}"


def test_a_list_is_read_whole_where_it_is_asked_for(whole, monkeypatch):
    words, kinds = "tokenizer.ggml.tokens", "tokenizer.ggml.token_type"
    monkeypatch.setattr(header_module, "_FEW", 16)
    asked = read_header(whole, whole={words}).values
    assert asked[words] == [str(bytes(part), "utf-8") for part in fields(whole, words)]
    assert (type(asked[kinds]), asked[kinds]) == (Length, 258)
    assert read_header(whole, whole={kinds}).values[kinds] == [int(part[0]) for part in fields(whole, kinds)]


def fields(path, name):
    field = gguf.GGUFReader(path).fields[name]
    return [field.parts[place] for place in field.data]


def head(tensors, values, version=3, order="<"):
    return b"GGUF" + struct.pack(f"{order}IQQ", version, tensors, values)


def text(word):
    return struct.pack("<Q", len(word)) + word


NAMED = text(b"general.architecture") + struct.pack("<I", 8) + text(b"llama")
LIST = text(b"a") + struct.pack("<I", 9)
ALIGNED = text(b"general.alignment") + struct.pack("<I", 4)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"hello, this is no model at all", "it begins with b'hell'"),
        (b"PK\3\4", "zip"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
        (b"<!DOCTYPE html>", "web page"),
        (b"GGUF", "does not end"),
        (head(0, 0, version=1), "of version 1;"),
        (head(0, 0, order=">"), "little-endian"),
        (head(1 << 60, 0), "cannot be"),
        (head(0, 1 << 60), "cannot be"),
        (head(1 << 20, 0), "does not end"),
        (head(0, 0) + bytes(8), "names no architecture"),
        (head(0, 1) + LIST + struct.pack("<IQ", 9, 1), "arrays within arrays"),
        (head(0, 1) + LIST + struct.pack("<IQ", 4, 1 << 60), "cannot be"),
        (head(0, 1) + LIST + struct.pack("<IQ", 4, 1 << 20), "does not end"),
        (head(0, 1) + LIST + struct.pack("<IQ", 8, 1 << 20), "does not end"),
        (head(0, 1) + LIST + struct.pack("<IQ", 77, 1), "of the type 77"),
        (head(0, 1) + text(b"a") + struct.pack("<I", 77), "of the type 77"),
        (head(0, 1) + struct.pack("<Q", 1 << 63) + bytes(9), "does not end"),
        (head(0, 1) + ALIGNED + struct.pack("<I", 0), "alignment 0, which is no power of two"),
        (head(0, 1) + ALIGNED + struct.pack("<I", 48), "alignment 48, which is no power of two"),
        (head(0, 1) + text(b"general.alignment") + struct.pack("<I", 8) + text(b"32"), "no power of two"),
        (head(1, 0) + text(b"t") + struct.pack("<I", 5) + bytes(60), "'t' of 5 dimensions"),
        (head(1, 0) + text(b"t") + struct.pack("<I", 0) + bytes(60), "'t' of 0 dimensions"),
    ],
)
def test_what_is_no_gguf_file_is_said_to_be_what_it_is(tmp_path, content, said):
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    assert said in refusal(path)


def test_a_type_that_is_newer_is_for_llama_cpp_alone(tmp_path):
    path = tmp_path / "model.gguf"
    tensor = text(b"new") + struct.pack("<IQQIQ", 2, 8, 4, 999, 0)
    path.write_bytes((head(1, 1) + NAMED + tensor).ljust(128 + 64, b"\0"))
    header = read_header(path)
    assert [(one.shape, one.kind, one.bytes, one.is_known) for one in header.tensors] == [((4, 8), "999", 0, False)]
    assert header.bytes == path.stat().st_size - header.tensors[0].offset, "as many as there can be"
    with pytest.raises(BatosError, match="holds 'new' in type 999, which is unknown here"):
        header.refuse_unknown()


def test_all_types_that_the_package_names_are_known(whole):
    read_header(whole).refuse_unknown()


def test_a_file_that_is_cut_off_is_told_by_its_bytes(whole, tmp_path):
    path = tmp_path / "cut.gguf"
    end = max(tensor.offset + tensor.bytes for tensor in read_header(whole).tensors)
    path.write_bytes(whole.read_bytes()[:end])
    assert read_header(path).tensors
    path.write_bytes(whole.read_bytes()[: end - 1])
    assert f"it has {end - 1} bytes, and its header tells of {end}" in refusal(path)


@settings(max_examples=60)
@given(kept=st.floats(0, 1, exclude_max=True), of_header=st.booleans())
def test_wherever_a_file_is_cut_off_it_is_refused(whole, tmp_path_factory, kept, of_header):
    raw = whole.read_bytes()
    header = read_header(whole)
    end = header.tensors[0].offset if of_header else header.tensors[0].offset + header.bytes
    path = tmp_path_factory.mktemp("cut") / "model.gguf"
    path.write_bytes(raw[: int(end * kept)])
    assert refusal(path)


@settings(max_examples=150)
@given(st.data())
def test_no_damage_is_more_than_a_refusal(whole, tmp_path_factory, data):
    raw = bytearray(whole.read_bytes())
    begin = read_header(whole).tensors[0].offset
    kept = data.draw(st.integers(1, begin))
    for place in data.draw(st.lists(st.integers(4, begin - 1), max_size=3)):
        raw[place] ^= 1 << data.draw(st.integers(0, 7))
    place, junk = data.draw(st.integers(0, begin)), data.draw(st.binary(max_size=8))
    raw[place : place + len(junk)] = junk
    path = tmp_path_factory.mktemp("damaged") / "model.gguf"
    path.write_bytes(raw[:kept] if data.draw(st.booleans()) else raw)
    asked = data.draw(st.sampled_from([frozenset(), spelt := frozenset({"tokenizer.ggml.tokens"})]))
    with suppress(BatosError):  # and whatever else is raised fails
        header = read_header(path, whole=asked)
        assert header.architecture
        assert header.quantization
        assert header.number("block_count") >= 0
        assert asked != spelt or not isinstance(header.values.get("tokenizer.ggml.tokens"), Length)


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
