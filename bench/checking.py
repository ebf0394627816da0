"""`batos check` on many contracts, beside the jail's own runs: what the way to the jail costs.

    python -m bench.checking [--contracts N] [--rounds N] [--json]

A world has as many objects as contracts, each with a method of its own source and three examples. Real processes check it
(`bench.running.homes`: storage, broker, guardian, orchestrator), and count is the command's own question over the bus. The peer is a jail
of the same number of workers in this process, which runs the same methods on the same inputs and nothing else, as many at once.
Both take turns; the first round, in which either compiles each method, is told and not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from ZODB import DB
from ZODB.FileStorage import FileStorage

from actors.guardian.jail.jail import Jail
from bench.claims import Claim, processor, report
from bench.running import homes
from bus.client import Client
from protocol import verbs
from protocol.codec import Ref
from protocol.home import Home
from protocol.messages import Check, Done, Run
from world import history
from world.method import UvmMethod
from world.store import commit
from world.uvm import UvmObject
from world.values import oid_of

CONTRACTS: Final = 500
ROUNDS: Final = 5
TARGET: Final = 0.8
AT_ONCE: Final = 8
WIDTHS: Final = (1, 2, 3)
PATIENCE_S: Final = 600.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.checking")
    parser.add_argument("--contracts", type=int, default=CONTRACTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        home = Home(Path(folder))
        runs = build(home, asked.contracts)
        ours, jail = asyncio.run(measure(home, runs, asked.rounds))
    rate, peer = len(runs) / statistics.median(ours[1:]), len(runs) / statistics.median(jail[1:])
    print(f"the first round: check {ours[0]:.2f} s, the jail alone {jail[0]:.2f} s")
    claims = [
        Claim(
            "check",
            round(rate, 1),
            {"the jail's own": round(peer, 1)},
            "runs/s",
            f"{TARGET} times",
            rate >= TARGET * peer,
        )
    ]
    report("checking", claims, device=processor(), as_json=asked.json)
    return 0 if claims[0].ok else 1


def build(home: Home, contracts: int) -> list[Run]:
    """The world; the runs that its contracts come to."""
    homes.build_world(home, 1, 0)
    runs: list[Run] = []
    db = DB(FileStorage(str(home.database), blob_dir=str(home.blobs)))
    try:
        with commit(db, user="bench", description="contracts") as connection:
            objects: Any = connection.root()["objects"]
            for number in range(contracts):
                name = f"box{number:04d}"
                box = objects[name] = UvmObject(name, width=0, height=number, colour="red")
                box.set_slot("parent*", connection.root()["traits_obj"])
                connection.add(box)
                source = f"def area_(self):\n    return self.width * self.height + {number}\n"
                slots = [{"width": width, "height": 4} for width in WIDTHS]
                examples = [
                    {"slots": each, "args": [], "kwargs": {}, "returns": 4 * each["width"] + number} for each in slots
                ]
                method = UvmMethod("area_", source=source, author="bench", examples=examples)
                history.put(box, "area_", method, author="bench", why="")
                seen = {"height": number, "colour": "red"}
                runs += [Run(source=source, receiver=Ref(oid_of(box)), slots={**seen, **each}) for each in slots]
    finally:
        db.close()
    return runs


async def measure(home: Home, runs: list[Run], rounds: int) -> tuple[list[float], list[float]]:
    """Seconds of each round: of a check, and of the jail by itself. The first one is cold."""
    ours, alone = [], []
    jail = Jail()
    await jail.start()
    try:
        async with homes.running(home) as client:
            for _ in range(rounds + 1):
                ours.append(await check(client, len(runs)))
                alone.append(await run_all(jail, runs))
    finally:
        await jail.close()
    return ours, alone


async def check(client: Client, runs: int) -> float:
    began = time.perf_counter()
    found = await client.call(verbs.CHECK, Check(), seconds=PATIENCE_S)
    seconds = time.perf_counter() - began
    assert (found.ok, found.examples) == (True, runs), found
    return seconds


async def run_all(jail: Jail, runs: list[Run]) -> float:
    """All runs, `AT_ONCE` at a time."""
    waiting = iter(runs)

    async def one_after_the_other() -> None:
        for run in waiting:
            assert isinstance(await jail.run(run), Done)

    began = time.perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))
    return time.perf_counter() - began


if __name__ == "__main__":
    raise SystemExit(main())
