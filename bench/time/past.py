"""What the past costs: a world of 100,000 objects and 1,000,000 transactions is read at any moment, and a thousand mandates are taken back.

    python -m bench.time.past [TRANSACTIONS] [--json]

The world is built straight in its file, then the real processes run over it, without models. Each question is asked of moments
all over the history, and its median counts; the peer is the same question about now, or what answers it in ZODB alone. Last, as many
messages as `REWOUND` change objects, and one `rewind` takes them back: the world must be what it was, slot by slot.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Final
from unittest import mock

import msgspec
import transaction
from ZODB import DB
from ZODB.Connection import TransactionMetaData
from ZODB.FileStorage import FileStorage

from bench.claims import Claim, processor, report
from bench.running.homes import build_world, running, worker
from bus.client import Client
from protocol import codec, verbs
from protocol.home import Home
from protocol.messages import Diff, Log, Look, PlanRewind, SetSlots
from protocol.verbs import AnyVerb
from world.past import commits

OBJECTS: Final = 100_000
TRANSACTIONS: Final = 1_000_000
ASKED: Final = 60
REWOUND: Final = 1000
WORKERS: Final = 20
TARGET_MS: Final = 100.0
TARGET_REWIND_S: Final = 5.0
_SIGN: Final = 0x2A5B3C4D
"""A number that stands in a record's template where the value will."""


def main() -> int:
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    number = int(words[0]) if words else TRANSACTIONS
    with tempfile.TemporaryDirectory(prefix="batos-", dir="/tmp") as folder:
        home = Home(Path(folder) / "h")
        began = time.perf_counter()
        build_world(home, OBJECTS, WORKERS)
        moments = grow(home, number)
        size = home.database.stat().st_size / 1e6
        print(f"built in {time.perf_counter() - began:.0f} s: {OBJECTS} objects, {number} transactions, {size:.0f} MB")
        found = asyncio.run(measure(home, moments))
    report("time.past", found, device=processor(), as_json="--json" in sys.argv)
    return 0


def grow(home: Home, number: int) -> list[str]:
    """Write `number` transactions, each a slot of one object, as the actors would; some of their ids, in order.

    A record of slots is made once, with a sign where the value stands, which each transaction replaces.
    """
    with mock.patch.dict(vars(sys.modules[FileStorage.__module__]), fsync=None):  # nobody relies on this world
        return _grown(FileStorage(str(home.database), blob_dir=str(home.blobs)), number)


def _grown(storage: FileStorage, number: int) -> list[str]:
    db = DB(storage)
    template, held = _template(db)
    serials = {slots: storage.getTid(slots) for _, slots in held}
    drawn, kept = random.Random(1), []
    for step in range(number):
        owner, slots = held[drawn.randrange(len(held))]
        said = {"mandate": f"bench{step}", commits.TOUCHED: commits.packed([owner])}
        meta = TransactionMetaData("user", f"set width {step}", said)
        storage.tpc_begin(meta)
        data = template.replace(_SIGN.to_bytes(4, "little"), step.to_bytes(4, "little"))
        storage.store(slots, serials[slots], data, "", meta)
        storage.tpc_vote(meta)
        serials[slots] = storage.tpc_finish(meta)
        if step % (number // 1000 or 1) == 0:
            kept.append(serials[slots].hex())
    db.close()
    return kept


def _template(db: DB) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """What the record of an object's slots says, and the records of all such objects: their own, and their slots'."""
    manager = transaction.TransactionManager(explicit=True)
    connection = db.open(manager)
    manager.begin()
    objects = connection.root()["objects"]
    first = objects["object000100"]
    first.set_slot("width", _SIGN)
    manager.commit()
    manager.begin()
    data, _ = db.storage.load(first._slots._p_oid)
    assert data.count(_SIGN.to_bytes(4, "little")) == 1
    held = [(one._p_oid, one._slots._p_oid) for name, one in objects.items() if name.startswith("object")]
    manager.abort()
    connection.close()
    return data, held


async def measure(home: Home, moments: list[str]) -> list[Claim]:
    drawn = random.Random(2)
    some = drawn.sample(moments[10:-1], min(ASKED, len(moments) - 11))
    names = [f"object{drawn.randrange(1000, OBJECTS):06d}" for _ in some]
    async with running(home) as client:
        began = time.perf_counter()
        await client.call(verbs.LOG, Log(before=some[0], limit=1), seconds=600)
        first = time.perf_counter() - began
        before = _memory(home)
        now = await _each(client, [(verbs.LOOK, Look(target=name)) for name in names])
        both = zip(names, some, strict=True)
        then = await _each(client, [(verbs.LOOK, Look(target=name, at=tid)) for name, tid in both])
        log = await _each(client, [(verbs.LOG, Log(object=name)) for name in names])
        page = await _each(client, [(verbs.LOG, Log(before=tid)) for tid in some])
        pairs = [(await client.call(verbs.LOG, Log(before=tid, limit=2), seconds=60)).commits for tid in some]
        diff = await _each(client, [(verbs.DIFF, Diff(a=old.tid, b=new.tid)) for new, old in pairs])
        grown = _memory(home) - before
        spent, is_then = await _rewind(client)
    return [
        _fast("look_at_ms", then, {"now": now}),
        _fast("log_of_an_object_ms", log, {"look_now": now}),
        _fast("log_from_a_moment_ms", page, {"look_now": now}),
        _fast("diff_of_neighbours_ms", diff, {"look_now": now}),
        Claim("first_question_s", round(first, 2), {}, "s", "none: the index over the file is made, once", ok=True),
        Claim("memory_grown_mb", round(grown, 1), {"before": round(before, 1)}, "MB", "<= 50", ok=grown <= 50),
        Claim(
            "rewind_s",
            round(spent, 2),
            {},
            "s",
            f"<= {TARGET_REWIND_S:g} for {REWOUND} mandates",
            ok=spent <= TARGET_REWIND_S,
        ),
        Claim("rewound_is_then", float(is_then), {}, "", "1", ok=is_then),
    ]


def _fast(id_: str, ours: float, peers: dict[str, float]) -> Claim:
    return Claim(id_, ours, peers, "ms", f"<= {TARGET_MS:g}", ok=ours <= TARGET_MS)


async def _each(client: Client, asked: list[tuple[AnyVerb, msgspec.Struct]]) -> float:
    """The median in milliseconds."""
    spent = []
    for verb, request in asked:
        began = time.perf_counter()
        await client.call(verb, request, seconds=600)
        spent.append(time.perf_counter() - began)
    return round(statistics.median(spent) * 1000, 1)


async def _rewind(client: Client) -> tuple[float, bool]:
    """Seconds of a rewind over so many mandates, and whether the world is then what it was."""
    before = await _digest(client)
    (last,) = (await client.call(verbs.LOG, Log(limit=1), seconds=60)).commits
    for number in range(REWOUND):
        await client.call(
            verbs.SET,
            SetSlots(name=worker(number % WORKERS), slots={"width": number + 10}),
            seconds=60,
            idem=f"b{number}",
        )
    changed = await _digest(client)
    began = time.perf_counter()
    done = await client.call(verbs.REWIND, PlanRewind(to=last.tid), seconds=600, idem="rewind")
    spent = time.perf_counter() - began
    after = await _digest(client)
    return spent, after == before != changed and len(done.undone) == REWOUND


async def _digest(client: Client) -> str:
    """Of all measured objects: their slots and methods, without the transaction that has written them."""
    seen = [await client.call(verbs.LOOK, Look(target=worker(number)), seconds=60) for number in range(WORKERS)]
    return codec.digest([[one.name, one.slots, one.parents, sorted(one.methods)] for one in seen])


def _memory(home: Home) -> float:
    """Megabytes that the storage and the orchestrator hold."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*"):
        try:
            words = (stat / "cmdline").read_text().split("\0")
            if str(home.root) in words and any(name in words for name in ("actors.storage", "actors.orchestrator")):
                total += int((stat / "statm").read_text().split()[1]) * 4096
        except OSError:
            continue
    return total / 1e6


if __name__ == "__main__":
    sys.exit(main())
