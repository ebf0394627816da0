"""What a LoRA is made of: the linears that it may change, and the two matrices that it adds to each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import torch

WEIGHTS: Final = "adapter_model.safetensors"
CONFIG: Final = "adapter_config.json"
"""The files of an adapter, as PEFT names them."""


class Shape(NamedTuple):
    """A linear of the base model: how many numbers go in, and how many come out."""

    inputs: int
    outputs: int


class Pair(NamedTuple):
    """What an adapter adds to one linear: `y + x·Aᵀ·Bᵀ`, with `a` [rank, inputs] and `b` [outputs, rank], scaled."""

    a: torch.Tensor
    b: torch.Tensor


class Adapter(NamedTuple):
    """An adapter that has passed: `pairs` by the name of the linear, in the model's order; `rank` is the largest one.

    `invocation` are the tokens of a prompt from whose last occurrence on it changes the model; empty: it always does.
    """

    rank: int
    alpha: float
    pairs: dict[str, Pair]
    invocation: tuple[int, ...] = ()
