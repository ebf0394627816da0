"""Experts as folders for other readers: what is exported and read in again is the same expert."""

from __future__ import annotations

import json
import os
import stat

import pytest
import torch
from safetensors.torch import load_file

from actors.inference.weights.expert import read_expert
from actors.inference.weights.export import export, pairs


@pytest.fixture
def opened(engine, taken):
    """The verified weights of an adapter's folder."""
    layout = engine.tiers.layout
    return lambda name, folder: read_expert(taken(engine, name, folder), layout)


def test_what_is_exported_is_read_in_as_the_same_expert(engine, opened, adapter, tmp_path):
    expert = opened("brick", adapter("brick", seed=3, lora_alpha=12))
    export(expert, engine.tiers.layout.shapes, tmp_path / "out", "tiny")
    again = opened("again", tmp_path / "out")
    assert (again.ranks, torch.equal(again.flat, expert.flat)) == (expert.ranks, True)
    assert not (tmp_path / ".out").exists()


def test_ranks_are_made_even_with_zeros_and_what_stays_is_left_out(engine, opened, adapter, tmp_path):
    config = {"r": 8, "rank_pattern": {"q_proj": 2}, "target_modules": ["q_proj", "v_proj"]}
    expert = opened("robin", adapter("robin", seed=4, **config))
    export(expert, engine.tiers.layout.shapes, tmp_path / "out", "tiny")
    weights = load_file(tmp_path / "out" / "adapter_model.safetensors")
    told = json.loads((tmp_path / "out" / "adapter_config.json").read_text())
    assert (told["r"], told["lora_alpha"], told["base_model_name_or_path"]) == (8, 8, "tiny")
    assert len(weights) == 2 * len(told["target_modules"]) == 8
    for name, a, b in pairs(expert, engine.tiers.layout.shapes):
        wide_a = weights[f"base_model.model.{name}.lora_A.weight"]
        wide_b = weights[f"base_model.model.{name}.lora_B.weight"]
        assert (wide_a.shape[0], wide_b.shape[1]) == (8, 8)
        assert a.shape[0] == (2 if "q_proj" in name else 8)
        assert torch.equal(wide_b @ wide_a, b.t() @ a)


@pytest.mark.parametrize("around", [0o700, 0o755, 0o750])
def test_whoever_may_enter_the_folder_around_may_read_what_is_exported(engine, opened, adapter, tmp_path, around):
    expert = opened("brick", adapter("brick", seed=3))
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    exchange.chmod(around)
    before = os.umask(0o077)  # an actor's
    try:
        export(expert, engine.tiers.layout.shapes, exchange / "out", "tiny")
    finally:
        os.umask(before)
    assert stat.S_IMODE((exchange / "out").stat().st_mode) == around
    assert {stat.S_IMODE(path.stat().st_mode) for path in (exchange / "out").iterdir()} == {around & 0o666}
