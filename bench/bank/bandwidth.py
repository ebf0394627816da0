"""Bytes over time: what a swap and a step move, beside what the bus and the memory of the device can."""

from __future__ import annotations

import statistics
from typing import Final

import torch

from bench.bank.stand import Scene, lengths, prompt, say, stand, vocabulary
from bench.bank.swapping import timed
from bench.claims import Claim

ROUNDS: Final = 8
STEPS: Final = 16


def measure(scene: Scene, copied: int) -> list[Claim]:
    """Copies of `copied` bytes say what the machine can do."""
    one = stand(scene)
    device = one.bank.device
    source = torch.ones(copied, dtype=torch.uint8, pin_memory=one.bank.pinned)
    target, other = (torch.ones(copied, dtype=torch.uint8, device=device) for _ in range(2))
    for sample in scene.samples:
        one.tiers.warm(sample.content)
    swap: list[float] = []
    bus: list[float] = []
    memory: list[float] = []
    step: list[float] = []
    ids = prompt(0, 32, vocabulary(one))
    for turn in range(ROUNDS + len(scene.samples)):
        content = scene.samples[turn % len(scene.samples)].content
        seconds = (
            timed(lambda: one.tiers.activate(content), device),  # noqa: B023 - called within the turn
            timed(lambda: target.copy_(source), device),
            timed(lambda: target.copy_(other), device),
        )
        steps = lengths(say(one, [ids], [None], STEPS + 1))
        if turn >= len(scene.samples):
            for kept, took in zip((swap, bus, memory), seconds, strict=True):
                kept.append(took)
            step += steps
    # A step reads every weight once, but of the embeddings a row.
    embeddings = one.model.get_input_embeddings().weight
    read = sum(weight.nbytes for weight in one.model.parameters()) - embeddings.nbytes
    return [
        Claim(
            id="warm to hot, bytes over time",
            ours=_rate(one.bank.slot_bytes, swap),
            peers={"host to device, pinned": _rate(copied, bus)},
            unit="GB/s",
            target="printed",
            ok=True,
        ),
        Claim(
            id="a step of the base model, batch 1, bytes over time",
            ours=_rate(read, step),
            # It reads and writes.
            peers={"device copy": _rate(2 * copied, memory)},
            unit="GB/s",
            target="printed",
            ok=True,
        ),
    ]


def _rate(number: int, seconds: list[float]) -> float:
    return round(number / statistics.median(seconds) / 1e9, 2)
