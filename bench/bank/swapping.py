"""What it costs to bring an expert nearer, beside the least that moving its bytes can cost, and beside PEFT.

All ways take turns in one loop over more experts than slots, so that nobody's bytes lie in a cache that another's miss.
"""

from __future__ import annotations

import hashlib
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import torch
from peft.utils.hotswap import hotswap_adapter

from bench.bank.stand import Scene, Stand, peer, stand
from bench.claims import Claim

WARM_UP: Final = 4
_NAME: Final = "expert"


def swap_naively(model: Any, folder: Path) -> None:
    """Into a temporary folder, then delete, load, set: the protocol of the seed."""
    with tempfile.TemporaryDirectory(prefix="batos-swap-") as place:
        shutil.copytree(folder, Path(place) / _NAME)
        model.delete_adapter(_NAME)
        model.load_adapter(str(Path(place) / _NAME), adapter_name=_NAME, autocast_adapter_dtype=False)
        model.set_adapter(_NAME)


def measure(scene: Scene, rounds: int) -> list[Claim]:
    """Warm to hot, and cold to warm."""
    one = stand(scene)
    theirs = peer(scene.build(), {_NAME: scene.samples[0].folder})
    return [_filling(scene, one, theirs, rounds), _reading(scene, one, rounds)]


def _filling(scene: Scene, one: Stand, theirs: Any, rounds: int) -> Claim:
    number = one.bank.slot_bytes
    sources = [torch.ones(number, dtype=torch.uint8, pin_memory=one.bank.pinned) for _ in scene.samples]
    targets = [torch.ones(number, dtype=torch.uint8, device=one.bank.device) for _ in range(one.bank.slots)]
    for sample in scene.samples:
        one.tiers.warm(sample.content)
    took: dict[str, list[float]] = defaultdict(list)
    for turn in range(rounds + WARM_UP):
        sample = scene.samples[turn % len(scene.samples)]
        source, target = sources[turn % len(sources)], targets[turn % len(targets)]
        tier = one.tiers.place(sample.content.sha256).tier
        assert tier == "warm", tier
        ways: dict[str, Callable[[], Any]] = {
            "ours": lambda: one.tiers.activate(sample.content),  # noqa: B023 - called within the turn
            "one flat copy of a slot": lambda: target.copy_(source),  # noqa: B023
            "PEFT hotswap": lambda: hotswap_adapter(
                theirs,
                str(sample.folder),  # noqa: B023
                adapter_name=_NAME,
                torch_device=str(one.bank.device),
            ),
            "PEFT delete, load, set": lambda: swap_naively(theirs, sample.folder),  # noqa: B023
        }
        for name, way in ways.items():
            seconds = timed(way, one.bank.device)
            if turn >= WARM_UP:
                took[name].append(seconds)
    medians = {name: round(1000 * statistics.median(seconds), 3) for name, seconds in took.items()}
    ours = medians.pop("ours")
    # A swap may read fewer bytes than it writes, where a slot is of a wider type than an expert's file.
    moved = scene.samples[0].content.bytes + number
    floor = round(medians["one flat copy of a slot"] * moved / (2 * number), 3)
    return Claim(
        id=f"warm to hot, {number / 1e6:.1f} MB",
        ours=ours,
        peers={f"its bytes, {moved / 1e6:.1f} MB read or written, at a flat copy's bandwidth": floor, **medians},
        unit="ms",
        target="<= 1.5 x its bytes",
        ok=ours <= 1.5 * floor,
    )


def _reading(scene: Scene, one: Stand, rounds: int) -> Claim:
    ours, floor = [], []
    for turn in range(rounds + WARM_UP):
        content = scene.samples[turn % len(scene.samples)].content
        one.tiers.evict(content)
        mine = timed(lambda: one.tiers.warm(content), one.bank.device)  # noqa: B023
        least = timed(lambda: hashlib.sha256(content.path.read_bytes()), one.bank.device)  # noqa: B023
        if turn >= WARM_UP:
            ours.append(mine)
            floor.append(least)
    mine, least = 1000 * statistics.median(ours), 1000 * statistics.median(floor)
    return Claim(
        id=f"cold to warm, verified, {scene.samples[0].content.bytes / 1e6:.1f} MB",
        ours=round(mine, 3),
        peers={"read and sha256": round(least, 3)},
        unit="ms",
        target="<= 1.5 x read and sha256",
        ok=mine <= 1.5 * least,
    )


def timed(work: Callable[[], Any], device: torch.device) -> float:
    """The seconds until the work is done on the device too."""
    settle(device)
    began = time.perf_counter()
    work()
    settle(device)
    return time.perf_counter() - began


def settle(device: torch.device) -> None:
    """Wait for whatever the device has still to do."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
