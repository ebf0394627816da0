"""A backup of a large world beside a raw copy of the same files, and what comes after it: an increment, and a restore.

    python -m bench.keeping.backup [--world GB] [--blobs GB] [--rounds N] [--folder DIR] [--json]

The world is built straight in a FileStorage: half of it objects, half blobs. The raw copy is `cp -r`, and then an fsync of each
file and folder, as a backup owes it too. Both are measured in turn, into fresh folders of one disk.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ZODB import DB
from ZODB.blob import Blob

from actors.orchestrator.journal.journal import Journal
from actors.storage.world_file import WorldFile
from bench.claims import Claim, processor, report
from bus.process.in_place import sync
from protocol.home import Home
from world.awakening import awaken
from world.store import commit
from world.uvm import UvmObject

GB: Final = 10**9
BATCH: Final = 2000
TEXT: Final = 4000
"""Bytes of a text in an object."""
BLOB: Final = 8 * 10**6
SHARE: Final = 0.6


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.keeping.backup")
    parser.add_argument("--world", type=float, default=1.0, help="GB of objects")
    parser.add_argument("--blobs", type=float, default=1.0, help="GB of blobs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", help="where there is room for some times as much")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    top = Path(tempfile.mkdtemp(prefix="batos-bench-", dir=asked.folder or "/tmp"))
    try:
        home = build(Home(top / "home"), int(asked.world * GB), int(asked.blobs * GB))
        size = sum(path.stat().st_size for path in home.root.rglob("*") if path.is_file())
        print(f"a home of {size / GB:.2f} GB")
        claims = measure(home, top, size, asked.rounds)
    finally:
        shutil.rmtree(top)
    report("backup", claims, device=processor(), as_json=asked.json)
    return 0 if all(claim.ok for claim in claims) else 1


def build(home: Home, world: int, blobs: int) -> Home:
    """A home with that many bytes of objects and of blobs."""
    home.prepare()
    Journal(home.journal).close()
    db = DB(WorldFile(str(home.database), blob_dir=str(home.blobs)))
    awaken(db)
    number = 0
    while home.database.stat().st_size < world:
        with commit(db, user="bench", description="objects") as connection:
            objects = connection.root()["objects"]
            for number in range(number, number + BATCH):  # noqa: B020 - it goes on where it was
                objects[f"o{number}"] = UvmObject(f"o{number}", text=os.urandom(TEXT // 2).hex())
            number += 1
    for count in range(max(1, blobs // BLOB)):
        with commit(db, user="bench", description="a blob") as connection:
            connection.root()["objects"][f"b{count}"] = UvmObject(f"b{count}", weights=Blob(os.urandom(BLOB)))
    db.close()
    return home


def measure(home: Home, top: Path, size: int, rounds: int) -> list[Claim]:
    """Ours and a raw copy in turn; then an increment after one change, and a restore."""
    ours: list[float] = []
    raw: list[float] = []
    for number in range(rounds):
        for taken, kind in ((raw, raw_copy), (ours, backup)):
            target = top / f"{kind.__name__}{number}"
            taken.append(timed(lambda kind=kind, target=target: kind(home, target)))  # type: ignore[misc]
            if number or kind is raw_copy:
                shutil.rmtree(target)
        print(f"round {number + 1}: raw {raw[-1]:.2f} s, ours {ours[-1]:.2f} s")
    change(home)
    increment = timed(lambda: backup(home, top / "backup0"))
    restored = timed(lambda: restore(top / "backup0", top / "again"))
    speed, peer = size / statistics.median(ours) / 1e6, size / statistics.median(raw) / 1e6
    rate = size / restored / 1e6
    return [
        Claim(
            "backup.whole",
            round(speed),
            {"cp -r, fsync": round(peer)},
            "MB/s",
            f"{SHARE} of raw",
            speed >= SHARE * peer,
        ),
        Claim("backup.increment", round(increment, 2), {"whole": round(statistics.median(ours), 2)}, "s", "none", True),
        Claim("backup.restore", round(rate), {"cp -r, fsync": round(peer)}, "MB/s", "none", True),
    ]


def timed(work: Callable[[], None]) -> float:
    """Seconds; what others have left to write is written first."""
    os.sync()
    began = time.monotonic()
    work()
    return time.monotonic() - began


def raw_copy(home: Home, target: Path) -> None:
    """The same files, and each made durable."""
    target.mkdir()
    subprocess.run(["cp", "-r", str(home.world), str(home.journal), str(target)], check=True)
    for path in (target, *target.rglob("*")):
        sync(path)


def backup(home: Home, target: Path) -> None:
    _storage("--backup", str(target), "--home", str(home.root))


def restore(source: Path, target: Path) -> None:
    _storage("--restore", str(source), "--home", str(target))


def _storage(*words: str) -> None:
    subprocess.run([sys.executable, "-P", "-m", "actors.storage", *words], check=True, stdout=subprocess.DEVNULL)


def change(home: Home) -> None:
    """One small commit."""
    db = DB(WorldFile(str(home.database), blob_dir=str(home.blobs)))
    with commit(db, user="bench", description="a change") as connection:
        connection.root()["objects"]["o0"].text = "changed"
    db.close()


if __name__ == "__main__":
    sys.exit(main())
