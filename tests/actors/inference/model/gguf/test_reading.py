from __future__ import annotations

from contextlib import suppress

import gguf
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

from actors.inference.model import incarnation
from actors.inference.model.gguf.header import read_header
from actors.inference.model.gguf.reading import dequantize, quickly

from ...ggufs import write

KINDS = ("F32", "Q8_0", "Q4_1", "F16", "Q5_0")


def read(path):
    return AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True)
    )


@pytest.mark.parametrize("tied", [False, True])
def test_what_is_read_quickly_is_what_transformers_reads_by_itself(tmp_path, tied):
    path = write(tmp_path / "model.gguf", kinds=KINDS, tied=tied)
    slow = read(path)
    told = []
    with quickly(read_header(path), lambda *done: told.append(done)):
        quick = read(path)
    assert quick.config.to_dict() == slow.config.to_dict()
    weights = slow.state_dict()
    assert quick.state_dict().keys() == weights.keys()
    assert all(torch.equal(weight, weights[name]) for name, weight in quick.state_dict().items())
    header = read_header(path)
    assert told[0] == (0, sum(tensor.bytes for tensor in header.tensors))
    assert len(told) == len(header.tensors)
    assert told == sorted(told)


def test_the_package_is_as_it_was_afterwards(tmp_path):
    before = (gguf.GGUFReader, gguf.dequantize, gguf.get_tensor_name_map)
    header = read_header(write(tmp_path / "model.gguf"))
    with quickly(header):
        assert gguf.GGUFReader is not before[0]
    with suppress(RuntimeError), quickly(header):
        raise RuntimeError
    assert (gguf.GGUFReader, gguf.dequantize, gguf.get_tensor_name_map) == before


@pytest.mark.parametrize(
    "kind", ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL"]
)
@settings(max_examples=15)
@given(rows=st.integers(1, 5), wide=st.sampled_from([256, 1024, 65536]), seed=st.integers(0, 9))
def test_numbers_are_those_that_gguf_says(kind, rows, wide, seed):
    kind = gguf.GGMLQuantizationType[kind]
    numbers, size = gguf.GGML_QUANT_SIZES[kind]
    held = np.random.default_rng(seed).integers(0, 60, (rows, wide // numbers * size), dtype=np.uint8)
    with np.errstate(all="ignore"):
        told = gguf.dequantize(held, kind)
    assert np.array_equal(dequantize(held, kind), told, equal_nan=True)


def test_a_gguf_file_is_converted_and_its_words_are_read_back(tmp_path):
    path = write(tmp_path / "model.gguf", kinds=KINDS)
    told = []
    made = incarnation.convert(
        incarnation.find(str(path)), tmp_path / "out", on_progress=lambda *done: told.append(done)
    )
    assert told
    loaded = incarnation.load({name: tmp_path / "out" / name for name in made.files})
    assert (loaded.context, loaded.stop) == (128, (256,))
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    assert tokenizer.decode(tokenizer("a lighthouse")["input_ids"]) == "a lighthouse"
