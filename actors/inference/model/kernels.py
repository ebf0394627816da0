"""Which type of numbers this processor computes faster.

16-bit numbers are half of the bytes that a step has to read. But a processor without instructions for them computes in
32 bits all the same, and turns each number to and fro: a prompt then takes five times as long. What is faster is not
written on a processor, so it is measured, once a process: the product of a block of a prompt with a matrix as large
as those of a small model, in both types in turns. Of each the shortest time counts, which other work on the machine
makes hardly longer.
"""

from __future__ import annotations

import functools
import time
from typing import Final

import torch
from torch.nn import functional

_ROWS: Final = 32
_SHAPE: Final = (1024, 512)
_TURNS: Final = 7
_GAIN: Final = 1.25
"""32 bits take twice the memory, so they must be faster by more than what a measurement errs."""


@functools.cache
def faster(narrow: torch.dtype) -> torch.dtype:
    """float32 where this processor computes clearly faster in it than in `narrow`, else `narrow`. Takes milliseconds."""
    seconds = dict.fromkeys((narrow, torch.float32), float("inf"))
    made = {kind: (torch.ones(_ROWS, _SHAPE[1], dtype=kind), torch.ones(_SHAPE, dtype=kind)) for kind in seconds}
    with torch.inference_mode():
        for _ in range(_TURNS):
            for kind, (x, weight) in made.items():
                began = time.perf_counter()
                functional.linear(x, weight)
                seconds[kind] = min(seconds[kind], time.perf_counter() - began)
    return torch.float32 if seconds[torch.float32] * _GAIN < seconds[narrow] else narrow
