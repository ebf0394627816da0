"""Experts: what a swap costs, what rows feel of it, how fast a mixed batch is, and that nothing bad is ever served.

    python -m bench.experts [--soak SECONDS] [--json]

The model is the embedded default in bf16 on the CPU, the experts random ones of rank 16 on all of its linears, unless a
claim says otherwise. Every peer runs in this process on the same weights, in turns with ours: PEFT as it is
used (delete, load, set from a temporary folder: the protocol of the seed), its hotswap, `generate()`, and the memory.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import torch

from actors.inference.decoding.bank import linears
from actors.inference.forms.constraints import Vocabulary
from actors.inference.model import incarnation
from bench.bank import importing, likeness, pacing, refusing, soak, stalling, swapping, waiting
from bench.bank.adapters import INVOCATION, samples
from bench.bank.stand import Scene
from bench.bank.weights import SMALL, Numbers, random_model
from bench.claims import Claim, processor, report

RANK: Final = 16
EXPERTS: Final = 8
SOAK_S: Final = 60.0


def embedded(place: Path, dtype: str) -> Callable[[], Any]:
    """A way to the embedded default, converted once into `place`; its weights are mapped, so many cost no more than one."""
    if not place.exists():
        incarnation.convert(incarnation.find(""), place)
    files = {path.name: path for path in place.iterdir()}
    return lambda: incarnation.load(files, device="cpu", dtype=dtype).model


def spelling(place: Path) -> Vocabulary:
    """How the embedded default spells."""
    one = incarnation.load({path.name: path for path in place.iterdir()}, device="cpu")
    return Vocabulary(one.tokenizer_json, int(one.model.get_output_embeddings().out_features), one.stop)


def scene_of(
    build: Callable[[], Any],
    spells: Any,
    place: Path,
    *,
    number: int = EXPERTS,
    rank: int = RANK,
    invocation: tuple[int, ...] = (),
) -> Scene:
    """The model and so many experts for it, in the new folder `place`; aLoRA ones where there is an `invocation`."""
    place.mkdir()
    model = build()
    made = samples(linears(model), model.dtype, place, number=number, rank=rank, invocation=invocation)
    return Scene(build, spells, rank, made)


def exact(place: Path) -> list[Claim]:
    """What must be equal and what must be refused, in float32, where PEFT differs by rounding alone."""
    build = embedded(place / "model", "float32")
    whole = scene_of(build, Numbers(), place / "whole", number=3)
    late = scene_of(build, Numbers(), place / "late", number=1, invocation=INVOCATION)

    def in_four_bits() -> Any:
        return random_model(SMALL, "cpu", torch.float32, nf4=True)

    packed = scene_of(in_four_bits, Numbers(), place / "packed", number=3)
    return [
        likeness.measure(whole, "embedded default in float32"),
        likeness.measure(packed, "a small Llama in NF4"),
        likeness.invoked(late, "embedded default in float32"),
        *importing.measure(whole, place),
        *refusing.measure(whole),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.experts", description=__doc__)
    parser.add_argument("--soak", type=float, default=SOAK_S, metavar="SECONDS", help="0 leaves it out")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    claims: list[Claim] = []
    with tempfile.TemporaryDirectory(prefix="batos-experts-") as folder:
        place = Path(folder)
        build = embedded(place / "model", "auto")
        spells = spelling(place / "model")
        scene = scene_of(build, spells, place / "experts")
        late = scene_of(build, spells, place / "invoked", number=pacing.ROWS, invocation=INVOCATION)
        print(f"{torch.get_num_threads()} threads; load {os.getloadavg()[0]:.1f}", flush=True)
        work: list[Callable[[], list[Claim]]] = [
            lambda: swapping.measure(scene, rounds=16),
            lambda: stalling.measure(scene, rounds=3, steps=64),
            lambda: waiting.measure(scene, rounds=4, rows=12),
            lambda: pacing.measure(scene, rounds=6),
            lambda: pacing.shared_prefix(scene, rounds=3),
            lambda: pacing.shared_prefix(late, rounds=3),
            lambda: exact(place),
        ]
        if options.soak > 0:
            work.append(lambda: soak.measure(scene, place, options.soak))
        began = time.monotonic()
        for number, measure in enumerate(work):
            print(f"{number + 1} of {len(work)}, {time.monotonic() - began:.0f} s", file=sys.stderr)
            claims += measure()
            gc.collect()
    report("experts", claims, device=processor(), as_json=options.json)


if __name__ == "__main__":
    main()
