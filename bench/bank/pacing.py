"""How fast rows decode: base, one expert, several in one batch, in turn; our own loop beside `generate()` and PEFT.

The ways take turns, a block of steps each, for several rounds, each in another order; what counts is the median step. A
step of PEFT's is one of `generate()`, which is how it is used; so PEFT is compared with what it does itself without an adapter.
"""

from __future__ import annotations

import random
import statistics
from collections import defaultdict
from collections.abc import Callable
from typing import Final

from bench.bank.stand import Said, Scene, generate, lengths, peer, prompt, say, stand, vocabulary
from bench.claims import Claim

STEPS: Final = 16
PROMPT: Final = 32
ROWS: Final = 4


def measure(scene: Scene, rounds: int) -> list[Claim]:
    """The claims on throughput."""
    mine = stand(scene, slots=ROWS)
    plain = scene.build()
    chosen = scene.samples[:ROWS]
    theirs = peer(scene.build(), {f"expert{n}": sample.folder for n, sample in enumerate(chosen)})
    names = [f"expert{n}" for n in range(ROWS)]
    contents = [sample.content for sample in chosen]
    prompts = [prompt(n, PROMPT, vocabulary(mine)) for n in range(ROWS)]
    turn = 0

    def one_after_another() -> Said:
        nonlocal turn
        turn += 1
        return say(mine, prompts[:1], [contents[turn % ROWS]], STEPS + 1)

    ways: dict[str, Callable[[], Said]] = {
        "base, 1": lambda: say(mine, prompts[:1], [None], STEPS + 1),
        "one": one_after_another,
        "generate, 1": lambda: generate(plain, prompts[:1], STEPS + 1),
        "generate, fused, 1": lambda: generate(mine.model, prompts[:1], STEPS + 1),
        "PEFT one": lambda: generate(theirs, prompts[:1], STEPS + 1),
        "base, 4": lambda: say(mine, prompts, [None] * ROWS, STEPS + 1),
        "mixed": lambda: say(mine, prompts, contents, STEPS + 1),
        "generate, 4": lambda: generate(plain, prompts, STEPS + 1),
        "PEFT mixed": lambda: generate(theirs, prompts, STEPS + 1, names),
    }
    took: dict[str, list[float]] = defaultdict(list)
    whole: dict[str, list[float]] = defaultdict(list)
    luck = random.Random(0)
    for number in range(rounds + 1):
        # What ran before a way is felt in its first steps: it must not always be the same.
        for name, way in luck.sample(list(ways.items()), len(ways)):
            said = way()
            steps = lengths(said)
            assert len(steps) == STEPS, name
            if number:
                took[name] += steps
                whole[name].append(said.seconds)
    rates = {name: round((STEPS + 1) / statistics.median(seconds), 2) for name, seconds in whole.items()}
    return [
        *_claims({name: statistics.median(steps) for name, steps in took.items()}),
        _printed("whole calls, prompt and all", rates["base, 1"], {"generate()": rates["generate, 1"]}),
    ]


def _claims(step: dict[str, float]) -> list[Claim]:
    def rate(name: str, rows: int) -> float:
        return round(rows / step[name], 2)

    one_turn = step["base, 1"] / step["one"]
    mixed = step["base, 4"] / step["mixed"]
    in_turn = ROWS * step["one"] / step["mixed"]
    own = step["generate, 1"] / step["base, 1"]
    return [
        Claim(
            id="one expert, batch 1",
            ours=rate("one", 1),
            peers={"base": rate("base, 1", 1), "generate(), base": rate("generate, 1", 1)},
            unit="tokens/s",
            target=">= 0.9 x base",
            ok=one_turn >= 0.9,
        ),
        _printed("the same by PEFT", rate("PEFT one", 1), {"generate(), base": rate("generate, 1", 1)}),
        Claim(
            id="4 rows x 4 experts in one batch",
            ours=rate("mixed", ROWS),
            peers={"base at the same batch": rate("base, 4", ROWS), "generate(), base": rate("generate, 4", ROWS)},
            unit="tokens/s",
            target=">= 0.85 x base",
            ok=mixed >= 0.85,
        ),
        Claim(
            id="4 rows x 4 experts, beside in turn",
            ours=rate("mixed", ROWS),
            peers={"four in turn": rate("one", 1)},
            unit="tokens/s",
            target=">= 2.4 x four in turn",
            ok=in_turn >= 2.4,
        ),
        _printed(
            "the same by PEFT",
            rate("PEFT mixed", ROWS),
            {"generate(), base, batch 4": rate("generate, 4", ROWS), "PEFT, four in turn": rate("PEFT one", 1)},
        ),
        Claim(
            id="own loop, base, batch 1",
            ours=rate("base, 1", 1),
            peers={
                "generate()": rate("generate, 1", 1),
                "generate() over our fused linears": rate("generate, fused, 1", 1),
            },
            unit="tokens/s",
            target=">= 1.1 x generate()",
            ok=own >= 1.1,
        ),
    ]


def _printed(what: str, ours: float, peers: dict[str, float]) -> Claim:
    return Claim(id=f"  {what}", ours=ours, peers=peers, unit="tokens/s", target="printed", ok=True)


def shared_prefix(scene: Scene, rounds: int) -> list[Claim]:
    """Four prompts that begin with the same 256 tokens: read in turn, or upon what the base model has left of them.

    The rest is the base model's too; where the scene's experts are aLoRA ones, each prompt invokes its own there.
    """
    invocation = scene.samples[0].content.invocation
    contents = [sample.content if invocation else None for sample in scene.samples[:ROWS]]
    fresh, kept = stand(scene), stand(scene, prefix_bytes=1 << 34)
    common = prompt(0, 256, vocabulary(kept))
    own = 24 - len(invocation)
    prompts = [(*common, *invocation, *prompt(1 + n, own, vocabulary(kept))) for n in range(ROWS)]
    say(kept, prompts[:1], [None], 1)
    in_turn: list[float] = []
    upon: list[float] = []
    for number in range(rounds + 1):
        alone = sum(say(fresh, [one], [who], 1).seconds for one, who in zip(prompts, contents, strict=True))
        together = say(kept, prompts, contents, 1).seconds
        if number:
            in_turn.append(alone)
            upon.append(together)
    return [
        Claim(
            id=f"first tokens of 4 {'aLoRA experts' if invocation else 'prompts'}, 256 shared + 24 own",
            ours=round(1000 * statistics.median(upon), 1),
            peers={"in turn, nothing kept": round(1000 * statistics.median(in_turn), 1)},
            unit="ms",
            target="printed",
            ok=True,
        )
    ]
