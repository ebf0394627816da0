"""How long a row waits for its first token when there are more experts than slots.

Single rows, each with an expert drawn at random: from as many as there are slots, all of them hot, and from twice as
many. The two kinds of traffic take turns, a block of rows each, over one bank.
"""

from __future__ import annotations

import random
import statistics
import time
from typing import Final

from bench.bank.stand import Scene, generate, peer, prompt, say, stand, vocabulary
from bench.bank.swapping import swap_naively
from bench.claims import Claim

SLOTS: Final = 4
PROMPT: Final = 48
PEER_ROWS: Final = 4


def measure(scene: Scene, rounds: int, rows: int) -> list[Claim]:
    """The claim on the first token, medians over `rounds` blocks of `rows`."""
    mine = stand(scene, slots=SLOTS)
    contents = [sample.content for sample in scene.samples[: 2 * SLOTS]]
    theirs = peer(scene.build(), {"expert": scene.samples[0].folder})
    luck = random.Random(0)
    ids = prompt(0, PROMPT, vocabulary(mine))
    resident: list[float] = []
    more: list[float] = []
    naive: list[float] = []
    for content in contents:
        mine.tiers.warm(content)
    for number in range(rounds + 1):
        for content in contents[:SLOTS]:
            mine.tiers.activate(content)
        few = [say(mine, [ids], [luck.choice(contents[:SLOTS])], 1).seconds for _ in range(rows)]
        many = [say(mine, [ids], [luck.choice(contents)], 1).seconds for _ in range(rows)]
        swapped = []
        for _ in range(PEER_ROWS):
            began = time.perf_counter()
            # A new one each time: what is in place costs nobody anything.
            swap_naively(theirs, scene.samples[luck.randrange(1, len(scene.samples))].folder)
            generate(theirs, [ids], 1)
            swapped.append(time.perf_counter() - began)
        if number:
            resident += few
            more += many
            naive += swapped
    ours, floor, peers = (round(1000 * statistics.median(one), 2) for one in (more, resident, naive))
    return [
        Claim(
            id=f"first token p50, {len(contents)} experts in {SLOTS} slots",
            ours=ours,
            peers={"all resident": floor, "PEFT, delete, load, set before it": peers},
            unit="ms",
            target="<= 1.5 x all resident",
            ok=ours <= 1.5 * floor,
        )
    ]
