"""Linears that read the same input, computed as one product.

A token at a time, a step of the model is the reading of its weights, and every product costs a call. Queries, keys and
values read one input, and so do gate and up: one product, over the matrices below each other, says what all of them say.
Whatever is plain is packed too where that makes it faster, the output embeddings among it. What is quantized, or brought
in from elsewhere when it is needed, stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import torch
from torch import nn

from actors.inference.model.packing import linear, pack, packs

SIBLINGS: Final = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))
"""Names, in one module, of linears that read the same input: those of Llama and of all that descend from it."""


class Fused(nn.Module):
    """Linears of one input as one."""

    def __init__(self, members: Sequence[nn.Linear]) -> None:
        super().__init__()
        self.sizes = [member.out_features for member in members]
        biases = [value for member in members for name, value in member.named_parameters() if name == "bias"]
        self.weight = nn.Parameter(pack(_joined([member.weight for member in members])), requires_grad=False)
        self.bias = nn.Parameter(_joined(biases), requires_grad=False) if biases else None
        self._input: torch.Tensor | None = None
        self._parts: list[torch.Tensor | None] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """What all of them say, one after the other: [..., inputs] to [..., sum of the sizes]."""
        return linear(x, self.weight, self.bias)

    def part(self, place: int, x: torch.Tensor) -> torch.Tensor:
        """What the one at `place` says to `x`. Who asks first has it computed for all; each is told once."""
        if len(self.sizes) == 1:
            return self.forward(x)
        part = self._parts[place] if self._input is x else None
        if part is None:
            self._input = x
            self._parts = list(torch.split(self.forward(x), self.sizes, dim=-1))
            part = self._parts[place]
            assert part is not None
        self._parts[place] = None
        if all(other is None for other in self._parts):
            self._input = None
        return part


class Part(nn.Module):
    """One of the linears of a `Fused`, in the place of the one it was."""

    def __init__(self, fused: Fused, place: int, member: nn.Linear) -> None:
        super().__init__()
        self.in_features = member.in_features
        self.out_features = member.out_features
        self.weight = fused.weight
        self._fused = fused
        self._place = place

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self._fused.part(self._place, x)


def fuse(model: Any) -> None:
    """Fuse and pack the model's plain linears, in place. From then on it is for inference only."""
    with torch.no_grad():
        for parent, names in list(_groups(model)):
            members = [getattr(parent, name) for name in names]
            fused = Fused(members)
            for place, (name, member) in enumerate(zip(names, members, strict=True)):
                setattr(parent, name, Part(fused, place, member))


def _groups(model: Any) -> Iterator[tuple[nn.Module, tuple[str, ...]]]:
    """The modules that have plain linears, and which of these become one."""
    for parent in model.modules():
        plain = [name for name, child in parent.named_children() if _is_plain(child)]
        for siblings in SIBLINGS:
            if set(siblings) <= set(plain) and _are_alike([getattr(parent, name) for name in siblings]):
                plain = [name for name in plain if name not in siblings]
                yield parent, siblings
        yield from ((parent, (name,)) for name in plain if packs(getattr(parent, name).weight))


def _is_plain(module: nn.Module) -> bool:
    return type(module) is nn.Linear and not hasattr(module, "_hf_hook") and module.weight.device.type != "meta"


def _are_alike(members: Sequence[nn.Linear]) -> bool:
    kinds = {(one.in_features, one.bias is None, one.weight.dtype, one.weight.device) for one in members}
    return len(kinds) == 1


def _joined(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    return tensors[0] if len(tensors) == 1 else torch.cat(list(tensors))
