"""An expert as a folder that PEFT and model servers read: one configuration, one safetensors file.

All matrices have the expert's rank, where a linear has less with zeros, and alpha equals the rank, so that the scaling
is 1 by anybody's reading: patterns of ranks and alphas are what readers disagree about.
"""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import save_file

from actors.inference.weights.expert import Expert
from actors.inference.weights.lora import CONFIG, WEIGHTS, Shape


class ExportedPair(NamedTuple):
    """What the expert adds to the linear `name`: A [rank, inputs] and B [rank, outputs], as the bank holds them."""

    name: str
    a: torch.Tensor
    b: torch.Tensor


def pairs(expert: Expert, shapes: Mapping[str, Shape]) -> Iterator[ExportedPair]:
    """The expert's matrices, for each linear that it changes; views of its bytes."""
    parts = iter(expert.parts)
    for (name, shape), rank in zip(shapes.items(), expert.ranks, strict=True):
        if rank:
            yield ExportedPair(name, next(parts).view(rank, shape.inputs), next(parts).view(rank, shape.outputs))


def export(expert: Expert, shapes: Mapping[str, Shape], folder: Path, base: str) -> None:
    """Write the expert into `folder`, whole or not at all; `base` is what its readers are told of the base model.

    Whoever may read the folder around it may read it: it is written for them.
    """
    rank = max(expert.ranks)
    weights: dict[str, torch.Tensor] = {}
    names: list[str] = []
    for name, a, b in pairs(expert, shapes):
        names.append(name)
        missing = (0, 0, 0, rank - a.shape[0])
        weights[f"base_model.model.{name}.lora_A.weight"] = torch.nn.functional.pad(a, missing).contiguous()
        weights[f"base_model.model.{name}.lora_B.weight"] = torch.nn.functional.pad(b, missing).t().contiguous()
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": rank,
        "lora_alpha": rank,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": names,
        "inference_mode": True,
    }
    fresh = folder.with_name(f".{folder.name}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    save_file(weights, fresh / WEIGHTS, metadata={"format": "pt"})
    (fresh / CONFIG).write_text(json.dumps(config, indent=1), encoding="utf-8")
    around = stat.S_IMODE(folder.parent.stat().st_mode)
    for file in (fresh / WEIGHTS, fresh / CONFIG):
        file.chmod(0o600 | around & 0o044)
    fresh.chmod(0o700 | around & 0o055)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
