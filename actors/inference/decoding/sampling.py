"""How the next token is drawn from a row's logits.

A row has its own stream of random numbers, counted from its seed alone, so that a row's luck does not depend on its
neighbours. Drawing happens on the CPU in numpy: a batch's logits are small beside the step that made them, and most
rows under a grammar have a handful of tokens to choose from.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ids = NDArray[np.intp]

COLD: Final = 1e-6
"""At a temperature below this only the likeliest token has any weight: it is taken as 0, before numbers overflow."""
_SEED_BITS: Final = (1 << 128) - 1


class BadLogitsError(Exception):
    """A row's logits are no numbers to draw from."""


def stream(seed: int) -> np.random.Generator:
    """The random numbers of a row with this seed (any integer)."""
    return np.random.Generator(np.random.Philox(key=seed & _SEED_BITS))


def draw(logits: Floats, allowed: Ids | None, temperature: float, top_p: float, luck: np.random.Generator) -> int:
    """The next token: among `allowed` (None: all), by `temperature` and the nucleus of mass `top_p`.

    Temperature 0 takes the likeliest; of equals, the lowest id. Takes one number from `luck` unless there is no choice.
    BadLogitsError where one of the logits is no number, or none of them is finite.
    """
    chosen = logits if allowed is None else logits[allowed]
    # A maximum is no number as soon as one of its numbers is none. Single tokens may be at minus infinity.
    if not (np.isfinite(logits.max()) and np.isfinite(chosen.max())):
        raise BadLogitsError
    if temperature < COLD or chosen.size == 1:
        place = int(np.argmax(chosen))
    else:
        scaled = chosen.astype(np.float64) / temperature
        weights = np.exp(scaled - scaled.max())
        place = _pick(weights / weights.sum(), top_p, float(luck.random()))
    return place if allowed is None else int(allowed[place])


def likelihood(logits: Floats, allowed: Ids | None, token: int, room: Floats) -> float:
    """The natural logarithm of the share of `token`, which was drawn, among `allowed` (None: all), at temperature 1.

    `room` is overwritten: as long as the logits, and used again and again, it keeps each step from fresh pages of memory.
    """
    size = logits.size if allowed is None else allowed.size
    if size == 1:
        return 0.0
    shares = room[:size]
    if allowed is None:
        shares[:] = logits
    else:
        np.take(logits, allowed, out=shares, mode="clip")
    top = shares.max()
    shares -= top
    np.exp(shares, out=shares)
    return float(logits[token] - top) - float(np.log(shares.sum()))


def _pick(weights: NDArray[np.float64], top_p: float, luck: float) -> int:
    if top_p < 1:
        # All that is lighter than this weighs less than 1 - top_p together, so the nucleus lies in the rest.
        heavy = np.flatnonzero(weights >= (1 - top_p) / weights.size)
        order = heavy[np.argsort(-weights[heavy], kind="stable")]
        mass = np.cumsum(weights[order])
        order = order[: int(np.searchsorted(mass, top_p)) + 1]
    else:
        order = np.arange(weights.size)
    mass = np.cumsum(weights[order])
    return int(order[min(int(np.searchsorted(mass, luck * mass[-1], side="right")), order.size - 1)])
