"""Stored experts that are spoiled, and a name that is given other content while rows use the old one."""

from __future__ import annotations

from typing import Any

import torch

from actors.inference.weights.expert import Content
from bench.bank import spoiling
from bench.bank.stand import Scene, Stand, peer, prompt, say, stand, vocabulary
from bench.claims import Claim
from protocol.errors import BatosError

LENGTH = 24


def logits(one: Stand, content: Content) -> torch.Tensor:
    """What the model says with this expert."""
    with torch.inference_mode(), one.tiers.hold([content]) as slots:
        return served(one, slots[content.sha256])


def served(one: Stand, slot: int) -> torch.Tensor:
    """What the model says with what is in this slot."""
    ids = torch.tensor([prompt(0, LENGTH, vocabulary(one))], device=one.bank.device)
    with torch.inference_mode():
        one.bank.serve([slot])
        try:
            said: torch.Tensor = one.model(ids).logits
        finally:
            one.bank.serve(())
    return said


def measure(scene: Scene) -> list[Claim]:
    """What is served of spoiled files, what their refusal does to the expert before, and content under an old name."""
    mine = stand(scene)
    good, victim = scene.samples[0].content, scene.samples[1].content
    before = logits(mine, good)
    cases = spoiling.stored()
    accepted: list[str] = []
    changed: list[str] = []
    for name, spoil in cases.items():
        try:
            say(mine, [prompt(0, LENGTH, vocabulary(mine))], [spoil(victim)], 1)
        except BatosError as error:
            if error.code != "BAD_EXPERT":
                raise
        else:
            accepted.append(name)
        if not torch.equal(logits(mine, good), before):
            changed.append(name)
    for name in accepted:
        print(f"served: {name}")
    return [
        Claim(
            id=f"spoiled stored experts, {len(cases)}: served",
            ours=len(accepted),
            peers={"all": len(cases)},
            unit="experts",
            target="0",
            ok=not accepted,
        ),
        Claim(
            id=f"the previous expert after {len(cases)} refusals: changed in any bit",
            ours=len(changed),
            peers={},
            unit="times",
            target="0",
            ok=not changed,
        ),
        _renaming(scene, mine),
    ]


def _renaming(scene: Scene, mine: Stand) -> Claim:
    """The same name with new content in the middle of a cycle: who began with the old one keeps it, who comes gets the new."""
    first, second = scene.samples[:2]
    old, new = first.content, second.content._replace(name=first.content.name)
    wanted = logits(mine, second.content)
    wrong = 0
    mine.tiers.evict(second.content)
    with torch.inference_mode(), mine.tiers.hold([old]) as slots:
        before = served(mine, slots[old.sha256])
        mine.tiers.activate(new)
        wrong += not torch.equal(served(mine, slots[old.sha256]), before)
        wrong += not torch.equal(logits(mine, new), wanted)
    wrong += not torch.equal(logits(mine, old), before)
    theirs: Any = peer(scene.build(), {"expert": first.folder})
    ids = torch.tensor([prompt(0, LENGTH, vocabulary(mine))], device=mine.bank.device)
    with torch.inference_mode():
        started = theirs(ids).logits
        theirs.load_adapter(str(second.folder), adapter_name="expert", autocast_adapter_dtype=False)
        went_on = theirs(ids).logits
    return Claim(
        id="a name given other content while rows use it: answers of the wrong one",
        ours=wrong,
        peers={"PEFT load_adapter under the same name": int(not torch.equal(started, went_on))},
        unit="answers",
        target="0",
        ok=wrong == 0 and not torch.equal(before, wanted),
    )
