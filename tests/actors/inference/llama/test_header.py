"""The head of a GGUF file: what is read of it, and what is refused before llama.cpp sees it."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.inference.llama import header, keeping, sizing
from actors.inference.llama.header import read_header
from actors.inference.model import allowance
from protocol.errors import BatosError
from protocol.home import Inference

from .tiny_gguf import LAYERS, tiny_gguf


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    return tiny_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


def refusal(path):
    with pytest.raises(BatosError) as caught:
        keeping.head_of(keeping.find(path))
    assert caught.value.code == "BAD_MODEL"
    assert caught.value.hint
    return caught.value.message


def test_a_head_says_what_the_model_is(whole):
    head = read_header(whole)
    assert (head.architecture, head.number("block_count"), head.number("context_length")) == ("llama", LAYERS, 1024)
    assert len(head.facts["tokenizer.ggml.tokens"]) == len(head.facts["tokenizer.ggml.token_type"]) == 259
    assert head.bytes <= whole.stat().st_size < head.bytes + 16_384
    # 2 layers, keys and values of 2 heads with 16 numbers, in 2 bytes
    assert sizing.token_bytes(head) == 2 * 2 * 2 * 16 * 2
    assert sizing.quantization(head) == "F32"


def test_long_arrays_are_passed_but_for_those_that_prompts_need(whole, monkeypatch):
    monkeypatch.setattr(header, "_SHORT", 16)
    monkeypatch.setattr(header, "_WHOLE", frozenset({"tokenizer.ggml.tokens"}))
    facts = read_header(whole).facts
    assert (len(facts["tokenizer.ggml.tokens"]), facts["tokenizer.ggml.token_type"]) == (259, None)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(kept=st.floats(0, 0.999))
def test_wherever_a_file_is_cut_off_it_is_refused(whole, tmp_path, kept):
    data = whole.read_bytes()
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(data[: int(len(data) * kept)])
    refusal(cut)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.integers(0, 3000), junk=st.binary(min_size=1, max_size=8))
def test_a_damaged_head_is_read_or_refused_and_nothing_else_is_raised(whole, tmp_path, place, junk):
    data = bytearray(whole.read_bytes())
    data[place : place + len(junk)] = junk
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(data)
    with contextlib.suppress(BatosError):  # and whatever else is raised fails
        assert read_header(bad).architecture


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (b"hello, this is no model at all", "is no GGUF file"),
        (b"", "has 0 bytes"),
        (b"GGUF" + struct.pack("<IQQ", 1, 0, 0), "of version 1"),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "little-endian"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 0), "cannot be"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 0), "names no architecture"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"a" + struct.pack("<IIQ", 9, 9, 1), "arrays within arrays"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"a" + struct.pack("<I", 77), "of the type 77"),
    ],
)
def test_what_is_no_head_is_named(tmp_path, made, said):
    path = tmp_path / "made.gguf"
    path.write_bytes(made)
    assert said in refusal(path)


def test_a_file_without_a_tokenizer_is_no_language_model(tmp_path):
    assert "no tokenizer" in refusal(tiny_gguf(tmp_path / "bare.gguf", tokenizer=False))


def test_a_part_that_lacks_is_named(tmp_path):
    first = tiny_gguf(tmp_path / "big-00001-of-00003.gguf", **{"split.count": 3})
    tiny_gguf(tmp_path / "big-00003-of-00003.gguf", **{"split.count": 3})
    assert "big-00002-of-00003.gguf lack" in refusal(first)
    assert "says that it is one of 2 parts" in refusal(tiny_gguf(tmp_path / "one.gguf", **{"split.count": 2}))


def test_a_model_over_the_memory_is_refused_with_what_it_needs(whole, monkeypatch):
    head = read_header(whole)
    monkeypatch.setattr(allowance, "memory", lambda: 500_000_000)
    with pytest.raises(BatosError) as caught:
        sizing.share(head, 700_000_000, Inference())
    assert (caught.value.code, "0.5 GB are free" in caught.value.message) == ("OUT_OF_MEMORY", True)


@pytest.mark.parametrize(("free", "context"), [(1 << 40, 32_768), (600_000_000, 32_768), (401_000_000, 2048)])
def test_the_context_follows_the_memory_that_is_left(whole, monkeypatch, free, context):
    monkeypatch.setattr(allowance, "memory", lambda: free)
    given = sizing.share(read_header(whole), 0, Inference(prefix_bytes=0))
    assert (given.context, given.longest) == (context, 1024)


def test_threads_are_as_wanted_and_no_more_than_there_are_cores(whole, monkeypatch):
    monkeypatch.setattr(allowance, "physical_cores", lambda: 4)
    monkeypatch.setattr(allowance, "cores", lambda: 8)
    head = read_header(whole)
    assert [sizing.share(head, 0, Inference(threads=wanted)).threads for wanted in (0, 1, 6, 99)] == [4, 1, 6, 8]


def test_a_copy_is_hashed_tells_how_far_it_is_and_notices_a_change(whole, tmp_path, monkeypatch):
    said = []
    source = keeping.find(whole)
    made = keeping.copy(source, tmp_path / "copy", said.append)
    again = keeping.copy(source, tmp_path / "again", said.append)
    assert made.digest == again.digest
    assert len(made.digest) == 64
    assert made.files["tiny.gguf"].read_bytes() == whole.read_bytes()
    assert said[-1] == "copying tiny.gguf into the world, 100 %"
    with pytest.raises(BatosError, match="was changed while it was copied"):
        keeping.copy(source._replace(stamp="before"), tmp_path / "copy", said.append)


def test_a_copy_that_the_disk_has_no_room_for_is_not_begun(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(keeping.shutil, "disk_usage", lambda _: keeping.shutil._ntuple_diskusage(9, 8, 1))
    with pytest.raises(BatosError) as caught:
        keeping.copy(keeping.find(whole), tmp_path / "copy", lambda _: None)
    assert (caught.value.code, list((tmp_path / "copy").iterdir())) == ("STORAGE", [])
