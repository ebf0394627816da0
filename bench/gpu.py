"""The claims on experts at the size of Llama-3.1-8B on a graphics card, in bf16 and in NF4.

    python -m bench.gpu [--small] [--soak SECONDS] [--json]

Weights are random and made on the device. Needs torch, transformers and peft, bitsandbytes for NF4, and of the house the
model code alone. `--small` is the same at a size that a processor runs in seconds: it shows that everything works, and
its figures mean nothing. A model that is served has its linears fused, which are a copy beside the peers' plain ones, and
two are served at once: by calculation that is 45 GB in bf16.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch

from actors.inference.decoding.bank import linears
from bench.bank import bandwidth, likeness, pacing, refusing, soak, stalling, swapping, waiting
from bench.bank.adapters import INVOCATION, samples
from bench.bank.stand import Scene
from bench.bank.weights import LARGE, SMALL, Numbers, random_model, twin
from bench.claims import Claim, processor, report

RANK: Final = 16
EXPERTS: Final = 8


class Effort(NamedTuple):
    """The model's shape, how much is measured, and how many experts the soak has cold and warm."""

    shape: dict[str, int]
    rounds: int
    swaps: int
    rows: int
    steps: int
    copied: int
    cold: int
    warm: int


FULL: Final = Effort(LARGE, rounds=6, swaps=32, rows=12, steps=200, copied=1 << 30, cold=200, warm=20)
QUICK: Final = Effort(SMALL, rounds=1, swaps=2, rows=2, steps=60, copied=1 << 22, cold=32, warm=8)


def scene_of(build: Callable[[], Any], place: Path, number: int = EXPERTS, invocation: tuple[int, ...] = ()) -> Scene:
    """The model and so many experts for it, in the new folder `place`; aLoRA ones where there is an `invocation`."""
    place.mkdir()
    model = build()
    made = samples(linears(model), model.dtype, place, number=number, rank=RANK, invocation=invocation)
    return Scene(build, Numbers(), RANK, made)


def measure(scene: Scene, effort: Effort) -> Iterator[Claim]:
    """The claims that hold for weights of any kind."""
    work: list[Callable[[], list[Claim]]] = [
        lambda: swapping.measure(scene, effort.swaps),
        lambda: bandwidth.measure(scene, effort.copied),
        lambda: stalling.measure(scene, effort.rounds, effort.steps),
        lambda: waiting.measure(scene, effort.rounds, effort.rows),
        lambda: pacing.measure(scene, effort.rounds),
        lambda: pacing.shared_prefix(scene, effort.rounds),
        lambda: refusing.measure(scene),
    ]
    for part in work:
        yield from part()
        # A model that hooks hold in a circle would keep its memory until the next but one is made.
        gc.collect()


def builder(shape: dict[str, int], device: str, dtype: torch.dtype, *, nf4: bool) -> Callable[[], Any]:
    """A way to models of the same weights.

    They share them, but for four bits on a processor: a first pass packs those in another way.
    """
    if nf4 and device == "cpu":
        return lambda: unpacked(random_model(shape, device, dtype, nf4=True))
    model = random_model(shape, device, dtype, nf4=nf4)
    return lambda: twin(model)


def unpacked(model: Any) -> Any:
    """The model without bitsandbytes' packing for AVX512-BF16.

    PEFT reads the model's state while it loads an adapter, which unpacks each linear; a pass of the model that goes on
    meanwhile on another thread packs it again, and the one finds the other's half-done work.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
    return model


def run(effort: Effort, device: str, seconds: float, place: Path) -> list[Claim]:
    """Everything, for each kind of weights that this machine can have."""
    kinds = ["bf16"]
    if importlib.util.find_spec("bitsandbytes") is not None:
        kinds.append("nf4")
    else:
        print("bitsandbytes is not installed: NF4 is left out")
    claims: list[Claim] = []
    # Two layers in float32: wide enough for every kind of linear, and PEFT differs by rounding alone.
    short = {**effort.shape, "num_hidden_layers": 2}
    for kind in kinds:
        nf4 = kind == "nf4"
        build = builder(short, device, torch.float32, nf4=nf4)
        what = f"{kind.replace('bf16', 'plain')} linears, float32, 2 layers"
        claims.append(likeness.measure(scene_of(build, place / f"{kind}-exact", 3), what))
        if not nf4:
            # A prompt is read in pieces here, and four bits round by the length of what is multiplied.
            claims.append(likeness.invoked(scene_of(build, place / f"{kind}-late", 1, INVOCATION), what))
        del build
        scene = scene_of(builder(effort.shape, device, torch.bfloat16, nf4=nf4), place / kind)
        claims += [claim._replace(id=f"{kind}: {claim.id}") for claim in measure(scene, effort)]
        if seconds > 0 and not nf4:
            claims += soak.measure(scene, place, seconds, cold=effort.cold, warm=effort.warm)
        del scene
        gc.collect()
        if device == "cuda":
            torch.cuda.empty_cache()
    return claims


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.gpu", description=__doc__)
    parser.add_argument("--small", action="store_true", help="a small model, on a processor where there is no card")
    parser.add_argument("--soak", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and not options.small:
        print(
            "bench.gpu needs a CUDA device, and torch sees none. `--small` runs the same code on a processor; "
            "`python -m bench.experts` measures one.",
            file=sys.stderr,
        )
        raise SystemExit(2)
    name = torch.cuda.get_device_name() if device == "cuda" else processor()
    with tempfile.TemporaryDirectory(prefix="batos-gpu-") as folder:
        claims = run(QUICK if options.small else FULL, device, options.soak, Path(folder))
    report("gpu", claims, device=name, as_json=options.json)


if __name__ == "__main__":
    main()
