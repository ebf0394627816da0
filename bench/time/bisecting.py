"""`batos bisect` in a long history: how many trials it makes, and how long it takes.

    python -m bench.time.bisecting [--commits N] [--rounds N] [--json]

A world gets as many commits as are asked for, straight in its file, most of them of other objects; one of them, at another place in
each round, puts a broken method in the place of a good one. Real processes look for it (`bench.running.homes`: storage, broker,
guardian, orchestrator), by the command's own question over the bus. The peers are what halving needs at least with both ends tried, and
the jail alone with as many runs of the same method.
"""

from __future__ import annotations

import argparse
import asyncio
import math
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
from protocol import verbs
from protocol.codec import Ref
from protocol.home import Home
from protocol.messages import Bisect, Bisected, Done, Run
from world import history
from world.method import UvmMethod
from world.store import commit
from world.uvm import UvmObject

COMMITS: Final = 10_000
ROUNDS: Final = 5
MOST_TRIALS: Final = 16
MOST_S: Final = 60.0
GOOD: Final = "def area_(self):\n    return self.width * self.height\n"
BAD: Final = "def area_(self):\n    return self.width + self.height\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.time.bisecting")
    parser.add_argument("--commits", type=int, default=COMMITS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    places = [round((number + 0.5) * asked.commits / asked.rounds) for number in range(asked.rounds)]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        home = Home(Path(folder))
        began, broken = build(home, asked.commits, places)
        found, seconds, alone = asyncio.run(measure(home, began, len(places)))
    right = [one.tid == tid for one, tid in zip(found, broken, strict=True)]
    trials = max(len(one.trials) for one in found)
    least = 2 + math.ceil(math.log2(max(one.commits for one in found)))
    print(f"{found[0].commits} commits; rounds of {', '.join(f'{each:.2f}' for each in seconds)} s")
    claims = [
        Claim(
            "trials",
            trials,
            {"halving needs": least},
            "trials",
            f"≤ {MOST_TRIALS}, the right commit each time",
            all(right) and trials <= MOST_TRIALS,
        ),
        Claim(
            "seconds",
            round(statistics.median(seconds), 3),
            {"the jail alone": round(statistics.median(alone), 3)},
            "s",
            f"≤ {MOST_S:g} s",
            max(seconds) <= MOST_S,
        ),
    ]
    report("time.bisecting", claims, device=processor(), as_json=asked.json)
    return 0 if all(claim.ok for claim in claims) else 1


def build(home: Home, commits: int, places: list[int]) -> tuple[str, list[str]]:
    """The world: the moment at which all is good, and the commit that breaks each round's object."""
    homes.build_world(home, 1, 0)
    db = DB(FileStorage(str(home.database), blob_dir=str(home.blobs)))
    try:
        with commit(db, user="bench", description="the objects") as connection:
            objects: Any = connection.root()["objects"]
            for number in range(len(places)):
                box = objects[f"box{number}"] = UvmObject(f"box{number}", width=3, height=4)
                box.set_slot("parent*", connection.root()["traits_obj"])
                connection.add(box)
                history.put(box, "area_", UvmMethod("area_", source=GOOD, author="bench"), author="bench", why="")
            objects["other"] = other = UvmObject("other", number=0)
            connection.add(other)
        good = bytes(db.lastTransaction()).hex()
        broken = []
        for number in range(commits):
            with commit(db, user="bench", description=f"commit {number}") as connection:
                objects = connection.root()["objects"]
                if number in places:
                    box = objects[f"box{places.index(number)}"]
                    history.put(box, "area_", UvmMethod("area_", source=BAD, author="bench"), author="bench", why="")
                else:
                    objects["other"].number = number
            if number in places:
                broken.append(bytes(db.lastTransaction()).hex())
    finally:
        db.close()
    return good, broken


async def measure(home: Home, good: str, rounds: int) -> tuple[list[Bisected], list[float], list[float]]:
    """What each round has found, its seconds, and those of as many runs in a jail by itself."""
    found, seconds, alone = [], [], []
    jail = Jail()
    await jail.start()
    try:
        async with homes.running(home) as client:
            for number in range(rounds):
                request = Bisect(target=f"box{number}", selector="area_", expect=12, good=good)
                began = time.perf_counter()
                found.append(await client.call(verbs.BISECT, request, seconds=4 * MOST_S))
                seconds.append(time.perf_counter() - began)
                alone.append(await run(jail, len(found[-1].trials)))
    finally:
        await jail.close()
    return found, seconds, alone


async def run(jail: Jail, times: int) -> float:
    """So many runs, one after the other, as a search makes them."""
    wanted = Run(source=GOOD, receiver=Ref("0" * 16), slots={"width": 3, "height": 4})
    began = time.perf_counter()
    for _ in range(times):
        assert isinstance(await jail.run(wanted), Done)
    return time.perf_counter() - began


if __name__ == "__main__":
    raise SystemExit(main())
