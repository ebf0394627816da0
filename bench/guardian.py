"""The guardian: what it refuses, what it contains, what it costs, beside its peers in the same run.

    python -m bench.guardian [--methods N] [--json]

The static gates are asked by `batos guard`'s own process on the labelled sets; the abuses and the native attempts run
in the jail and nowhere else. Peers that can be run are the literal rule "the last statement is the signal", and
RestrictedPython as it comes; the seed's guardian is quoted. `--methods` is for the amnesia oracle.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from actors.guardian.confinement.confine import LAYERS
from actors.guardian.jail import launching
from actors.guardian.jail.jail import Jail
from actors.guardian.jail.worker import Worker
from bench.amnesia import Oracle, prepare
from bench.claims import Claim, processor, report
from bench.oracle import corpus, pretending
from bench.oracle.attempts import MARK, Scene, attempts
from protocol.codec import Ref
from protocol.messages import Answer, Effect, Ran, Resume, Run

ROOT: Final = Path(__file__).parents[1]
ME: Final = Ref("0" * 16)
LIMIT_S: Final = 0.5
PROBES: Final = 300
MANY: Final = 4000
_PLAIN: Final = "def area_(self, factor=1):\n    return self.width * self.height * factor\n"
_FRESH: Final = [sys.executable, "-I", "-c", "print(3 * 4)"]
_RAW: Final = "from bench.oracle import attempts; from actors.guardian.jail import child; child.work = attempts.work; "


def guard(rows: list[corpus.Row], gate: str) -> tuple[dict[Any, bool], float]:
    """Whether each row is accepted, by a process of its own as `batos guard` starts it; and the seconds it took."""
    text = "".join(json.dumps({"id": row["id"], "code": row["code"]}) + "\n" for row in rows)
    command = [sys.executable, "-m", "actors.guardian", "guard", "--jsonl", "-", "--gate", gate]
    began = time.perf_counter()
    done = subprocess.run(command, input=text.encode(), capture_output=True, cwd=ROOT, check=False)
    seconds = time.perf_counter() - began
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["id"]: line["verdict"] == "accept" for line in lines}, seconds


def share(rows: list[corpus.Row], which: list[bool]) -> float:
    return round(100 * sum(which) / len(rows), 2) if rows else 0.0


def covenant() -> list[Claim]:
    rows = [row for row in corpus.rows("covenant") if row["policy"] is None]
    ours, _ = guard(rows, "covenant")
    bad = [row for row in rows if row["label"] == "reject"]
    good = [row for row in rows if row["label"] == "accept"]
    accepted = [ours[row["id"]] for row in bad]
    refused = [not ours[row["id"]] for row in good]
    return [
        Claim(
            id=f"covenant, {len(bad)} bad methods: accepted",
            ours=sum(accepted),
            peers={
                "last statement": sum(corpus.last_statement(row["code"]) for row in bad),
                "RestrictedPython": sum(corpus.restricted(row["code"]) for row in bad),
                "the seed's (quoted, of 144)": 104,
            },
            unit="methods",
            target="0",
            ok=not any(accepted),
        ),
        Claim(
            id=f"covenant, {len(good)} good methods: refused",
            ours=share(good, refused),
            peers={
                "last statement": share(good, [not corpus.last_statement(row["code"]) for row in good]),
                "RestrictedPython": share(good, [not corpus.restricted(row["code"]) for row in good]),
                "the seed's (quoted)": round(100 * corpus.QUOTED["good rejected"], 1),
            },
            unit="%",
            target="<= 2 %",
            ok=share(good, refused) <= 2.0,
        ),
    ]


def oracle(methods: int) -> list[Claim]:
    prepare()
    mine = Oracle(1).run(methods)
    literal = Oracle(1, accepts=corpus.last_statement).run(max(1, methods // 10))
    return [
        Claim(
            id=f"amnesia oracle, {mine.accepted} accepted of {methods}: amnesic",
            ours=len(mine.amnesic),
            peers={f"last statement (of {literal.accepted})": len(set(literal.amnesic))},
            unit="methods",
            target="0",
            ok=not mine.amnesic,
        ),
        Claim(
            id=f"amnesia oracle, {mine.rejected} refused: truly amnesic on some argument",
            ours=round(100 * mine.forgetful / max(1, mine.rejected), 1),
            peers={
                f"last statement (of {literal.rejected})": round(100 * literal.forgetful / max(1, literal.rejected), 1)
            },
            unit="%",
            target="printed",
            ok=True,
        ),
    ]


def static() -> list[Claim]:
    rows = [row for row in corpus.rows("escapes") if row["must"] == "reject_static"]
    ours, _ = guard(rows, "all")
    generic = [row for row in rows if row.get("scope") == "generic"]
    # What is to kill a parser is not given to one here.
    readable = [row for row in rows if row.get("category") != "parse-bomb" and not str(row["id"]).startswith("BND")]
    compiled = sum(corpus.restricted(row["code"]) for row in readable)
    passed = [ours[row["id"]] for row in rows]
    benign = [row for row in corpus.rows("benign") if not row["needs_import"]]
    judged, _ = guard(benign, "all")
    refused = [not judged[row["id"]] for row in benign]
    return [
        Claim(
            id=f"static escapes, {len(generic)} generic ones: accepted",
            ours=sum(ours[row["id"]] for row in generic),
            peers={f"RestrictedPython compiles (of {len(readable)}, no parse bombs)": compiled},
            unit="sources",
            target="0",
            ok=not any(ours[row["id"]] for row in generic),
        ),
        Claim(
            id=f"static escapes, all {len(rows)}: refused",
            ours=100 - share(rows, passed),
            peers={"RestrictedPython (no parse bombs)": round(100 - 100 * compiled / max(1, len(readable)), 2)},
            unit="%",
            target=">= 99 %",
            ok=share(rows, passed) <= 1.0,
        ),
        Claim(
            id=f"benign, {len(benign)} without imports: refused",
            ours=share(benign, refused),
            peers={
                "RestrictedPython": share(benign, [not corpus.restricted(row["code"]) for row in benign]),
                "the seed's (quoted)": round(100 * corpus.QUOTED["benign refused"], 1),
            },
            unit="%",
            target="<= 2 %",
            ok=share(benign, refused) <= 2.0,
        ),
    ]


async def abuses() -> list[Claim]:
    """Each abuse ends in an outcome, in time, and leaves nothing: by effect, whatever the outcome is called."""
    rows = [row for row in corpus.rows("escapes") if row["must"] == "contain_at_runtime"]
    jail = Jail(workers=1)
    await jail.start()
    contained, worst = 0, 0.0
    try:
        await jail.run(Run(source=_PLAIN, receiver=ME))
        before, children = memory(), descendants(jail.pids())
        for row, suspend in itertools.product(rows, (False, True)):
            source = row["code"]
            slots = {"items": [], "width": 1, "height": 1}
            began = time.perf_counter()
            await to_its_end(jail, Run(source=source, receiver=ME, slots=slots, seconds=LIMIT_S, suspend=suspend))
            late = time.perf_counter() - began - LIMIT_S
            worst = max(worst, late)
            alive = await jail.run(Run(source=_PLAIN, receiver=ME, slots=slots))
            stray = await strays(jail, len(children))
            contained += type(alive).__name__ == "Done" and not stray and late <= 0.1
        grown = memory() - before
    finally:
        await jail.close()
    return [
        Claim(
            id=f"abuses at run time, {len(rows)}, to their end and kept: contained in time, no stray process",
            ours=contained,
            peers={"all": 2 * len(rows)},
            unit="runs",
            target="all",
            ok=contained == 2 * len(rows),
        ),
        Claim(
            id="abuses: the latest end after the limit",
            ours=round(1000 * worst, 1),
            peers={"limit": 100},
            unit="ms",
            target="<= 100 ms",
            ok=worst <= 0.1,
        ),
        Claim(
            id="abuses: growth of the guardian's memory",
            ours=round(grown / (1 << 20), 1),
            peers={},
            unit="MiB",
            target="< 8 MiB",
            ok=grown < 8 << 20,
        ),
    ]


async def strays(jail: Jail, usual: int) -> bool:
    """Whether there are more processes than usual. (An answer is told before its child is quite dead.)"""
    for _ in range(20):
        if len(descendants(jail.pids())) <= usual:
            return False
        await asyncio.sleep(0.01)
    return True


async def to_its_end(jail: Jail, run: Run) -> None:
    """A run with nothing for an answer to each of its sends, as long as it is kept."""
    ran: Ran | None = await jail.begin(run)
    while ran is not None and isinstance(ran.outcome, Effect) and ran.suspended:
        answer = Answer(digest=ran.outcome.digest)
        ran = (await jail.resume(Resume(suspended=ran.suspended, answer=answer))).ran


async def native() -> list[Claim]:
    """All attempts, with the gates off, in children of a real template."""
    secret = os.urandom(12).hex()
    reached, tried = [], 0
    with ExitStack() as stack:
        scene = stack.enter_context(_Stage(secret))
        start: str = launching._START  # noqa: SLF001 - the one way to a template without the gates
        stack.callback(setattr, launching, "_START", start)
        setattr(launching, "_START", start.replace("from actors", f"{_RAW}from actors", 1))  # noqa: B010
        template = Worker()
        await template.start()
        assert not template.missing, template.missing
        try:
            for may_wait, attempt in itertools.product((False, True), attempts(scene)):
                # A template that has been killed is no goal reached by itself: its own kind is counted by its word.
                reply = await template.do(attempt.source.encode(), cpu=0.5, wall=3.0, may_wait=may_wait)
                said = reply.answer.decode(errors="replace")
                tried += 1
                if attempt.reached(said, scene) or reply.end == "JAIL_DIED":
                    reached.append(attempt.name)
                    print(f"reached its goal: {attempt.name}: {said[:80]!r} {reply.end}", file=sys.stderr)
            for name, story in pretending.STORIES.items():
                tried += 1
                if said := await story(template, secret, descendants):
                    reached.append(name)
                    print(f"reached its goal: {name}: {said[:80]!r}", file=sys.stderr)
        finally:
            await template.stop()
    return [
        Claim(
            id=f"native attempts with the gates off, {tried}: goals reached",
            ours=len(reached),
            peers=dict(corpus.QUOTED_NATIVE),
            unit="attempts",
            target="0",
            ok=not reached,
        )
    ]


class _Stage:
    """The scene of the attempts, set up and struck."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._stack = ExitStack()

    def __enter__(self) -> Scene:
        folder = self._stack.enter_context(tempfile.TemporaryDirectory())
        Path(folder).chmod(0o777)
        (Path(folder) / "secret").write_text(self._secret)
        (Path(folder) / "doomed").touch()
        victim = subprocess.Popen(["/bin/sleep", "600"])
        self._stack.callback(victim.wait)
        self._stack.callback(victim.kill)
        ports = []
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            port = self._stack.enter_context(socket.socket(socket.AF_INET, kind))
            port.bind(("127.0.0.1", 0))
            ports.append(port)
        ports[0].listen()
        abstract = self._stack.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind("\0batos-bench")
        abstract.listen()
        descriptor = os.open(f"{folder}/secret", os.O_RDONLY)
        self._stack.callback(os.close, descriptor)
        os.set_inheritable(descriptor, True)
        os.environ[MARK] = self._secret
        self._stack.callback(os.environ.pop, MARK)
        return Scene(
            folder=folder,
            secret=self._secret,
            victim=victim.pid,
            tcp=ports[0].getsockname()[1],
            udp=ports[1].getsockname()[1],
            descriptor=descriptor,
        )

    def __exit__(self, *_: object) -> None:
        self._stack.close()


async def speed() -> list[Claim]:
    """A probe in the jail, beside a fresh Python that does the same without one."""
    jail = Jail(workers=1)
    await jail.start()
    took, fresh = [], []
    request = Run(source=_PLAIN, receiver=ME, slots={"width": 3, "height": 4})
    try:
        for n in range(PROBES):
            began = time.perf_counter()
            await jail.run(request)
            took.append(1000 * (time.perf_counter() - began))
            if n % 30 == 0:
                began = time.perf_counter()
                await asyncio.to_thread(subprocess.run, _FRESH, stdout=subprocess.DEVNULL, check=True)
                fresh.append(1000 * (time.perf_counter() - began))
    finally:
        await jail.close()
    took = sorted(took[10:])
    peers = {"a fresh python -c, no jail (p50)": round(statistics.median(fresh), 1)}
    p50, p95 = took[len(took) // 2], took[int(len(took) * 0.95)]
    return [
        Claim(id="jailed probe, p50", ours=round(p50, 2), peers=peers, unit="ms", target="<= 5 ms", ok=p50 <= 5),
        Claim(id="jailed probe, p95", ours=round(p95, 2), peers=peers, unit="ms", target="<= 15 ms", ok=p95 <= 15),
    ]


def rate() -> list[Claim]:
    sources = [row["code"] for name in ("covenant", "benign") for row in corpus.rows(name)]
    rows = [{"id": n, "code": sources[n % len(sources)]} for n in range(MANY)]
    took = [guard(rows, "all")[1] for _ in range(3)]
    ours = len(rows) / statistics.median(took)
    began = time.perf_counter()
    for row in rows:
        corpus.restricted(row["code"])
    peer = len(rows) / (time.perf_counter() - began)
    return [
        Claim(
            id=f"guard --jsonl, static gates, {MANY} rows with the start",
            ours=round(ours),
            peers={"RestrictedPython compiles, one process, no jail": round(peer)},
            unit="verdicts/s",
            target=">= 1000",
            ok=ours >= 1000,
        )
    ]


def memory() -> int:
    """Resident bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def descendants(pids: list[int]) -> list[int]:
    """All processes below `pids`."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found, todo = [], list(pids)
    while todo:
        below = parents.get(todo.pop(), [])
        found += below
        todo += below
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.guardian", description=__doc__)
    parser.add_argument("--methods", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    print(f"corpus: {corpus.place()}; layers: {', '.join(LAYERS)}; load {os.getloadavg()[0]:.1f}")
    claims = [*covenant(), *static(), *asyncio.run(abuses()), *asyncio.run(native()), *asyncio.run(speed()), *rate()]
    claims += oracle(options.methods)
    report("guardian", claims, device=processor(), as_json=options.json)


if __name__ == "__main__":
    main()
