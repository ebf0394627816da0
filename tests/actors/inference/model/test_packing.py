"""Packed products against plain ones."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from actors.inference.model import packing
from actors.inference.model.packing import linear, pack, packs


@pytest.mark.skipif(not packs(torch.zeros(2, 2, dtype=torch.bfloat16)), reason="this CPU or torch does not pack")
@pytest.mark.parametrize("rows", [1, 4, 33, 256])
@pytest.mark.parametrize("biased", [False, True])
def test_a_packed_product_is_the_plain_one_bit_for_bit(rows, biased):
    torch.manual_seed(1)
    weight, x = torch.randn(96, 64).bfloat16(), torch.randn(1, rows, 64).bfloat16()
    bias = torch.randn(96).bfloat16() if biased else None
    packed = pack(weight)
    assert packed.is_mkldnn
    assert not packs(packed)
    assert torch.equal(linear(x, packed, bias), functional.linear(x, weight, bias))


def test_other_types_are_left_as_they_are():
    for dtype in (torch.float32, torch.float16):
        weight = torch.ones(3, 2, dtype=dtype)
        assert pack(weight) is weight
        assert torch.equal(linear(torch.ones(1, 2, dtype=dtype), weight, None), torch.full((1, 3), 2, dtype=dtype))


@pytest.mark.parametrize("lacking", ["_reorder", "_multiply", "_has_kernels"])
def test_a_torch_without_these_calls_packs_nothing(monkeypatch, lacking):
    monkeypatch.setattr(packing, lacking, None)
    weight = torch.ones(3, 2, dtype=torch.bfloat16)
    assert pack(weight) is weight
