"""Experts to measure with: random, loud enough to be heard, as a file of ours and as a folder of PEFT's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import torch
from peft import LoraConfig
from safetensors.torch import save_file

from actors.inference.weights.expert import Content, Layout, write_expert
from actors.inference.weights.lora import Adapter, Pair, Shape

BASE: Final = "ba5e" * 16
"""The digest of whatever model is measured."""
SCALING: Final = 2.0
"""alpha / rank. A power of two, so that multiplying it in costs no bit."""
INVOCATION: Final = (3, 5, 7)
"""What aLoRA experts wait for; no drawn prompt holds these tokens (`stand.prompt`)."""
CONFIG: Final = "adapter_config.json"
WEIGHTS: Final = "adapter_model.safetensors"


class Sample(NamedTuple):
    """One expert as ours keeps it cold, and as PEFT reads it."""

    content: Content
    folder: Path


def random_adapter(shapes: Mapping[str, Shape], rank: int, seed: int, dtype: torch.dtype) -> Adapter:
    """Random matrices for these linears, which `dtype` holds without loss."""
    luck = torch.Generator().manual_seed(seed)
    pairs = {}
    for name, shape in shapes.items():
        a = torch.randn(rank, shape.inputs, generator=luck) * shape.inputs**-0.5
        b = torch.randn(shape.outputs, rank, generator=luck) * (0.1 * rank**-0.5)
        pairs[name] = Pair(a.to(dtype), SCALING * b.to(dtype))
    return Adapter(rank, SCALING * rank, pairs)


def keep(adapter: Adapter, layout: Layout, path: Path) -> Content:
    """The adapter as a cold expert at `path`."""
    made = write_expert(adapter, layout, path)
    return Content(path.stem, made.sha256, made.base_model, made.rank, made.bytes, path, made.invocation)


def save(adapter: Adapter, folder: Path) -> Path:
    """The adapter as `save_pretrained` writes one, its scaling in the configuration."""
    folder.mkdir()
    weights = {}
    for name, pair in adapter.pairs.items():
        weights[f"base_model.model.{name}.lora_A.weight"] = pair.a.contiguous()
        weights[f"base_model.model.{name}.lora_B.weight"] = (pair.b / SCALING).contiguous()
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    LoraConfig(
        task_type="CAUSAL_LM",
        r=adapter.rank,
        lora_alpha=int(adapter.alpha),
        target_modules=sorted({name.rpartition(".")[2] for name in adapter.pairs}),
        alora_invocation_tokens=list(adapter.invocation) or None,
        inference_mode=True,
    ).save_pretrained(str(folder))
    return folder


def samples(
    shapes: Mapping[str, Shape],
    dtype: torch.dtype,
    folder: Path,
    *,
    number: int,
    rank: int,
    invocation: tuple[int, ...] = (),
) -> tuple[Sample, ...]:
    """So many experts, both ways; aLoRA ones where there is an `invocation`."""
    layout = Layout(shapes, BASE, dtype, rank)
    made = []
    for seed in range(number):
        adapter = random_adapter(shapes, rank, seed, dtype)._replace(invocation=invocation)
        content = keep(adapter, layout, folder / f"expert{seed}.expert")
        made.append(Sample(content, save(adapter, folder / f"expert{seed}")))
    return tuple(made)
