"""The format: its bytes follow from the weights alone, and bytes that are others are never served."""

from __future__ import annotations

import hashlib

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open

from actors.inference.weights.expert import Content, Layout, read_expert, write_expert
from actors.inference.weights.lora import Adapter, Pair, Shape
from protocol.errors import BatosError

SHAPES = {"one": Shape(6, 4), "two": Shape(3, 5), "three": Shape(2, 2)}
LAYOUT = Layout(SHAPES, "ba5e" * 16, torch.bfloat16, 4)


def made(ranks, seed=0):
    torch.manual_seed(seed)
    pairs = {
        name: Pair(torch.randn(rank, shape.inputs), torch.randn(shape.outputs, rank))
        for name, shape in SHAPES.items()
        if (rank := ranks.get(name))
    }
    return Adapter(max(ranks.values()), 8.0, pairs)


def written(folder, adapter, layout=LAYOUT, name="robin"):
    path = folder / f"{len(list(folder.iterdir()))}"
    manifest = write_expert(adapter, layout, path)
    return Content(name, manifest.sha256, manifest.base_model, manifest.rank, manifest.bytes, path, manifest.invocation)


@settings(max_examples=25)
@given(
    st.fixed_dictionaries({name: st.integers(0, 4) for name in SHAPES}).filter(lambda ranks: any(ranks.values())),
    st.sampled_from([torch.bfloat16, torch.float16, torch.float32]),
    st.integers(0, 99),
)
def test_what_is_written_is_read(tmp_path_factory, ranks, kind, seed):
    folder, layout, adapter = tmp_path_factory.mktemp("expert"), LAYOUT._replace(dtype=kind), made(ranks, seed)
    content = written(folder, adapter, layout)
    assert content.sha256 == hashlib.sha256(content.path.read_bytes()).hexdigest()
    expert = read_expert(content, layout)
    assert expert.ranks == tuple(ranks[name] for name in SHAPES)
    parts = iter(expert.parts)
    for pair in adapter.pairs.values():
        assert torch.equal(next(parts), pair.a.to(kind).reshape(-1))
        assert torch.equal(next(parts), pair.b.t().to(kind).reshape(-1))
    assert next(parts, None) is None
    with safe_open(content.path, framework="pt") as file:
        for name, pair in adapter.pairs.items():
            assert torch.equal(file.get_tensor(f"{name}.B"), pair.b.t().to(kind))


def test_the_same_weights_are_the_same_content(tmp_path):
    first, again = (written(tmp_path, made({"one": 2, "two": 3}), name=name) for name in ("robin", "brick"))
    assert first.sha256 == again.sha256
    assert written(tmp_path, made({"one": 2, "two": 3}, seed=1)).sha256 != first.sha256
    other = LAYOUT._replace(base_model="0" * 64)
    assert written(tmp_path, made({"one": 2, "two": 3}), other).sha256 != first.sha256


def test_an_invocation_is_a_part_of_the_content(tmp_path):
    adapter = made({"one": 2})
    plain, one, other = (written(tmp_path, adapter._replace(invocation=tokens)) for tokens in ((), (5, 7), (5, 8)))
    assert len({content.sha256 for content in (plain, one, other)}) == 3
    assert (plain.invocation, one.invocation) == ((), (5, 7))
    with safe_open(plain.path, framework="pt") as file:
        assert set(file.metadata()) == {"format", "base_model", "rank", "alpha"}
    assert torch.equal(read_expert(one, LAYOUT).flat, read_expert(plain, LAYOUT).flat)
    for content in (one._replace(invocation=()), plain._replace(invocation=(5, 7)), one._replace(invocation=(5, 8))):
        assert "invocation" in refused(content).message


@settings(max_examples=40)
@given(st.data())
def test_one_flipped_bit_anywhere_is_found(tmp_path_factory, data):
    content = written(tmp_path_factory.mktemp("expert"), made({"one": 2, "three": 1}))
    raw = bytearray(content.path.read_bytes())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    content.path.write_bytes(raw)
    assert "not those that were imported" in refused(content).message


@pytest.mark.parametrize("keep", [0, 1, 8, 100, -1])
def test_a_truncated_file_is_found(tmp_path, keep):
    content = written(tmp_path, made({"one": 2}))
    content.path.write_bytes(content.path.read_bytes()[:keep])
    refused(content)


def test_a_file_that_is_gone_is_named(tmp_path):
    content = written(tmp_path, made({"one": 2}))
    content.path.unlink()
    assert "robin" in refused(content).message


@pytest.mark.parametrize(
    "layout",
    [
        LAYOUT._replace(base_model="0" * 64),
        LAYOUT._replace(rank=1),
        LAYOUT._replace(dtype=torch.float16),
        LAYOUT._replace(shapes={"one": Shape(6, 4)}),
        LAYOUT._replace(shapes=SHAPES | {"two": Shape(5, 3)}),
    ],
)
def test_what_does_not_fit_the_model_or_the_bank_is_refused(tmp_path, layout):
    refused(written(tmp_path, made({"one": 2, "two": 1})), layout)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0" * 8,
        b"\xff" * 16,
        (2).to_bytes(8, "little") + b"{}",
        (20).to_bytes(8, "little") + b'{"__metadata__":{}} ',
        (60).to_bytes(8, "little") + b'{"__metadata__":{"format":"x","base_model":"y"},"one.A":[]}  ',
    ],
)
def test_a_file_that_is_none_is_refused_though_its_digest_is_right(tmp_path, raw):
    path = tmp_path / "expert"
    path.write_bytes(raw)
    refused(Content("robin", hashlib.sha256(raw).hexdigest(), LAYOUT.base_model, 2, len(raw), path))


def test_a_file_with_a_number_that_is_none_is_refused_though_its_digest_is_right(tmp_path):
    content = written(tmp_path, made({"one": 2}))
    raw = content.path.read_bytes()[:-2] + b"\xc0\x7f"
    content.path.write_bytes(raw)
    assert "not finite" in refused(content._replace(sha256=hashlib.sha256(raw).hexdigest())).message


def refused(content, layout=LAYOUT):
    with pytest.raises(BatosError) as caught:
        read_expert(content, layout)
    assert caught.value.code == "BAD_EXPERT"
    assert caught.value.hint
    return caught.value
