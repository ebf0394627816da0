"""Whether what ours says is what PEFT says, row by row, on models of the same weights."""

from __future__ import annotations

import torch

from actors.inference.weights.expert import Content
from actors.inference.weights.placement import lend
from bench.bank.adapters import INVOCATION
from bench.bank.stand import Scene, Stand, peer, prompt, stand, vocabulary
from bench.claims import Claim

TOLERANCE = 1e-4
"""Of the largest logit, for float32."""
LENGTH = 24
BEGINS = (0, 30, 64, 256, 290)
"""Where prompts hold the invocation: at the start, within a block, between two, of either device."""


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
    heard = float((theirs - plain).abs().amax(dim=(1, 2))[[0, 2, 3]].min())
    return _claim(f"largest difference to PEFT's logits, {what}", ours, theirs, heard)


def invoked(scene: Scene, what: str) -> Claim:
    """The largest difference between any two logits after prompts that invoke an aLoRA expert. For float32."""
    mine = stand(scene, prefix_bytes=1 << 34)
    sample = scene.samples[0]
    drawn = prompt(0, 300, vocabulary(mine))
    prompts = [(*drawn[:begin], *INVOCATION, *drawn[begin:]) for begin in BEGINS]
    ours = torch.cat([_last(mine, sample.content, one) for one in prompts])
    plain = torch.cat([_last(mine, None, one) for one in prompts])
    served = peer(scene.build(), {"expert": sample.folder})
    with torch.inference_mode():
        theirs = served(torch.tensor(prompts, device=mine.bank.device)).logits[:, -1]
    return _claim(
        f"largest difference to PEFT's logits after an invocation, {what}",
        ours,
        theirs,
        float((theirs - plain).abs().amax(1).min()),
    )


def _last(mine: Stand, content: Content | None, tokens: tuple[int, ...]) -> torch.Tensor:
    """The logits [1, vocabulary] of the token that comes next, by a prompt that is read as a row's is."""
    with torch.inference_mode(), mine.tiers.hold([] if content is None else [content]) as slots:
        lent = lend(content, slots, tokens)
        prefix = mine.prefixes.read(lent, tokens, lambda: False)
        cache, _ = mine.prefixes.spread([prefix])
        mine.bank.serve([None if lent is None else lent.slot])
        end = torch.tensor([tokens[prefix.length :]], device=mine.bank.device)
        logits: torch.Tensor = mine.model(end, past_key_values=cache).logits[:, -1]
        mine.bank.serve(())
    return logits


def _claim(name: str, ours: torch.Tensor, theirs: torch.Tensor, heard: float) -> Claim:
    difference = float((ours - theirs).abs().max())
    largest = float(theirs.abs().max())
    return Claim(
        id=name,
        ours=float(f"{difference:.3g}"),
        peers={"largest logit": float(f"{largest:.3g}"), "what an expert changes, at least": float(f"{heard:.3g}")},
        unit="",
        target=f"<= {TOLERANCE:g} x the largest",
        ok=difference <= TOLERANCE * largest and heard > 100 * difference,
    )
