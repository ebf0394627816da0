"""Fused linears against the plain ones that they were."""

from __future__ import annotations

import copy

import pytest
import torch
from accelerate.hooks import ModelHook, add_hook_to_module
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM

from actors.inference.decoding.bank import linears
from actors.inference.model.fusing import Fused, Part, fuse

CONFIG = LlamaConfig(
    vocab_size=96,
    hidden_size=64,
    intermediate_size=160,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    attention_bias=True,
)


def model(dtype=torch.bfloat16, **changes):
    torch.manual_seed(3)
    made = LlamaForCausalLM._from_config(CONFIG, dtype=dtype)
    for name, value in changes.items():
        setattr(made.model.layers[0].self_attn, name, value)
    return made.eval()


def parts(fused):
    return {name for name, module in fused.named_modules() if isinstance(module, Part)}


@pytest.mark.parametrize("shape", [(1, 1), (4, 1), (3, 7), (1, 64)])
def test_a_fused_model_says_the_same_bit_for_bit(shape):
    plain = model()
    fused = copy.deepcopy(plain)
    fuse(fused)
    ids = torch.arange(shape[0] * shape[1]).view(shape) % 96
    with torch.inference_mode():
        assert torch.equal(fused(ids).logits, plain(ids).logits)


@pytest.mark.parametrize("batch", [1, 4, 20])
@pytest.mark.parametrize("tokens", [1, 7])
def test_a_fused_model_in_32_bits_says_the_same_to_the_last_bits(batch, tokens):
    """Bit for bit where it was measured; a kernel may cut a wider product otherwise, which is a matter of the last bits."""
    plain = model(torch.float32)
    fused = copy.deepcopy(plain)
    fuse(fused)
    ids = torch.arange(batch * tokens).view(batch, tokens) * 7 % 96
    with torch.inference_mode():
        told, meant = fused(ids).logits, plain(ids).logits
    assert (told - meant).abs().max() <= 8 * torch.finfo(torch.float32).eps * meant.abs().max()
    assert torch.equal(told.argmax(-1), meant.argmax(-1))


def test_linears_that_read_the_same_input_are_one_product():
    fused = model()
    before, numbers = linears(fused), sum(one.numel() for one in fused.parameters())
    fuse(fused)
    assert sum(one.numel() for one in fused.parameters()) == numbers
    assert {name: shape for name, shape in linears(fused).items() if "_fused" not in name} == before
    layer = fused.model.layers[0]
    assert layer.self_attn.q_proj._fused is layer.self_attn.k_proj._fused is layer.self_attn.v_proj._fused
    assert layer.mlp.gate_proj._fused is layer.mlp.up_proj._fused
    assert layer.self_attn.q_proj._fused.sizes == [64, 32, 32]


def test_a_processor_of_16_bits_packs_all_and_other_types_are_left_as_they_are():
    packs = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    fused = model()
    fuse(fused)
    assert fused.lm_head.weight.is_mkldnn == fused.model.layers[0].mlp.down_proj.weight.is_mkldnn == packs
    assert not fused.model.embed_tokens.weight.is_mkldnn
    whole = model(torch.float32)
    fuse(whole)
    last = {name.rpartition(".")[2] for name in parts(whole)}
    assert last == {"q_proj", "k_proj", "v_proj", "gate_proj", "up_proj"}
    assert type(whole.lm_head) is nn.Linear


def test_what_has_a_hook_or_no_weights_or_another_shape_is_left():
    hooked = nn.Linear(64, 64, bias=True).bfloat16()
    add_hook_to_module(hooked, ModelHook())
    for changes in (
        {"k_proj": nn.Linear(64, 32, device="meta")},
        {"q_proj": hooked},
        {"v_proj": nn.Identity()},
    ):
        fused = model(**changes)
        fuse(fused)
        name, left = next(iter(changes.items()))
        attention = fused.model.layers[0].self_attn
        assert getattr(attention, name) is left
        assert not any(len(part._fused.sizes) == 3 for part in attention.children() if isinstance(part, Part))
    unlike = model(q_proj=nn.Linear(64, 64, bias=False).bfloat16())
    fuse(unlike)
    assert {"gate_proj", "up_proj"} <= {name.rpartition(".")[2] for name in parts(unlike)}
    assert "model.layers.1.self_attn.q_proj" in parts(unlike)
    assert all(
        len(part._fused.sizes) == 1 for part in unlike.model.layers[0].self_attn.children() if hasattr(part, "_fused")
    )


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=12))
def test_whoever_asks_in_whatever_order_is_told_what_it_would_say_itself(asked):
    torch.manual_seed(5)
    alone = [nn.Linear(8, size) for size in (6, 4, 4)]
    inputs = [torch.randn(2, 3, 8) for _ in range(4)]
    fused = Fused(alone)
    with torch.no_grad():
        for place, which in asked:
            torch.testing.assert_close(fused.part(place, inputs[which]), alone[place](inputs[which]))


def test_what_was_told_once_may_be_changed_and_is_computed_again():
    fused = Fused([nn.Linear(8, 4), nn.Linear(8, 4)])
    x = torch.randn(1, 1, 8)
    with torch.no_grad():
        first = fused.part(0, x)
        kept = first.clone()
        first.add_(1)
        assert torch.equal(fused.part(0, x), kept)
