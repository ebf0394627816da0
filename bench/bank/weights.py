"""Models of random weights, made where they are used: nothing is downloaded, and two of a kind are equal."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import nn
from transformers import AutoModelForCausalLM, LlamaConfig

from actors.inference.decoding.bank import linears

LARGE: Final[dict[str, int]] = {
    "hidden_size": 4096,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "intermediate_size": 14336,
    "vocab_size": 128256,
}
"""Llama-3.1-8B."""
SMALL: Final[dict[str, int]] = {
    "hidden_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 256,
    "vocab_size": 512,
}
"""As wide as four bits need: 64 weights share a scale."""


class Numbers:
    """How random weights spell: a token is its number."""

    def decode(self, tokens: Sequence[int]) -> bytes:
        return b"".join(b"%d " % token for token in tokens)


def random_model(shape: dict[str, int], device: str, dtype: torch.dtype, *, nf4: bool = False) -> Any:
    """A Llama of this shape; where `nf4`, its linears (but for the output) are bitsandbytes' in four bits."""
    torch.manual_seed(0)
    config = LlamaConfig(**shape, max_position_embeddings=2048)  # type: ignore[arg-type]
    with torch.device(device):
        model: Any = AutoModelForCausalLM.from_config(  # type: ignore[no-untyped-call]
            config, dtype=dtype, attn_implementation="sdpa"
        )
    if nf4:
        for name in linears(model):
            path, _, last = name.rpartition(".")
            parent = model.get_submodule(path)
            setattr(parent, last, _in_four_bits(getattr(parent, last), device, dtype))
        model.is_loaded_in_4bit = True
    return model.eval().requires_grad_(requires_grad=False)


def twin(model: Any) -> Any:
    """The same model once more, to be wrapped in another way, over the same weights."""
    return copy.deepcopy(model, {id(one): one for one in (*model.parameters(), *model.buffers())})


def _in_four_bits(linear: nn.Linear, device: str, dtype: torch.dtype) -> nn.Module:
    from bitsandbytes.nn.modules import Linear4bit, Params4bit  # noqa: PLC0415 - not everywhere

    packed: Any = Linear4bit(  # type: ignore[no-untyped-call]
        linear.in_features, linear.out_features, bias=False, compute_dtype=dtype, quant_type="nf4", device="meta"
    )
    packed.weight = Params4bit(linear.weight.data, requires_grad=False, quant_type="nf4")
    quantized: nn.Module = packed.to(device)
    return quantized
