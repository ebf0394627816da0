"""The type of numbers that is computed in: what is faster here, while what is kept stays as it came."""

from __future__ import annotations

import pytest
import torch

from actors.inference.model import allowance, incarnation, kernels
from actors.inference.model.device import placement

from ..kinds import model_folder

PLAIN = {"quantization": "none", "device_bytes": 0, "memory_bytes": 0, "folder": None}


@pytest.fixture
def slow(monkeypatch):
    """A processor that has no instructions for 16 bits."""
    monkeypatch.setattr(kernels, "faster", lambda narrow=torch.bfloat16: torch.float32)


@pytest.fixture
def fast(monkeypatch):
    """A processor that has them."""
    monkeypatch.setattr(kernels, "faster", lambda narrow=torch.bfloat16: narrow)


def kept(tmp_path, name, dtype="auto"):
    """A bfloat16 model as the world keeps it, and its digest."""
    folder = model_folder(tmp_path / f"{name}-model", "Llama", dtype=torch.bfloat16)
    manifest = incarnation.convert(incarnation.find(str(folder), dtype), tmp_path / name, dtype)
    return {file: tmp_path / name / file for file in manifest.files}, manifest.digest


def types(files):
    from safetensors import safe_open

    with safe_open(files["model.safetensors"], framework="pt") as held:
        return {held.get_slice(name).get_dtype() for name in held.keys()}  # noqa: SIM118 - it is no mapping


def test_a_slow_processor_computes_in_32_bits_and_keeps_what_came(tmp_path, slow):
    files, digest = kept(tmp_path, "slow")
    loaded = incarnation.load(files, device="cpu")
    assert (loaded.model.dtype, loaded.dtype, types(files)) == (torch.float32, torch.bfloat16, {"BF16"})
    assert {one.dtype for one in loaded.model.parameters()} == {torch.float32}
    assert digest == kept(tmp_path, "named", "bfloat16")[1]


def test_a_fast_processor_keeps_the_same_and_computes_in_16(tmp_path, fast, monkeypatch):
    files, digest = kept(tmp_path, "fast")
    loaded = incarnation.load(files, device="cpu")
    assert (loaded.model.dtype, loaded.dtype) == (torch.bfloat16, torch.bfloat16)
    monkeypatch.setattr(kernels, "faster", lambda _narrow: torch.float32)
    assert kept(tmp_path, "again")[1] == digest


def test_a_type_that_is_named_is_computed_in(tmp_path, slow):
    files, _ = kept(tmp_path, "named", "bfloat16")
    assert incarnation.load(files, device="cpu", dtype="bfloat16").model.dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("free", "limits", "dtype"),
    [
        (4_000, {}, torch.float32),
        (2_000, {}, torch.bfloat16),
        (4_000, {"memory_bytes": 1_999}, torch.bfloat16),
        (4_000, {"device_bytes": 2_000}, torch.float32),
    ],
)
def test_32_bits_are_taken_only_where_they_fit(slow, monkeypatch, free, limits, dtype):
    monkeypatch.setattr(allowance, "memory", lambda: free)
    assert placement("cpu", "auto", weights=1_000, **{**PLAIN, **limits})["dtype"] == dtype


def test_four_bits_are_computed_in_the_type_that_is_kept(slow):
    assert placement("cpu", "auto", **{**PLAIN, "quantization": "nf4"})["dtype"] == torch.bfloat16


def measured(monkeypatch, seconds):
    """`faster`, where a product takes these seconds by its type."""
    now = [0.0]

    def product(x, _weight):
        now[0] += seconds[x.dtype]

    monkeypatch.setattr(kernels.functional, "linear", product)
    monkeypatch.setattr(kernels.time, "perf_counter", lambda: now[0])
    return kernels.faster.__wrapped__(torch.bfloat16)


@pytest.mark.parametrize(
    ("wide", "narrow", "chosen"),
    [(1.0, 5.0, torch.float32), (1.0, 1.2, torch.bfloat16), (1.0, 0.5, torch.bfloat16)],
)
def test_what_is_clearly_faster_is_chosen(monkeypatch, wide, narrow, chosen):
    assert measured(monkeypatch, {torch.float32: wide, torch.bfloat16: narrow}) == chosen


def test_this_processor_is_measured_once():
    kernels.faster.cache_clear()
    assert kernels.faster(torch.bfloat16) is kernels.faster(torch.bfloat16)
    assert kernels.faster.cache_info().misses == 1
