"""A checkpoint: all that a training is, in one file that is there whole or not at all.

Weights and the optimizer's two moments of each, with the step and the digest of what is trained: data, settings and
base model. It is written beside its place, synced, and moved there, so that whatever is killed, the last one stays.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from protocol.errors import BatosError

FILE: Final = "checkpoint.safetensors"
FORMAT: Final = "batos-training-1"


class Checkpoint(NamedTuple):
    """`digest` is that of the training, `step` how many are done, `tensors` weights and moments by name."""

    digest: str
    step: int
    tensors: dict[str, torch.Tensor]


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Put the checkpoint in the place of the one before; STORAGE where the disk does not take it."""
    metadata = {"format": FORMAT, "digest": checkpoint.digest, "step": str(checkpoint.step)}
    write_whole(folder / FILE, save(dict(checkpoint.tensors), metadata=metadata))


def read_checkpoint(folder: Path) -> Checkpoint | None:
    """The checkpoint in `folder`, or None; UNREADABLE where it is none of this program's."""
    path = folder / FILE
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            metadata: Mapping[str, str] = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - it is no mapping
        if metadata["format"] != FORMAT:
            raise KeyError(metadata["format"])  # noqa: TRY301 - one refusal for all
        return Checkpoint(metadata["digest"], int(metadata["step"]), tensors)
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise BatosError("UNREADABLE", f"{path} is no checkpoint: {error}", "Begin anew: --restart.") from error


def write_whole(path: Path, data: bytes) -> None:
    """The file with this content, synced, or what was there before; STORAGE."""
    beside = path.with_name(f"{path.name}.new")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise BatosError(
            "STORAGE", f"cannot write {path}: {error.strerror}", "Is the disk full? The checkpoint before it stays."
        ) from error
