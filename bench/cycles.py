"""Messages and cycles: how many a second, how long one takes, and whether that grows with what has gone before.

    python -m bench.cycles [--quick] [--json] [--peers PYTHON] [--keep FILE]

Real processes answer, without a model (`bench.running.homes`). Measured are: an understood read (`area_`, nothing is written), an
understood write (`grow_`, one commit), a method with five sends of its own (`five_`), and a no-op cycle (`ponder_`): the six
states of the machine are gone through, its context is committed where everybody can see it, every state's method runs in
the jail with its sends, and the end is published; but SYNTHESIZING writes no method, so nothing is generated. Each alone, and
32 at once, each sender with an object of its own. And what is answered at once, alone: a look at the root, a mistyped
name, the newest cycles, the orchestrator's status.

Three homes run side by side and take turns: a small one, one with many finished mandates, one with many objects. The
peers take their turns in the same rounds, each in a process of its own (`bench.running.flows`): DBOS and LangGraph with a workflow
of five steps that add one, each step durable, on SQLite in WAL mode, synchronous. They run in the interpreter that `--peers`
names (default: this one); one that it does not have is not measured, and what rests on it is said to be so.

With `--keep`, each block is a line of FILE as soon as it is measured, and a run that was cut off goes on from there.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from bench.claims import Claim, commit, processor, report
from bench.running import flows, homes
from bus.client import Client
from protocol import verbs
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Cycles, Look, StatusQuery
from protocol.verbs import AnyVerb

AT_ONCE: Final = 32
FLAT: Final = 1.2
PEERS: Final = {"dbos": "DBOS", "langgraph": "LangGraph"}
SMALL: Final = "small"
STEPS: Final = "five steps"


Ask = Callable[[Client, int], Awaitable[object]]
"""One question by the sender of that number, answered."""


def sends(selector: str) -> Ask:
    return lambda client, number: homes.send(client, homes.worker(number), selector)


def asks(verb: AnyVerb, request: msgspec.Struct, code: str = "") -> Ask:
    """A question to the orchestrator; with `code`, the error that is the right answer."""

    async def ask(client: Client, _: int) -> None:
        try:
            await client.call(verb, request, seconds=homes.ANSWER_S)
        except BatosError as error:
            if error.code != code:
                raise

    return ask


async def tell(client: Client, _: int) -> None:
    """The newest cycle's whole story."""
    newest = await client.call(verbs.CYCLES, Cycles(limit=1), seconds=homes.ANSWER_S)
    await client.call(verbs.CYCLES, Cycles(id=newest.cycles[0].cycle), seconds=homes.ANSWER_S)


KINDS: Final[dict[str, Ask]] = {
    "understood read": sends("area_"),
    "understood write": sends("grow_"),
    "five sends": sends("five_"),
    "no-op cycle": sends("ponder_"),
}
LOOKS: Final[dict[str, Ask]] = {
    "look at the root": asks(verbs.LOOK, Look(target="root")),
    "a mistyped name": asks(verbs.LOOK, Look(target="wroker07"), "UNKNOWN_OBJECT"),
    "the newest cycles": asks(verbs.CYCLES, Cycles()),
    "a cycle's story": tell,
    "status": asks(verbs.STATUS["orchestrator"], StatusQuery()),
}
ROWS: Final = [
    *((kind, at_once, ask) for at_once in (1, AT_ONCE) for kind, ask in KINDS.items()),
    *((look, 1, ask) for look, ask in LOOKS.items()),
]
"""What is measured in each home, and how many ask at once."""


class Size(NamedTuple):
    """How large one home is, and what it is called where it is told."""

    name: str
    mandates: int
    objects: int


class Plan(NamedTuple):
    """What is run: homes of these sizes (the first is the small one), rounds, and seconds of one block."""

    sizes: Sequence[Size]
    rounds: int
    seconds: float

    def block(self, round_: int) -> float:
        """Seconds of one block: the round 0 only warms up."""
        return self.seconds if round_ else self.seconds / 6


WHOLE: Final = Plan(
    [Size(SMALL, 5_000, 100), Size("300,000 mandates", 300_000, 100), Size("100,000 objects", 5_000, 100_000)], 5, 3.0
)
QUICK: Final = Plan(
    [Size(SMALL, 500, 40), Size("5,000 mandates", 5_000, 40), Size("2,000 objects", 500, 2_000)], 1, 1.0
)


class Block(NamedTuple):
    """So many a second, and the median of their milliseconds."""

    rate: float
    p50: float


Key = tuple[int, str, str, int]
"""Round, who, what, how many at once."""


class Notes:
    """The blocks of a run; with a file, each is in it as soon as it is known, and those of an earlier run count."""

    def __init__(self, file: Path | None, plan: Plan) -> None:
        self._file = file
        self.blocks: dict[Key, Block] = {}
        head = json.dumps({"sizes": plan.sizes, "seconds": plan.seconds, "commit": commit()})
        lines = file.read_text().splitlines() if file is not None and file.exists() else []
        if lines[:1] == [head]:
            for line in lines[1:]:
                round_, who, what, at_once, rate, p50 = json.loads(line)
                self.blocks[round_, who, what, at_once] = Block(rate, p50)
        elif file is not None:
            file.write_text(head + "\n")

    def lacks(self, key: Key) -> bool:
        """Whether that is to be measured; the round 0 warms up whoever has just been started, so always."""
        return not key[0] or key not in self.blocks

    def add(self, key: Key, block: Block) -> None:
        self.blocks[key] = block
        print(f"  {key[1]}: {key[2]}, {key[3]} at once: {block.rate:.1f}/s, p50 {block.p50:.1f} ms", file=sys.stderr)
        if self._file is not None:
            with self._file.open("a") as file:
                file.write(json.dumps([*key, *block]) + "\n")

    def median(self, who: str, what: str, at_once: int) -> Block | None:
        """Of all rounds but the first, which warms up; None where that was not measured."""
        found = [block for key, block in self.blocks.items() if key[0] and key[1:] == (who, what, at_once)]
        if not found:
            return None
        return Block(statistics.median(one.rate for one in found), statistics.median(one.p50 for one in found))


async def repeat(client: Client, ask: Ask, at_once: int, seconds: float) -> Block:
    """Let so many senders do it again and again; what was begun in time counts to its end."""
    began = time.perf_counter()
    spent: list[float] = []

    async def sender(number: int) -> None:
        while (start := time.perf_counter()) < began + seconds:
            await ask(client, number)
            spent.append(1000 * (time.perf_counter() - start))

    await asyncio.gather(*(sender(number) for number in range(at_once)))
    return Block(len(spent) / (time.perf_counter() - began), statistics.median(spent))


class Peer:
    """A peer's process; `label` is its name and version, empty where its interpreter does not have it."""

    def __init__(self, python: str, name: str, folder: Path) -> None:
        folder.mkdir()
        command = [python, str(Path(flows.__file__)), name, str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        first = self._answer()
        self.label = str(first["label"]) if first else ""

    def repeat(self, at_once: int, seconds: float) -> Block:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"at_once": at_once, "seconds": seconds}) + "\n")
        self._process.stdin.flush()
        found = self._answer()
        return Block(found["rate"], found["p50"])

    def close(self) -> None:
        self._process.communicate()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line and self._process.wait() != flows.MISSING:
            raise RuntimeError(f"a peer has ended with exit code {self._process.returncode}")
        return dict(json.loads(line)) if line else {}


async def prepare(place: Path, size: Size) -> Home:
    """A home of that size whose processes are not running; what the journal copies, they have answered."""
    home = Home(place)
    homes.build_world(home, size.objects, AT_ONCE)
    async with homes.running(home) as client:
        for ask in KINDS.values():
            for number in range(4):
                await ask(client, number)
    found = await asyncio.to_thread(homes.grow_journal, home, size.mandates)
    print(f"  {size.name}: {found} finished mandates, {size.objects} objects", file=sys.stderr)
    return home


async def run(plan: Plan, python: str, notes: Notes) -> dict[str, str]:
    """Measure into `notes`; the label of each peer that was there."""
    async with contextlib.AsyncExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bc", dir="/tmp")))
        made = [await prepare(place / str(n), size) for n, size in enumerate(plan.sizes)]
        clients = [await stack.enter_async_context(homes.running(home)) for home in made]
        peers: dict[str, Peer] = {}
        for name in PEERS:
            peers[name] = await asyncio.to_thread(Peer, python, name, place / name)
            stack.callback(peers[name].close)
        peers = {name: peer for name, peer in peers.items() if peer.label}
        named = {size.name: client for size, client in zip(plan.sizes, clients, strict=True)}
        for round_ in range(plan.rounds + 1):
            for what, at_once, ask in ROWS:
                for who in sorted(named, key=lambda name: hash_of(f"{round_} {name} {what}")):
                    if notes.lacks(key := (round_, who, what, at_once)):
                        notes.add(key, await repeat(named[who], ask, at_once, plan.block(round_)))
            for at_once in (1, AT_ONCE):
                for name, peer in peers.items():
                    if notes.lacks(key := (round_, name, STEPS, at_once)):
                        notes.add(key, await asyncio.to_thread(peer.repeat, at_once, plan.block(round_)))
        return {name: peer.label for name, peer in peers.items()}


def hash_of(text: str) -> str:
    """Another order in every round, and the same one in every run: nobody always goes first."""
    return hashlib.sha256(text.encode()).hexdigest()


def claims_of(plan: Plan, notes: Notes, labels: dict[str, str]) -> list[Claim]:
    """What comes out: nothing grows, and the peers are no faster."""
    found = []
    for what, at_once, _ in ROWS:
        how = "alone" if at_once == 1 else f"{at_once} at once"
        found += [growth(plan, notes, f"{what}, {how}, a second", (what, at_once), rate=True)]
        found += [growth(plan, notes, f"{what}, {how}, p50", (what, at_once), rate=False)]
    for kind, factor in (("five sends", 1), ("no-op cycle", 2)):
        ours = notes.median(SMALL, kind, AT_ONCE)
        assert ours is not None
        peers = {labels[name]: block.rate for name in labels if (block := notes.median(name, STEPS, AT_ONCE))}
        found.append(beside(f"{kind}, {AT_ONCE} at once, beside five steps", ours.rate, peers, "/s", factor))
    ours = notes.median(SMALL, "five sends", 1)
    theirs = notes.median("langgraph", STEPS, 1)
    assert ours is not None
    peers = {labels["langgraph"]: theirs.p50} if theirs else {}
    found.append(beside("five sends, alone, p50, beside five steps", ours.p50, peers, "ms", 1))
    return found


def growth(plan: Plan, notes: Notes, id_: str, what: tuple[str, int], *, rate: bool) -> Claim:
    """Ours in the small home, and in the large ones as peers."""
    blocks = {size.name: notes.median(size.name, *what) for size in plan.sizes}
    values = {name: round(block.rate if rate else block.p50, 2) for name, block in blocks.items() if block is not None}
    ours = values.pop(SMALL)
    ok = all(ours <= FLAT * other if rate else other <= FLAT * ours for other in values.values())
    small = plan.sizes[0]
    target = f"flat within {FLAT} x ({small.mandates:,} mandates, {small.objects:,} objects here)"
    return Claim(id_, ours, values, "/s" if rate else "ms", target, ok)


def beside(id_: str, ours: float, peers: dict[str, float], unit: str, factor: int) -> Claim:
    """Ours beside the peers; without one of them the claim is not measured, and so not reached."""
    is_rate = unit == "/s"
    whose = "either peer" if is_rate else "LangGraph"
    missing = (len(PEERS) if is_rate else 1) - len(peers)
    target = f"{'>=' if is_rate else '<='} {factor} x {whose}"
    ok = not missing and all(ours >= factor * one if is_rate else ours <= factor * one for one in peers.values())
    if missing:
        target += " (not measured: a peer is not installed; see --peers)"
    return Claim(id_, round(ours, 2), {name: round(one, 2) for name, one in peers.items()}, unit, target, ok)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.cycles", description="Messages and cycles a second, beside peers.")
    parser.add_argument("--quick", action="store_true", help="small homes and one short round")
    parser.add_argument("--rounds", type=int, metavar="N", help="so many rounds, instead of five or (quick) one")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--peers", default=sys.executable, metavar="PYTHON", help="an interpreter that has the peers")
    parser.add_argument(
        "--keep", type=Path, metavar="FILE", help="keep results there as they come, and go on from them"
    )
    options = parser.parse_args()
    plan = QUICK if options.quick else WHOLE
    plan = plan._replace(rounds=options.rounds or plan.rounds)
    notes = Notes(options.keep, plan)
    labels = asyncio.run(run(plan, options.peers, notes))
    report("cycles", claims_of(plan, notes, labels), device=processor(), as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
