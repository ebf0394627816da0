"""Matrices of 16-bit numbers in the order in which a CPU multiplies them.

oneDNN brings a matrix into an order of its own before it multiplies. Where that is done once, it is not done at each
step: the reading of the weights, of which a step of decoding consists, then takes half of the time, and the numbers stay
the same. The calls are those that torch makes itself when it freezes a model for a CPU (`torch._inductor`, mkldnn);
where this torch or this CPU has none of them, a matrix stays as it is.
"""

from __future__ import annotations

from typing import Any, Final

import torch
from torch.nn import functional

_reorder: Final[Any] = getattr(torch.ops.mkldnn, "_reorder_linear_weight", None)
_multiply: Final[Any] = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
_has_kernels: Final[Any] = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)


def packs(weight: torch.Tensor) -> bool:
    """Whether `pack` would change this matrix."""
    fits = weight.device.type == "cpu" and weight.dtype == torch.bfloat16 and not weight.is_mkldnn
    return fits and None not in (_reorder, _multiply, _has_kernels) and bool(_has_kernels())


def pack(weight: torch.Tensor) -> torch.Tensor:
    """The matrix [outputs, inputs] for `linear`, packed where that is possible; then it is a copy, and opaque."""
    if not packs(weight):
        return weight
    # The number of rows is a hint for the order; one serves all.
    packed: torch.Tensor = _reorder(weight.detach(), 1)
    return packed


def linear(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """x·weightᵀ + bias, [..., inputs] to [..., outputs], for a matrix that `pack` has returned."""
    if not weight.is_mkldnn:
        return functional.linear(x, weight, bias)
    product: torch.Tensor = _multiply(x, weight, bias, "none", [], "")
    return product
