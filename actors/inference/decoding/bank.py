"""The bank: experts on the device, in slots that were there before them.

Beside each linear of the model's layers stand A [slots, rank, inputs] and B [slots, rank, outputs], and
`y + (x·Aᵀ)·B` is computed for each row of the batch that uses a slot, with that slot's matrices. Rows are sorted by slot. Where
adjacent slots are used by equally many rows each, those rows form a run, and a run of any length costs two batched products
over views. A slot is one stretch of memory that never moves. It has the layout of an expert's file and is filled by a copy;
ranks that the expert lacks are zero. Nothing is injected into the model. To a row without an expert nothing is added, so its
numbers are the base model's, bit for bit.

On a CPU the slots are in float32 whatever the model's type: for products as thin as these, a 16-bit kernel costs more to
call than to run.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from actors.inference.model.device import where_it_runs
from actors.inference.weights.expert import Expert
from actors.inference.weights.lora import Shape
from protocol.errors import BatosError

_KEPT_PLANS: Final = 64


class Stretch(NamedTuple):
    """Rows of the batch, from `first` to before `end`, and the slots that they use, as many rows each, in their order."""

    first: int
    end: int
    slots: tuple[int, ...]


_Views = list[tuple[torch.Tensor, torch.Tensor] | None]
"""For each linear its A and B of some slots, as in `_Lent`."""


class _Lent(NamedTuple):
    """A run as a linear sees it: `a` [slots, inputs, rank] and `b` [slots, rank, outputs] are views.

    `rows` is None where they are all of the batch: at one token a row, cutting a batch takes as long as multiplying it.
    """

    rows: slice | None
    a: torch.Tensor
    b: torch.Tensor


class _Turned:
    """An input in the type of the slots: turned once for the linears that read it one after another."""

    def __init__(self, dtype: torch.dtype) -> None:
        self._dtype = dtype
        self._input: torch.Tensor | None = None
        self._turned: torch.Tensor | None = None

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        if self._turned is None or self._input is not x:
            self._input, self._turned = x, x.to(self._dtype)
        return self._turned

    def forget(self) -> None:
        self._input = self._turned = None


class BankedLinear(nn.Module):
    """A linear (or whatever computes one, a quantized one too) and the slots beside it."""

    def __init__(self, inner: nn.Module, a: torch.Tensor, b: torch.Tensor, turned: _Turned) -> None:
        """`a` [slots, rank, inputs] and `b` [slots, rank, outputs] are the bank's."""
        super().__init__()
        self.inner = inner
        self.a = a
        self.b = b
        self.batch = 0
        self.lent: Sequence[_Lent] = ()
        self._turned = turned

    def __getattr__(self, name: str) -> Any:
        """What is not here is said so that a model which needs it, and so cannot be served, is refused in words."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            why = f"a layer reads {name!r} of one of its linears by itself, where no expert would be heard"
            raise AttributeError(why, name=name, obj=self) from None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.inner(x)
        if not self.lent:
            return y
        if x.dim() != 3 or x.shape[0] != self.batch:
            raise RuntimeError(f"a linear was given {tuple(x.shape)}, and {self.batch} rows use experts")
        turned = self._turned(x)
        for rows, a, b in self.lent:
            source, target = (turned, y) if rows is None else (turned[rows], y[rows])
            if len(source) != len(a):
                source = source.reshape(len(a), -1, a.shape[1])
                target = target.view(len(a), -1, b.shape[-1])
            seen = torch.bmm(source, a)
            # In place: this part of the product was computed for this linear alone.
            if target.dtype == b.dtype:
                target.baddbmm_(seen, b)
            else:
                target.add_(torch.bmm(seen, b))
        return y


class Bank:
    """The slots of one model. One thread serves rows; others may fill slots that those do not use."""

    def __init__(self, model: Any, *, slots: int, rank: int, dtype: torch.dtype | None = None) -> None:
        """Wrap the model's linears in place; the output embeddings are none of them.

        `dtype` is that of experts' files, where it is another than that in which the model computes.
        """
        if slots < 1 or rank < 1:
            raise BatosError(
                "BAD_CONFIG", f"inference.slots is {slots} and inference.rank {rank}", "Both must be at least 1."
            )
        self.slots = slots
        self.rank = rank
        self.dtype: torch.dtype = dtype or model.dtype
        self.shapes = linears(model)
        # A model without such linears is served as it is; no expert fits it.
        first = next(iter(self.shapes), None)
        self.device = model.device if first is None else where_it_runs(model.get_submodule(first))
        stored = torch.float32 if self.device.type == "cpu" else model.dtype
        numbers = rank * sum(shape.inputs + shape.outputs for shape in self.shapes.values())
        self._memory = torch.zeros(slots, numbers, device=self.device, dtype=stored)
        self._turned = _Turned(stored)
        self._linears = self._wrap(model)
        self._filled: list[tuple[int, ...] | None] = [None] * slots
        self._serving: tuple[int | None, ...] = ()
        self._filling = threading.Lock()
        self._seen: dict[tuple[tuple[int, ...], tuple[int, ...]], _Views] = {}
        self._plans: dict[tuple[int, tuple[int, ...]], tuple[list[torch.Tensor], list[torch.Tensor]]] = {}
        self._stream: torch.cuda.Stream | None = None
        if self.pinned:
            self._stream = torch.cuda.Stream(self.device)  # type: ignore[no-untyped-call]

    @property
    def pinned(self) -> bool:
        """Whether experts in memory should be page-locked, because a device copies them."""
        return self.device.type == "cuda"

    @property
    def slot_bytes(self) -> int:
        """What one slot takes on the device."""
        return self._memory[0].nbytes

    def fill(self, slot: int, expert: Expert) -> None:
        """Copy the expert into `slot`. The slot is nobody's until the copy is whole."""
        if slot in self._serving:
            raise RuntimeError(f"slot {slot} is in use")
        with self._filling, torch.inference_mode():
            self._filled[slot] = None
            if self._stream is None:
                self._copy(slot, expert)
            else:
                self._stream.wait_stream(torch.cuda.current_stream(self.device))
                with torch.cuda.stream(self._stream):
                    self._copy(slot, expert)
                self._stream.synchronize()
            self._filled[slot] = expert.ranks

    def _copy(self, slot: int, expert: Expert) -> None:
        """In one piece where the expert has the bank's rank everywhere, else in as many as there are."""
        if expert.flat.numel() == self._memory.shape[1]:
            self._memory[slot].copy_(expert.flat, non_blocking=True)
            return
        targets, rests = self._plan(slot, expert.ranks)
        # Over the bus in one piece all the same.
        here = expert.flat.to(self.device, non_blocking=True)
        torch._foreach_copy_(targets, list(torch.split(here, [part.numel() for part in expert.parts])))
        if rests:
            torch._foreach_zero_(rests)

    def clear(self, slot: int) -> None:
        """Nobody may use what is in `slot` any more."""
        if slot in self._serving:
            raise RuntimeError(f"slot {slot} is in use")
        self._filled[slot] = None

    def tidy(self) -> None:
        """A slot of the device is free as soon as it is cleared."""

    def serve(self, slots: Sequence[int | None]) -> None:
        """From now on the batch's rows use these slots, one for each row, None the base model; empty ends it."""
        serving = tuple(slots)
        if serving == self._serving:
            return
        used = sorted({slot for slot in serving if slot is not None})
        if empty := [slot for slot in used if self._filled[slot] is None]:
            raise RuntimeError(f"slot {empty[0]} holds no expert")
        self._serving = serving
        self._turned.forget()
        seen = [
            (None if run.end - run.first == len(serving) else slice(run.first, run.end), self._views(run.slots))
            for run in runs_of(serving)
        ]
        for place, linear in enumerate(self._linears):
            linear.lent = [_Lent(rows, *pair) for rows, views in seen if (pair := views[place]) is not None]
            linear.batch = len(serving)

    def _views(self, slots: tuple[int, ...]) -> _Views:
        """Views of each linear's matrices in these adjacent slots, up to their largest rank; None where all ranks are zero.

        They are kept, because making views takes longer than using them.
        """
        held = [ranks for slot in slots if (ranks := self._filled[slot]) is not None]
        ranks = tuple(max(each) for each in zip(*held, strict=True))
        found = self._seen.get((slots, ranks))
        if found is None:
            if len(self._seen) >= _KEPT_PLANS:
                self._seen.clear()
            span = slice(slots[0], slots[-1] + 1)
            found = [
                (linear.a[span, :rank].transpose(1, 2), linear.b[span, :rank]) if rank else None
                for linear, rank in zip(self._linears, ranks, strict=True)
            ]
            self._seen[slots, ranks] = found
        return found

    def _plan(self, slot: int, ranks: tuple[int, ...]) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Where an expert of these ranks goes in `slot`, piece by piece, and what is left of the slot.

        Kept, because making these views takes longer than copying into them.
        """
        key = (slot, ranks)
        if key not in self._plans:
            if len(self._plans) >= _KEPT_PLANS:
                self._plans.clear()
            targets: list[torch.Tensor] = []
            rests: list[torch.Tensor] = []
            for linear, rank in zip(self._linears, ranks, strict=True):
                for storage in (linear.a, linear.b):
                    if rank:
                        targets.append(storage[slot, :rank].view(-1))
                    if rank < self.rank:
                        rests.append(storage[slot, rank:])
            self._plans[key] = targets, rests
        return self._plans[key]

    def _wrap(self, model: Any) -> list[BankedLinear]:
        """A banked linear in the place of each linear, over its part of every slot."""
        made = []
        parts = iter(
            torch.split(self._memory, [self.rank * size for shape in self.shapes.values() for size in shape], 1)
        )
        for name, shape in self.shapes.items():
            path, _, last = name.rpartition(".")
            parent = model.get_submodule(path)
            a, b = (next(parts).view(self.slots, self.rank, size) for size in shape)
            made.append(BankedLinear(getattr(parent, last), a, b, self._turned))
            setattr(parent, last, made[-1])
        return made


def runs_of(slots: Sequence[int | None]) -> list[Stretch]:
    """The rows that use slots, in as few runs as their order allows; a row with None is in none."""
    runs: list[Stretch] = []
    for slot, group in itertools.groupby(range(len(slots)), key=slots.__getitem__):
        rows = list(group)
        if slot is None:
            continue
        first, end = rows[0], rows[-1] + 1
        before = runs[-1] if runs else None
        joins = (
            before is not None
            and before.end == first
            and before.slots[-1] + 1 == slot
            and before.end - before.first == (end - first) * len(before.slots)
        )
        if before is not None and joins:
            runs[-1] = Stretch(before.first, end, (*before.slots, slot))
        else:
            runs.append(Stretch(first, end, (slot,)))
    return runs


def linears(model: Any) -> dict[str, Shape]:
    """The linears that experts may change, by name, in the model's order: all but the output embeddings.

    Whatever has a weight and says how many features go in and out is one: a quantized linear is of another type, and GPT-2's
    is called a convolution.
    """
    last = model.get_output_embeddings()
    found: dict[str, Shape] = {}
    for name, module in model.named_modules():
        if module is last or not hasattr(module, "weight"):
            continue
        if isinstance(module, Conv1D):
            found[name] = Shape(module.nx, module.nf)
        elif hasattr(module, "in_features") and hasattr(module, "out_features"):
            found[name] = Shape(module.in_features, module.out_features)
    return found
