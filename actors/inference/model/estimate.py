"""What a model would take here, before it is loaded: memory by its sizes, speed by one product that is measured.

A step of decoding is the reading of the weights: so many bytes, once for each token. How many bytes a second this machine
reads while it multiplies is measured on a matrix that no cache holds, in the type in which the model would compute. What a step
costs beside that, calls of small products, is measured too. Nothing else is known of a model that nobody has run, so
the result is an estimate, and is said to be one.
"""

from __future__ import annotations

import time
from typing import Final, NamedTuple

import torch
from torch.nn import functional

from actors.inference.model import allowance, kernels
from actors.inference.model.description import Description
from actors.inference.model.device import dtype_of, limit_threads
from actors.inference.model.room import prefix_budget

LEAST: Final = 2048
"""Tokens of context without which a model is of no use here, for its keys and values."""
_SHARE: Final = 0.75
_WIDTH: Final = 2048
_BYTES: Final = 1 << 27
"""Of the matrix that is measured: four times what a large cache holds."""
_TURNS: Final = 4
_CALLS: Final = 24
"""Products and sums in one layer, about."""


class Estimate(NamedTuple):
    """Bytes, tokens and tokens a second. `room` is how many tokens of context there is memory for beside the rest."""

    dtype: str
    weights: int
    experts: int
    token: int
    prefixes: int
    needed: int
    free: int
    room: int
    step: int
    bytes_per_s: float
    tokens_per_s: float

    @property
    def fits(self) -> bool:
        return self.needed <= self.free


class Wanted(NamedTuple):
    """What of the configuration the estimate follows from."""

    device: str
    dtype: str
    quantization: str
    threads: int
    slots: int
    rank: int
    prefix_bytes: int


class Budget(NamedTuple):
    """Bytes that a model takes: its weights, what stands `beside` them, each `token` that was read, and all that is `needed`
    before it serves; and what it is given then, bytes for `prefixes` and a context of `room` tokens. `free` bytes there were.
    """

    dtype: str
    weights: int
    beside: int
    token: int
    needed: int
    free: int
    prefixes: int
    room: int


def estimate(model: Description, wanted: Wanted, served: Budget | None = None) -> Estimate:
    """What the model takes, and about how fast it is, in torch, or where it is `served` by llama.cpp on the processor.

    Takes a second; BAD_CONFIG for settings that make no sense.
    """
    limit_threads(wanted.threads)
    device = "cuda" if served is None and wanted.device != "cpu" and torch.cuda.is_available() else "cpu"
    if served is None:
        budget, kind = _in_torch(model, wanted, device)
        calls = model.dimensions.layers * _CALLS
    else:
        budget, kind, calls = served, torch.float32, 0
    step = budget.weights - model.looked_up * budget.weights // max(model.numbers, 1)
    speed, call = _measured(kind, device)
    return Estimate(
        dtype=budget.dtype,
        weights=budget.weights,
        experts=budget.beside,
        token=budget.token,
        prefixes=budget.prefixes,
        needed=budget.needed,
        free=budget.free,
        room=budget.room,
        step=step,
        bytes_per_s=speed,
        tokens_per_s=1 / (step / speed + calls * call),
    )


def _in_torch(model: Description, wanted: Wanted, device: str) -> tuple[Budget, torch.dtype]:
    """What the local engine takes, and the type in which it computes."""
    free = torch.cuda.mem_get_info()[0] if device == "cuda" else allowance.memory()
    kind = _type(wanted, model.numbers, device, free)
    four = wanted.quantization == "nf4"
    weights = model.numbers // 2 if four else model.numbers * kind.itemsize
    beside = wanted.slots * wanted.rank * model.dimensions.lent * (4 if device == "cpu" else kind.itemsize)
    token = model.dimensions.cached * kind.itemsize
    least = min(model.context, LEAST) * token
    left = free - weights - beside
    prefixes = min(wanted.prefix_bytes or prefix_budget(max(left, 0)), max(left - least, 0))
    budget = Budget(
        dtype="nf4" if four else str(kind).removeprefix("torch."),
        weights=weights,
        beside=beside,
        token=token,
        needed=weights + beside + least,
        free=free,
        prefixes=prefixes,
        room=max(0, min(model.context, (left - prefixes) // max(token, 1))),
    )
    return budget, kind


def _type(wanted: Wanted, numbers: int, device: str, free: int) -> torch.dtype:
    """The type in which the local engine would compute, as `device.placement` chooses it."""
    kept = dtype_of(wanted.dtype)
    if wanted.dtype != "auto" or device != "cpu" or wanted.quantization != "none":
        return kept
    return kernels.faster(kept) if numbers * torch.float32.itemsize <= free * _SHARE else kept


def _measured(kind: torch.dtype, device: str) -> tuple[float, float]:
    """Bytes of a matrix that are multiplied with a row in a second, and the seconds that a call costs."""
    large = torch.ones(_BYTES // kind.itemsize // _WIDTH, _WIDTH, dtype=kind, device=device)
    small = torch.ones(16, 16, dtype=kind, device=device)
    seconds, call = float("inf"), float("inf")
    with torch.inference_mode():
        for _ in range(_TURNS):
            seconds = min(seconds, _timed(large[:1], large, 1, device))
            call = min(call, _timed(small[:1], small, 50, device))
    return large.nbytes / seconds, call


def _timed(x: torch.Tensor, weight: torch.Tensor, times: int, device: str) -> float:
    began = time.perf_counter()
    for _ in range(times):
        functional.linear(x, weight)
    if device == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - began) / times
