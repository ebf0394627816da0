"""The bank: experts on the device, in slots that were there before them.

Around each linear of the model's layers stands `y + ((x·Aᵀ) ⊙ mask)·B` over all slots at once: A [slots·rank, inputs]
and B [slots·rank, outputs] hold a slot's matrices in consecutive rows, and the mask, one row for each row of the
batch, lets it see the slot of its own expert. So rows of one batch use different experts in two plain products. A slot
is filled by copying into storage that is never moved; what has no rank there is zero. Nothing is injected, and
where no row uses an expert nothing is added: then the outputs are the base model's, bit for bit.

On a CPU the slots are in float32 whatever the model's type: for products as thin as these, a 16-bit kernel costs more to
call than to run.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import torch
from torch import nn

from actors.inference.device import where_it_runs
from actors.inference.expert import Expert
from actors.inference.lora import Shape
from protocol.errors import BatosError

_KEPT_PLANS: Final = 64


class _Rows(NamedTuple):
    """The rows of the batch as the linears see them: the span of slots in use, and who sees what in it.

    `batch` is their number; `mask` [batch, 1, span·rank] is None where all rows use the one slot of the span.
    """

    batch: int
    first: int
    end: int
    mask: torch.Tensor | None


class BankedLinear(nn.Module):
    """A linear (or whatever computes one, a quantized one too) and the slots beside it."""

    def __init__(self, inner: nn.Module, shape: Shape, size: int, device: torch.device, dtype: torch.dtype) -> None:
        """`size` is slots · rank."""
        super().__init__()
        self.inner = inner
        self.a = torch.zeros(size, shape.inputs, device=device, dtype=dtype)
        self.b = torch.zeros(size, shape.outputs, device=device, dtype=dtype)
        self.rows: _Rows | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.inner(x)
        rows = self.rows
        if rows is None:
            return y
        if x.dim() != 3 or x.shape[0] != rows.batch:
            raise RuntimeError(f"a linear was given {tuple(x.shape)}, and {rows.batch} rows use experts")
        a, b = self.a[rows.first : rows.end], self.b[rows.first : rows.end]
        seen = nn.functional.linear(x.to(a.dtype), a)
        if rows.mask is not None:
            seen = seen * rows.mask
        if y.dtype == b.dtype:
            # One product that adds to y in place: y is fresh, nobody else has it.
            return y.view(-1, y.shape[-1]).addmm_(seen.view(-1, seen.shape[-1]), b).view(y.shape)
        return y.add_(seen @ b)


class Bank:
    """The slots of one model. One thread serves rows; others may fill slots that those do not use."""

    def __init__(self, model: Any, *, slots: int, rank: int) -> None:
        """Wrap the model's linears in place; the output embeddings are none of them. `dtype` is that of experts' files."""
        if slots < 1 or rank < 1:
            raise BatosError(
                "BAD_CONFIG", f"inference.slots is {slots} and inference.rank {rank}", "Both must be at least 1."
            )
        self.slots = slots
        self.rank = rank
        self.dtype: torch.dtype = model.dtype
        self.shapes = linears(model)
        self.device = where_it_runs(model.get_submodule(next(iter(self.shapes))))
        self.stored = torch.float32 if self.device.type == "cpu" else self.dtype
        self._linears = [self._wrap(model, name, shape) for name, shape in self.shapes.items()]
        self._filled: list[tuple[int, ...] | None] = [None] * slots
        self._serving: tuple[int | None, ...] = ()
        self._filling = threading.Lock()
        self._plans: dict[tuple[int, tuple[int, ...]], tuple[list[torch.Tensor], list[torch.Tensor]]] = {}
        self._staging: torch.Tensor | None = None
        self._stream: torch.cuda.Stream | None = None
        if self.pinned:
            self._stream = torch.cuda.Stream(self.device)  # type: ignore[no-untyped-call]
            numbers = rank * sum(shape.inputs + shape.outputs for shape in self.shapes.values())
            self._staging = torch.empty(numbers, device=self.device, dtype=self.dtype)

    @property
    def pinned(self) -> bool:
        """Whether experts in memory should be page-locked, because a device copies them."""
        return self.device.type == "cuda"

    @property
    def slot_bytes(self) -> int:
        """What one slot takes on the device."""
        return self.rank * self.stored.itemsize * sum(shape.inputs + shape.outputs for shape in self.shapes.values())

    def fill(self, slot: int, expert: Expert) -> None:
        """Copy the expert into `slot`. The slot is nobody's until the copy is whole."""
        if slot in self._serving:
            raise RuntimeError(f"slot {slot} is in use")
        with self._filling, torch.inference_mode():
            self._filled[slot] = None
            targets, rests = self._plan(slot, expert.ranks)
            if self._stream is None or self._staging is None:
                torch._foreach_copy_(targets, list(expert.parts))
                _zero(rests)
            else:
                self._stream.wait_stream(torch.cuda.current_stream(self.device))
                with torch.cuda.stream(self._stream):
                    # Over the bus in one piece; on the device in as many as there are.
                    staged = self._staging[: expert.flat.numel()]
                    staged.copy_(expert.flat, non_blocking=True)
                    torch._foreach_copy_(targets, list(torch.split(staged, [part.numel() for part in expert.parts])))
                    _zero(rests)
                self._stream.synchronize()
            self._filled[slot] = expert.ranks

    def clear(self, slot: int) -> None:
        """Nobody may use what is in `slot` any more."""
        if slot in self._serving:
            raise RuntimeError(f"slot {slot} is in use")
        self._filled[slot] = None

    def serve(self, slots: Sequence[int | None]) -> None:
        """From now on the batch's rows use these slots, one for each row, None the base model; empty ends it."""
        serving = tuple(slots)
        if serving == self._serving:
            return
        used = sorted({slot for slot in serving if slot is not None})
        filled = {slot: self._filled[slot] for slot in used}
        if empty := [slot for slot, ranks in filled.items() if ranks is None]:
            raise RuntimeError(f"slot {empty[0]} holds no expert")
        self._serving = serving
        rows = self._rows(serving, used) if used else None
        kept = [ranks for ranks in filled.values() if ranks is not None]
        for place, linear in enumerate(self._linears):
            linear.rows = rows if any(ranks[place] for ranks in kept) else None

    def _rows(self, serving: tuple[int | None, ...], used: list[int]) -> _Rows:
        first, end = used[0] * self.rank, (used[-1] + 1) * self.rank
        if len(set(serving)) == 1:
            return _Rows(len(serving), first, end, None)
        mask = torch.zeros(len(serving), 1, end - first, dtype=self.stored)
        for row, slot in enumerate(serving):
            if slot is not None:
                start = slot * self.rank - first
                mask[row, 0, start : start + self.rank] = 1
        return _Rows(len(serving), first, end, mask.to(self.device))

    def _plan(self, slot: int, ranks: tuple[int, ...]) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Where an expert of these ranks goes in `slot`, piece by piece, and what is left of the slot.

        Kept, because making these views takes longer than copying into them.
        """
        key = (slot, ranks)
        if key not in self._plans:
            if len(self._plans) >= _KEPT_PLANS:
                self._plans.clear()
            start, end = slot * self.rank, (slot + 1) * self.rank
            targets: list[torch.Tensor] = []
            rests: list[torch.Tensor] = []
            for linear, rank in zip(self._linears, ranks, strict=True):
                for storage in (linear.a, linear.b):
                    if rank:
                        targets.append(storage[start : start + rank].view(-1))
                    if rank < self.rank:
                        rests.append(storage[start + rank : end])
            self._plans[key] = targets, rests
        return self._plans[key]

    def _wrap(self, model: Any, name: str, shape: Shape) -> BankedLinear:
        path, _, last = name.rpartition(".")
        parent = model.get_submodule(path)
        inner: Any = getattr(parent, last)
        banked = BankedLinear(inner, shape, self.slots * self.rank, where_it_runs(inner), self.stored)
        setattr(parent, last, banked)
        return banked


def linears(model: Any) -> dict[str, Shape]:
    """The linears that experts may change, by name, in the model's order: all but the output embeddings.

    Whatever has a weight and says how many features go in and out is one: a quantized linear is of another type.
    """
    last = model.get_output_embeddings()
    return {
        name: Shape(module.in_features, module.out_features)
        for name, module in model.named_modules()
        if module is not last and all(hasattr(module, word) for word in ("in_features", "out_features", "weight"))
    }


def _zero(rests: list[torch.Tensor]) -> None:
    if rests:
        torch._foreach_zero_(rests)
