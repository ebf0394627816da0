"""Whether what ours says is what PEFT says, row by row, on models of the same weights."""

from __future__ import annotations

import torch

from bench.claims import Claim
from bench.stand import Scene, peer, prompt, stand, vocabulary

TOLERANCE = 1e-4
"""Of the largest logit, for float32."""
LENGTH = 24


def measure(scene: Scene, what: str) -> Claim:
    """The largest difference between any two logits of a batch with three experts and the base model. For float32."""
    names = ["expert0", "__base__", "expert1", "expert2"]
    chosen = {f"expert{n}": sample for n, sample in enumerate(scene.samples[:3])}
    mine = stand(scene)
    ids = torch.tensor([prompt(n, LENGTH, vocabulary(mine)) for n in range(len(names))], device=mine.bank.device)
    contents = {name: sample.content for name, sample in chosen.items()}
    with torch.inference_mode(), mine.tiers.hold(list(contents.values())) as slots:
        mine.bank.serve([slots[contents[name].sha256] if name in contents else None for name in names])
        ours = mine.model(ids).logits
        mine.bank.serve([None] * len(names))
        plain = mine.model(ids).logits
        mine.bank.serve(())
        # PEFT's own model has not been used before: what a first pass packs for a processor, PEFT reads wrongly.
        served = peer(scene.build(), {name: sample.folder for name, sample in chosen.items()})
        theirs = served(ids, adapter_names=names).logits
    difference = float((ours - theirs).abs().max())
    largest = float(theirs.abs().max())
    heard = float((theirs - plain).abs().amax(dim=(1, 2))[[0, 2, 3]].min())
    return Claim(
        id=f"largest difference to PEFT's logits, {what}",
        ours=float(f"{difference:.3g}"),
        peers={"largest logit": float(f"{largest:.3g}"), "what an expert changes, at least": float(f"{heard:.3g}")},
        unit="",
        target=f"<= {TOLERANCE:g} x the largest",
        ok=difference <= TOLERANCE * largest and heard > 100 * difference,
    )
