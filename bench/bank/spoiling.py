"""Experts that must not be served: what is wrong with each, on its way in and once it is stored.

A case counts as served where a row can use the expert afterwards and nobody was told. After each refusal the
expert that served before must say what it said, bit for bit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from actors.inference.weights.expert import Content
from bench.bank.adapters import CONFIG, WEIGHTS

Weights = dict[str, torch.Tensor]

OTHER: Final = "07e5" * 16
"""The digest of a base model that is not loaded."""


def foreign() -> dict[str, Callable[[Path], None]]:
    """What can be wrong with an adapter's folder; each spoils it in place."""
    return {
        "half the keys": lambda folder: _change(
            folder, lambda weights: dict(list(weights.items())[: len(weights) // 2])
        ),
        "renamed modules": lambda folder: _change(
            folder, lambda weights: {key.replace("_proj", "_projection"): one for key, one in weights.items()}
        ),
        "rank is another than told": lambda folder: _change(folder, _narrower),
        "alpha is no number": lambda folder: _tell(folder, lora_alpha="sixteen"),
        "alpha is not finite": lambda folder: _tell(folder, lora_alpha=float("nan")),
        "NaN": lambda folder: _change(folder, _not_a_number),
        "a layer that the model does not have": lambda folder: _change(folder, _with_more),
        "truncated": lambda folder: _cut(folder / WEIGHTS),
        "other base model": lambda folder: _tell(folder, base_model_digest=OTHER, base_model_name_or_path="another"),
    }


def stored() -> dict[str, Callable[[Content], Content]]:
    """What can be wrong with an expert's file and what is told of it; each leaves the good file alone."""
    return {
        "a flipped bit in the stored file": lambda content: _rewritten(content, _flipped, honest=False),
        "stored file truncated": lambda content: _rewritten(content, lambda raw: raw[:-4096], honest=False),
        "NaN in the stored file": lambda content: _rewritten(content, _with_nan, honest=True),
        "half a stored file, rehashed": lambda content: _rewritten(
            content, lambda raw: raw[: len(raw) // 2], honest=True
        ),
        "stored for another base model": lambda content: content._replace(base_model=OTHER),
        "header of another base model": lambda content: _rewritten(
            content, lambda raw: raw.replace(content.base_model.encode(), OTHER.encode(), 1), honest=True
        ),
    }


def flip(path: Path) -> None:
    """One bit in the middle of the file is another."""
    path.write_bytes(_flipped(path.read_bytes()))


def _flipped(raw: bytes) -> bytes:
    middle = len(raw) // 2
    return raw[:middle] + bytes([raw[middle] ^ 1]) + raw[middle + 1 :]


def _with_nan(raw: bytes) -> bytes:
    """The last four bytes are all ones, which is no number in any of the types."""
    return raw[:-4] + b"\xff" * 4


def _rewritten(content: Content, change: Callable[[bytes], bytes], *, honest: bool) -> Content:
    """Where it is `honest`, the sha256 is that of the changed bytes: the hash alone cannot find what is wrong."""
    raw = change(content.path.read_bytes())
    path = content.path.with_suffix(".spoiled")
    path.write_bytes(raw)
    told = hashlib.sha256(raw).hexdigest() if honest else content.sha256
    return content._replace(name="spoiled", sha256=told, path=path, bytes=len(raw))


def _change(folder: Path, work: Callable[[Weights], Weights]) -> None:
    with safe_open(folder / WEIGHTS, framework="pt") as file:
        weights = {key: file.get_tensor(key).clone() for key in sorted(file.keys())}
    save_file(work(weights), folder / WEIGHTS, metadata={"format": "pt"})


def _narrower(weights: Weights) -> Weights:
    """Half of the rank that the configuration tells."""
    return {
        key: (one[: one.shape[0] // 2] if ".lora_A." in key else one[:, : one.shape[1] // 2]).contiguous()
        for key, one in weights.items()
    }


def _not_a_number(weights: Weights) -> Weights:
    next(iter(weights.values())).view(-1)[0] = float("nan")
    return weights


def _with_more(weights: Weights) -> Weights:
    key, one = next(iter(weights.items()))
    return {**weights, key.replace("layers.0", "layers.9999"): one.clone()}


def _tell(folder: Path, **told: Any) -> None:
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**config, **told}))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-4096])
