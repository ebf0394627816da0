"""Gate 5, the jail: the guardian's asynchronous face of its templates.

Every run and every parse happens in a child that was locked in before it saw a byte of it. What comes back is bytes
from a hostile process: it is decoded strictly, and anything but a proper answer becomes a `Failed` with its reason.
A machine that cannot put a layer on is named, and refused unless its owner has said that it may be missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Final, overload

from actors.guardian import bounds, child, confine, trial
from actors.guardian.worker import Reply, Worker
from protocol import codec
from protocol.errors import BatosError
from protocol.messages import Failed, Judge, Outcome, Ran, Run, Trial, Tried, Verdict

MAX_SECONDS: Final = 60.0
JUDGE_SECONDS: Final = 2.0
_REFUSED_ENDS: Final = frozenset({"FORBIDDEN_SYSCALL"})
_NO_PROCESS: Final = "no process could be started"


class Jail:
    """`workers` templates; each does one work at a time. `may_lack` names layers that may be missing here."""

    def __init__(self, *, workers: int = 2, may_lack: Collection[str] = ()) -> None:
        unknown = sorted(set(may_lack) - set(confine.LAYERS))
        if unknown:
            raise BatosError(
                "BAD_CONFIG",
                f"the jail has no layer {unknown[0]!r}",
                f"guardian.may_lack may name: {', '.join(confine.LAYERS)}",
            )
        self._may_lack = frozenset(may_lack)
        self._workers = [Worker() for _ in range(max(1, workers))]
        self._idle: asyncio.Queue[Worker] = asyncio.Queue()
        self.missing: dict[str, str] = {}

    async def start(self) -> None:
        """Start the templates; NO_JAIL names a layer that is missing, or a gate that refuses nothing."""
        try:
            await asyncio.gather(*(worker.start() for worker in self._workers))
            self.missing = {layer: why for worker in self._workers for layer, why in worker.missing.items()}
            self._check_layers()
            self._idle = asyncio.Queue()
            for worker in self._workers:
                self._idle.put_nowait(worker)
            await self._probe()
        except BaseException:
            await self.close()
            raise

    def pids(self) -> list[int]:
        return [worker.pid for worker in self._workers]

    async def close(self) -> None:
        for worker in self._workers:
            await worker.stop()

    @overload
    async def run(self, request: Run) -> Outcome: ...
    @overload
    async def run(self, request: Trial) -> Tried: ...
    @overload
    async def run(self, request: Judge) -> Verdict: ...

    async def run(self, request: Run | Trial | Judge) -> Outcome | Tried | Verdict:
        """Do it in a child. A method that misbehaves is an outcome; a wrong request raises, and a machine that is full."""
        if isinstance(request, Run):
            return await self._run(request)
        if isinstance(request, Trial):
            return await trial.try_out(request, self.judge, self._run)
        return await self.judge(request)

    async def judge(self, request: Judge) -> Verdict:
        """The verdict of the static gates."""
        (verdict,) = await self.judge_all([request])
        return verdict

    async def judge_all(self, requests: Sequence[Judge]) -> list[Verdict]:
        """The verdicts on many sources, in as few children as their behaviour allows."""
        verdicts: list[Verdict] = []
        for request in requests:
            found = bounds.weigh(request.source)
            # What is too large goes no further; all else is measured where it is parsed.
            verdicts.append(Verdict(verdict="reject" if found else "accept", violations=found))
        places = [n for n, verdict in enumerate(verdicts) if verdict.accepted]
        while places:
            batch = child.Batch(sources=[requests[n] for n in places])
            async with self._worker() as worker:
                reply = await worker.do(child.BATCH + codec.pack(batch), cpu=JUDGE_SECONDS, wall=4 * JUDGE_SECONDS + 2)
            judged = _verdicts(reply)[: len(places)]
            for n, verdict in zip(places, judged, strict=False):
                verdicts[n] = verdict
            if not judged:
                # Only the first of a batch has had all the time there is: the others are tried again.
                if reply.end == "NO_PROCESS":
                    raise BatosError("BUSY", f"the jail could not judge: {_NO_PROCESS}", "Try again when fewer run.")
                if reply.end == "JAIL_DIED":
                    raise BatosError("INTERNAL", "the jail's template died while it judged", "Try again.")
                verdicts[places.pop(0)] = Verdict(verdict="reject", violations=[bounds.died()])
            places = places[len(judged) :]
        return verdicts

    async def _run(self, request: Run) -> Outcome:
        seconds = request.seconds
        if not 0 < seconds <= MAX_SECONDS:
            raise BatosError("BAD_ARGUMENT", f"{seconds} seconds for a run: more than 0, at most {MAX_SECONDS}")
        work = child.RUN + codec.pack(request)
        async with self._worker() as worker:
            # Processor time is the method's limit; the wall clock only ends what sleeps, on a crowded machine too.
            reply = await worker.do(work, cpu=seconds, wall=4 * seconds + 2)
        if reply.end == "NO_PROCESS":
            raise BatosError("BUSY", f"the method could not be run: {_NO_PROCESS}", "Try again when fewer run.")
        if reply.end:
            return _ended(reply.end)
        try:
            return codec.unpack(reply.answer, Ran).outcome
        except BatosError as error:
            return Failed(
                code="INTERNAL", error="GARBAGE", message=f"the jail's child answered nonsense: {error.message}"
            )

    def _check_layers(self) -> None:
        for layer, why in self.missing.items():
            if layer not in self._may_lack:
                raise BatosError(
                    "NO_JAIL",
                    f"the jail's layer {layer!r} cannot be set up here: {why}",
                    f'Where that is acceptable, say so in batos.toml: [guardian] may_lack = ["{layer}"]',
                    layer=layer,
                )

    async def _probe(self) -> None:
        async with self._worker() as worker:
            reply = await worker.do(child.PROBE, cpu=JUDGE_SECONDS, wall=10.0)
        problem = reply.end or codec.unpack(reply.answer, child.Probed).problem
        if problem:
            raise BatosError("NO_JAIL", f"the guardian's boot check failed: {problem}", "Reinstall batos.")

    @asynccontextmanager
    async def _worker(self) -> AsyncIterator[Worker]:
        worker = await self._idle.get()
        try:
            yield worker
        finally:
            self._idle.put_nowait(worker)


def _verdicts(reply: Reply) -> list[Verdict]:
    """The whole verdicts in a batch's answer, up to where it ends or stops making sense."""
    verdicts: list[Verdict] = []
    data = reply.answer
    while len(data) >= 4:
        length = int.from_bytes(data[:4], "big")
        frame, data = data[4 : 4 + length], data[4 + length :]
        try:
            verdicts.append(codec.unpack(frame, Verdict))
        except BatosError:
            break
    return verdicts


def _ended(end: str) -> Failed:
    if end in _REFUSED_ENDS:
        return Failed(code="REFUSED", error=end, message="the method asked the kernel for what the jail forbids")
    if end.startswith("LIMIT_"):
        return Failed(code="BUDGET_EXCEEDED", error=end, message=f"the run exceeded its limit: {end}")
    return Failed(code="INTERNAL", error=end, message=f"the jail's child did not answer: {end}")
