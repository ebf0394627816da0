"""Many experts for a long time: a thousand on the disk, a hundred in memory, eight in slots, and whoever comes.

What memory may grow by is what it takes to fill the tiers; that is done before the clock starts. From the first
minute on (of a short run, its first tenth) it must stay as it is.
"""

from __future__ import annotations

import random
import resource
import statistics
import time
from pathlib import Path
from typing import Final, NamedTuple

from actors.inference.weights.expert import Content, Layout
from actors.inference.weights.lora import Adapter, Pair
from bench.bank.adapters import keep, random_adapter
from bench.bank.stand import Scene, prompt, say, stand, vocabulary
from bench.claims import Claim
from protocol.errors import BatosError

RANK: Final = 4
SLOTS: Final = 8
ATTENTION: Final = ("q_proj", "k_proj", "v_proj", "o_proj")
GROWTH: Final = 16 << 20
"""Bytes that the memory of a process may differ by from one minute to the next without being said to grow."""


class _Seen(NamedTuple):
    """Resident bytes over time, and what happened."""

    early: float
    late: float
    rows: int
    errors: list[str]


def measure(scene: Scene, folder: Path, seconds: float, *, cold: int = 1000, warm: int = 100) -> list[Claim]:
    """Random traffic of single rows for so many seconds; `folder` holds the files."""
    probe = stand(scene, slots=1, rank=RANK)
    layout = probe.tiers.layout
    contents = _contents(layout, folder, cold)
    size = sum(content.bytes for content in contents) / 1e9
    mine = stand(scene, slots=SLOTS, rank=RANK, warm_bytes=warm * _in_memory(layout))
    del probe
    for content in contents[: warm + SLOTS]:
        mine.tiers.warm(content)
    luck = random.Random(1)
    ids = [prompt(n, 8, vocabulary(mine)) for n in range(16)]

    def row() -> None:
        say(mine, [luck.choice(ids)], [luck.choice(contents)], 3)

    for _ in range(2 * SLOTS):
        row()
    errors: list[str] = []
    samples: list[tuple[float, int]] = []
    rows = 0
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        try:
            row()
        except (BatosError, RuntimeError) as error:
            errors.append(str(error))
        rows += 1
        samples.append((passed, _resident()))
    mark = min(60.0, seconds / 10)
    settled = [size for at, size in samples if at >= mark] or [samples[-1][1]]
    tenth = max(1, len(settled) // 10)
    early, late = statistics.median(settled[:tenth]), statistics.median(settled[-tenth:])
    tiers = [mine.tiers.place(content.sha256).tier for content in contents]
    print(f"soak: {rows} rows, {tiers.count('hot')} hot, {tiers.count('warm')} warm, {size:.2f} GB cold")
    return _claims(_Seen(early, late, rows, errors), cold, seconds)


def _claims(seen: _Seen, cold: int, seconds: float) -> list[Claim]:
    for error in seen.errors[:3]:
        print(f"soak: {error}")
    return [
        Claim(
            id=f"soak, {cold} experts, {seconds:g} s: growth of memory",
            ours=round((seen.late - seen.early) / (1 << 20), 1),
            peers={"resident": round(seen.late / (1 << 20))},
            unit="MiB",
            target=f"< {GROWTH >> 20} MiB",
            ok=seen.late - seen.early < GROWTH,
        ),
        Claim(
            id=f"soak, {cold} experts, {seconds:g} s: errors",
            ours=len(seen.errors),
            peers={"rows": seen.rows},
            unit="errors",
            target="0",
            ok=not seen.errors and seen.rows > 0,
        ),
    ]


def _contents(layout: Layout, folder: Path, number: int) -> list[Content]:
    """So many small experts, which change the attention alone; each is the first one but for a sign."""
    shapes = {name: shape for name, shape in layout.shapes.items() if name.rpartition(".")[2] in ATTENTION}
    first = random_adapter(shapes, RANK, 0, layout.dtype)
    names = list(shapes)
    made = []
    for one in range(number):
        pairs = {
            name: Pair(pair.a, -pair.b if one >> (place % 10) & 1 else pair.b)
            for place, (name, pair) in enumerate(zip(names, first.pairs.values(), strict=True))
        }
        made.append(keep(Adapter(RANK, first.alpha, pairs), layout, folder / f"soak{one}.expert"))
    assert len({content.sha256 for content in made}) == number
    return made


def _in_memory(layout: Layout) -> int:
    """The bytes of one of these experts once it is warm."""
    shapes = [shape for name, shape in layout.shapes.items() if name.rpartition(".")[2] in ATTENTION]
    return RANK * layout.dtype.itemsize * sum(shape.inputs + shape.outputs for shape in shapes)


def _resident() -> int:
    """Resident bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
