"""What it costs to take a bundle in: 150 methods, each judged, tried and held to its contract, and published together.

    python -m bench.hand.bundles [METHODS] [--json]

A home without models runs. The bundle is read from its file, imported under a new prefix each time, and the median of the runs
counts, from the file to the reply. The peer is the guardian alone, asked for the same verdicts and trials one after the
other.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from bench.claims import Claim, processor, report
from bench.running.homes import build_world, running
from bus.client import Client
from cli.bundles import document, exchange
from protocol import verbs
from protocol.codec import Ref
from protocol.examples import read_example
from protocol.home import Home
from protocol.messages import BundledMethod, BundledObject, Exported, Judge, Trial

METHODS: Final = 150
TARGET_S: Final = 10.0
RUNS: Final = 3
EACH: Final = 5
"""Methods of an object: four that compute, and one that sends two of these."""


def bundle(methods: int) -> Exported:
    """Objects with methods of the usual size, two examples each."""
    objects = []
    for number in range(-(-methods // EACH)):
        made = [_method(number, n) for n in range(min(EACH, methods - number * EACH))]
        slots = {"width": number, "height": 4, "lines": [{"price": 2, "count": 3}]}
        objects.append(
            BundledObject(name=f"thing{number:03d}", parents={"parent*": "traits_obj"}, slots=slots, methods=made)
        )
    return Exported(objects=objects, needs=["traits_obj"])


def _method(number: int, n: int) -> BundledMethod:
    name = f"m{n}_"
    if n == EACH - 1:
        source = f"def {name}(self, by):\n    return self.m0_(by) + self.m1_(by)\n"
        answers = {1: (3 * 4 + number) + (12 + number + 1 + 1), 5: 5 * 3 * 4 + number + 12 + number + 1 + 5}
    else:
        source = (
            f"def {name}(self, by):\n"
            f"    total = self.width * self.height{' * by' if n == 0 else ''}\n"
            f"    for each in range({n}):\n"
            f"        total = total + by\n"
            f"    return total + {number}{' + 1' if n else ''}\n"
        )
        answers = {by: (12 * by if n == 0 else 12 + n * by) + number + (1 if n else 0) for by in (1, 5)}
    examples = [{"slots": {"width": 3, "height": 4}, "args": [by], "returns": said} for by, said in answers.items()]
    digest = hashlib.sha256(source.encode()).hexdigest()
    return BundledMethod(selector=name, source=source, sha256=digest, intent=f"What {name} is for.", examples=examples)


async def measure(methods: int) -> tuple[list[float], float]:
    """Seconds of each import, and of the guardian alone."""
    with tempfile.TemporaryDirectory(prefix="batos-", dir="/tmp") as folder:
        home = Home(Path(folder) / "h")
        build_world(home, objects=100, workers=1)
        file = str(Path(folder) / "things.json")
        document.write(file, bundle(methods))
        spent = []
        async with running(home) as client:
            await exchange.take(home, document.read(file), "warm", None, lambda _: None)
            for number in range(RUNS):
                began = time.perf_counter()
                made = await exchange.take(home, document.read(file), f"run{number}", None, lambda _: None)
                spent.append(time.perf_counter() - began)
                assert len(made.methods) == methods, made
            alone = await _alone(client, bundle(methods))
    return spent, alone


async def _alone(client: Client, found: Exported) -> float:
    began = time.perf_counter()
    for each in found.objects:
        for method in each.methods:
            await client.call(verbs.JUDGE, Judge(source=method.source), seconds=10)
            trial = Trial(
                source=method.source,
                receiver=Ref("00000000000000aa"),
                slots=each.slots,
                examples=[read_example(example) for example in method.examples],
                is_sent=False,
            )
            await client.call(verbs.TRIAL, trial, seconds=10)
    return time.perf_counter() - began


def main() -> None:
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    methods = int(words[0]) if words else METHODS
    spent, alone = asyncio.run(measure(methods))
    ours = statistics.median(spent)
    claim = Claim(
        id=f"import of {methods} methods",
        ours=round(ours, 2),
        peers={"guardian alone, one after the other": round(alone, 2)},
        unit="s",
        target=f"<= {TARGET_S:g}",
        ok=ours <= TARGET_S * methods / METHODS,
    )
    report("hand.bundles", [claim], device=f"{processor()}, {os.cpu_count()} cores", as_json="--json" in sys.argv)


if __name__ == "__main__":
    main()
