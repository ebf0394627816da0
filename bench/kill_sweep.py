"""How long a kill is felt: from the end of a process to the next right answer that needs it.

    python -m bench.kill_sweep [--quick] [--rounds N] [--json]

A whole system runs, with the embedded model, on a world of its own. In each round each process is killed by its pid:

    at rest    SIGKILL, and at once a message that needs it: for the broker, storage, orchestrator and guardian one that
               writes, for memory a search, for inference a short `infer_`. The clock runs from the kill to the answer.
    at work    the same while messages that write come one after the other; the first that was begun after the kill counts,
               so whoever was under way when it came is waited for too
    stopped    SIGSTOP instead, which nobody but the medic ends
    medic      until the next one is at work; a message meanwhile tells what is felt of it
    supervisord  the same, and then `batos up` until it says ready, with each actor the process that it was

Whoever asks keeps one connection to the bus, and asks again under the same key as soon as it is told that the system is
away. What a restarted actor spends on its models is read from its log and stands beside: its p50 counts less that.
Every answered message has counted an object up by one, so what was lost, or done twice, shows in the answers.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from ulid import ULID

from bench.claims import Claim, processor, report
from bench.running import homes
from bus.client import Client
from cli import lifecycle
from cli.calls.facts import FACTS
from cli.health.census import census
from ops.supervisor import ACTORS, Supervisor
from protocol import verbs
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Index, Look, Mandate, MandateReply, Search
from protocol.verbs import Partial, Reply, Request, Verb

ROUNDS: Final = 3
FELT_S: Final = 0.6
STOPPED_S: Final = 3.0
"""Until the medic ends who is stopped; the restart comes on top."""
UP_S: Final = 5.0
PATIENCE_S: Final = 60.0
AGAIN_S: Final = 0.02
REST_S: Final = 1.3
"""Who dies within supervisord's `startsecs` has failed to start, and is started again later; that is another matter."""
WRITING: Final = ("broker", "storage", "orchestrator", "guardian")
LOADING: Final = ("memory", "inference")
COUNTER: Final = homes.worker(0)
START: Final = 3
"""Its `width`, which `grow_` counts up."""


class Sweep:
    """One running system, and what it has answered so far."""

    def __init__(self, home: Home, client: Client) -> None:
        self.home = home
        self.counted: list[int] = []
        self.felt: dict[str, list[float]] = {}
        self.loads: dict[str, list[float]] = {}
        self.usual: dict[str, list[float]] = {}
        self.told: Counter[str] = Counter()
        self._client = client
        self._supervisor = Supervisor(home)

    # What is asked --------------------------------------------------------------------------------------------

    async def write(self) -> None:
        """One message that writes, answered."""
        reply = await self._send(Mandate(target=COUNTER, selector="grow_"))
        self.counted.append(reply.result)

    async def infer(self) -> None:
        asked = Mandate(target=COUNTER, selector="infer_", args=["Say yes."], kwargs={"max_tokens": 4})
        reply = await self._send(asked)
        if not isinstance(reply.result, str):
            raise TypeError(f"a text was asked for, not {reply.result!r}")

    async def search(self) -> None:
        found = await self._patiently(
            lambda: self._call(verbs.SEARCH, Search(query="What does the guardian judge?", top_k=3))
        )
        if not found.hits:
            raise RuntimeError("a passage that memory has is not found")

    async def width(self) -> int:
        seen = await self._call(verbs.LOOK, Look(target=COUNTER))
        return int(seen.slots["width"])

    async def _send(self, mandate: Mandate) -> MandateReply:
        key = str(ULID())
        reply: MandateReply = await self._patiently(lambda: self._call(verbs.MANDATE, mandate, key))
        return reply

    async def _call(self, verb: Verb[Request, Reply, Partial], request: Request, key: str = "") -> Reply:
        return await self._client.call(verb, request, seconds=PATIENCE_S, idem=key)

    async def _patiently(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        while True:
            try:
                return await ask()
            except BatosError as error:
                if not error.is_passing:
                    raise
                if not error.is_away:  # every other failure of the moment should be nobody's to see
                    self.told[error.code] += 1
                await asyncio.sleep(AGAIN_S)

    # What is killed -------------------------------------------------------------------------------------------

    async def kill(self, name: str, how: signal.Signals, ask: Callable[[], Awaitable[None]], row: str) -> None:
        """Signal one that is at rest; its next answer, and before that one that nobody is killed for."""
        began = time.perf_counter()
        await ask()
        self.usual.setdefault(row, []).append(time.perf_counter() - began)
        log = self.home.log / f"{name}.log"
        said = log.stat().st_size
        began = await self._signal(name, how)
        await ask()
        self._note(row, time.perf_counter() - began)
        await self.settle()
        if name in LOADING:
            self.loads.setdefault(row, []).append(_load(log, said))

    async def kill_at_work(self, name: str, row: str) -> None:
        """Kill one while messages come one after the other."""
        killed: list[float] = []
        answered = asyncio.Event()

        async def stream() -> None:
            while not answered.is_set():
                counts = bool(killed)
                await self.write()
                if counts and not answered.is_set():
                    self._note(row, time.perf_counter() - killed[0])
                    answered.set()

        streaming = asyncio.create_task(stream())
        await asyncio.sleep(0.1)
        killed.append(await self._signal(name, signal.SIGKILL))
        await streaming
        await self.settle()

    async def kill_medic(self, row: str) -> None:
        """Its count of restarts is written anew by the next one, as soon as that is at work."""
        counts = self.home.run / "medic.json"
        before = counts.stat().st_mtime_ns
        began = await self._signal("medic", signal.SIGKILL)
        await self.write()
        self._note(f"{row}, a message meanwhile", time.perf_counter() - began)
        while counts.stat().st_mtime_ns == before:  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(AGAIN_S)
        self._note(f"{row}, until the next is at work", time.perf_counter() - began)
        await self.settle()

    async def kill_supervisord(self, row: str) -> None:
        before = await self._pids()
        house = self._supervisor.pid()
        assert house is not None
        began = time.perf_counter()
        os.kill(house, signal.SIGKILL)
        await self.write()
        self._note(f"{row}, a message meanwhile", time.perf_counter() - began)
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli.main", "up", "--home", str(self.home.root), "--json"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        if await process.wait():
            raise RuntimeError(f"`batos up` ended with {process.returncode}")
        self._note(f"{row}, `up` until ready", time.perf_counter() - began)
        after = await self._pids()
        if after != before:
            raise RuntimeError(f"not the actors that there were: {before}, now {after}")
        await self.settle()

    async def settle(self) -> None:
        """Until everybody has been at work for a while: the next kill finds a system at rest."""
        while True:
            found = await census(self.home)
            if found.ready and all(one.state == "RUNNING" for one in found.processes.values()):
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(REST_S)

    async def _signal(self, name: str, how: signal.Signals) -> float:
        pid = (await asyncio.to_thread(self._supervisor.processes))[name].pid
        began = time.perf_counter()
        os.kill(pid, how)
        return began

    async def _pids(self) -> dict[str, int]:
        found = await asyncio.to_thread(self._supervisor.processes)
        return {name: found[name].pid for name in ACTORS}

    def _note(self, row: str, seconds: float) -> None:
        self.felt.setdefault(row, []).append(seconds)
        print(f"  {row}: {seconds:.2f} s", file=sys.stderr)


def _load(log: Path, said: int) -> float:
    """Seconds that the actor has spent on its models since the log was `said` bytes long, by its own word."""
    lines = log.read_bytes()[said:].splitlines()
    ready = [entry for line in lines if line[:1] == b"{" and (entry := json.loads(line)).get("event") == "ready"]
    return float(ready[-1]["seconds"])


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[Sweep]:
    """A whole system in a throw-away home while the block lasts."""
    with tempfile.TemporaryDirectory(prefix="bk", dir="/tmp") as place:
        home = Home(Path(place))
        homes.build_world(home, 40, 1)
        try:
            await lifecycle.up(home, lambda line: print(f"  {line}", file=sys.stderr))
            async with Client(home.bus, "bench", patience=PATIENCE_S) as client:
                document = Index(doc_id="house", text=FACTS)
                await client.call(verbs.INDEX, document, seconds=PATIENCE_S)
                yield Sweep(home, client)
        finally:
            await lifecycle.down(home, lambda _: None)


async def sweep(rounds: int) -> list[Claim]:
    """Every kill, so many times."""
    async with running() as one:
        await one.write()
        await one.settle()
        for _ in range(rounds):
            for name in WRITING:
                await one.kill(name, signal.SIGKILL, one.write, f"{name} killed at rest")
            await one.kill("memory", signal.SIGKILL, one.search, "memory killed at rest")
            await one.kill("inference", signal.SIGKILL, one.infer, "inference killed at rest")
            for name in WRITING:
                await one.kill_at_work(name, f"{name} killed at work")
            for name in WRITING:
                await one.kill(name, signal.SIGSTOP, one.write, f"{name} stopped")
            await one.kill_medic("medic killed")
            await one.kill_supervisord("supervisord killed")
        return claims_of(one.felt, one.loads, one.usual) + tallied(one.counted, await one.width(), one.told)


def claims_of(
    felt: dict[str, list[float]], loads: dict[str, list[float]], usual: dict[str, list[float]]
) -> list[Claim]:
    """A claim for each row: its median, less what its models took. Beside it the whole, and the same without a kill."""
    found = []
    for row, spent in felt.items():
        loaded = loads.get(row, [0.0] * len(spent))
        # Who can answer before its models are there has not waited for them.
        ours = statistics.median(
            max(whole - load, 0.0) if whole > load else whole for whole, load in zip(spent, loaded, strict=True)
        )
        peers = {"max": round(max(spent), 2)}
        if row in loads:
            peers |= {"p50 with models": round(statistics.median(spent), 2)}
            peers |= {"models p50": round(statistics.median(loaded), 2)}
        if row in usual:
            peers |= {"without a kill": round(statistics.median(usual[row]), 2)}
        limit = STOPPED_S + FELT_S if "stopped" in row else UP_S if "`up`" in row else FELT_S
        found.append(Claim(f"{row}, p50", round(ours, 3), peers, "s", f"<= {limit:g} s", ours <= limit))
    return found


def tallied(counted: list[int], width: int, told: Counter[str]) -> list[Claim]:
    """What was answered, as each message has counted up by one: in order, without a gap, as it stands now."""
    lost = len(counted) - len(set(counted)) + sum(value > width for value in set(counted))
    doubled = max(0, width - START - len(set(counted)))
    peers = {"messages": float(len(counted))}
    return [
        Claim("acknowledged messages that are lost", lost, peers, "messages", "0", lost == 0),
        Claim("messages that were done twice", doubled, peers, "messages", "0", doubled == 0),
        Claim("failures told, other than that an actor is away", told.total(), dict(told), "failures", "0", not told),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.kill_sweep", description="How long a kill of each process is felt.")
    parser.add_argument("--quick", action="store_true", help="one round")
    parser.add_argument("--rounds", type=int, metavar="N", help=f"so many rounds, instead of {ROUNDS}")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    claims = asyncio.run(sweep(options.rounds or (1 if options.quick else ROUNDS)))
    report("kill_sweep", claims, device=processor(), as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
