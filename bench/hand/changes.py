"""What a person writes by hand, end to end: `define`, `set` and `revert`, each beside the start of the command.

    python -m bench.hand.changes [--objects N] [--rounds N] [--json]

Real processes run a home (`bench.running.homes`: storage, broker, guardian, orchestrator) whose world has many objects. Each command is a
process of its own, as a person starts it; beside it, in turns, `batos --version` is started, which does nothing. What is told is
how much longer than that the median command takes. The method that is defined takes another one's place, which has a contract, and
others send it: three contracts are tried, and who sends it is found among all objects.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from ZODB import DB
from ZODB.FileStorage import FileStorage

from bench.claims import Claim, processor, report
from bench.running import homes
from protocol.home import Home
from world import history
from world.method import UvmMethod
from world.store import commit
from world.uvm import UvmObject

OBJECTS: Final = 100_000
ROUNDS: Final = 20
TARGET_MS: Final = 150.0
AREA: Final = "def area_(self):\n    return self.width * self.height{}\n"
TWICE: Final = "def twice_(self):\n    return 2 * self.area_()\n"
CASE: Final[dict[str, Any]] = {"slots": {"width": 3, "height": 4}, "args": [], "kwargs": {}}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.hand.changes")
    parser.add_argument("--objects", type=int, default=OBJECTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        home = Home(Path(folder) / "h")
        build(home, asked.objects)
        spent = asyncio.run(measure(home, asked.rounds))
    start = statistics.median(spent.pop("start"))
    claims = []
    for name, seconds in spent.items():
        more = statistics.median(seconds) - start
        claims.append(
            Claim(
                name, round(more), {"batos --version": round(start)}, "ms more", f"{TARGET_MS:g} ms", more <= TARGET_MS
            )
        )
    report("hand", claims, device=f"{processor()}, {asked.objects} objects", as_json=asked.json)
    return 0 if all(claim.ok for claim in claims) else 1


def build(home: Home, objects: int) -> None:
    """A world with `box`, whose method two others send, among so many objects."""
    homes.build_world(home, objects, 0)
    db = DB(FileStorage(str(home.database), blob_dir=str(home.blobs)))
    try:
        with commit(db, user="bench", description="what is measured") as connection:
            root = connection.root()
            for name in ("box", "crate", "chest"):
                made = root["objects"][name] = UvmObject(name, width=3, height=4)
                made.set_slot("parent*", root["traits_obj"] if name == "box" else root["objects"]["box"])
                connection.add(made)
                selector, source, returns = ("area_", AREA.format(""), 12) if name == "box" else ("twice_", TWICE, 24)
                method = UvmMethod(selector, source=source, author="bench", examples=[{**CASE, "returns": returns}])
                history.put(made, selector, method, author="bench", why="")
    finally:
        db.close()


async def measure(home: Home, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each command, round by round; the first round warms up."""
    spent: dict[str, list[float]] = {}
    async with homes.running(home):
        for number in range(rounds + 1):
            text = home.root / "area.py"
            text.write_text(AREA.format(f" + {number} - {number}"))
            for name, words in commands(text, number).items():
                took = await asyncio.to_thread(run, home, words)
                if number:
                    spent.setdefault(name, []).append(took)
    return spent


def commands(text: Path, number: int) -> dict[str, list[str]]:
    return {
        "start": ["--version"],
        "define": ["define", "box", str(text)],
        "set": ["set", "box", f"width={number}"],
        "revert": ["revert", "box", "area_"],
    }


def run(home: Home, words: list[str]) -> float:
    """Milliseconds of one command, which must succeed."""
    environment = {**os.environ, "BATOS_HOME": str(home.root)}
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *words], env=environment, capture_output=True, text=True, check=False
    )
    took = 1000 * (time.perf_counter() - began)
    if done.returncode != 0:
        raise RuntimeError(f"{words}: {done.stderr}")
    return took


if __name__ == "__main__":
    raise SystemExit(main())
