"""Gate 5, the jail: the guardian's asynchronous face of its templates.

Every run and every parse happens in a child that was locked in before it saw a byte of it. What comes back is bytes
from a hostile process: it is decoded strictly, and anything but a proper answer becomes a `Failed` with its reason.
A machine that cannot put a layer on is named, and refused unless its owner has said that it may be missing.

A run may be kept alive while it waits for the answer to a send (`suspended`). That saves a replay and changes nothing:
only a proper answer of a resumed child counts, and whatever else comes of it is left to the replay to find out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Final, overload

import msgspec

from actors.guardian.confinement import confine
from actors.guardian.jail import child
from actors.guardian.jail.codes import Codes, key_of
from actors.guardian.jail.launching import Launched, cores
from actors.guardian.jail.suspended import Suspended, Waiting
from actors.guardian.jail.turns import Turns
from actors.guardian.jail.worker import Reply, Worker
from actors.guardian.policy import bounds
from actors.guardian.runtime import probing, trial
from protocol import codec
from protocol.errors import BatosError
from protocol.messages import (
    Answer,
    Awaiting,
    Done,
    Effect,
    Failed,
    Judge,
    Onward,
    Outcome,
    Probe,
    Probed,
    Ran,
    Resume,
    Resumed,
    Run,
    Trial,
    Tried,
    Verdict,
)

MAX_SECONDS: Final = 60.0
JUDGE_SECONDS: Final = 2.0
MOST_AHEAD: Final = 1 << 20
"""Bytes of an answer with which a run goes on unasked: both outcomes must fit one frame."""
_REFUSED_ENDS: Final = frozenset({"FORBIDDEN_SYSCALL"})
_NO_PROCESS: Final = "no process could be started"


class Jail:
    """`workers` templates, and as many works at a time; 0 is one for each core. A run that waits for an answer is none.

    `may_lack` names layers that may be missing here. At most `suspended` runs wait; by default two for each core, 0 is none.
    Templates that were `launched` beforehand are the first ones.
    """

    def __init__(
        self,
        *,
        workers: int = 0,
        may_lack: Collection[str] = (),
        suspended: int | None = None,
        launched: Sequence[Launched] = (),
    ) -> None:
        unknown = sorted(set(may_lack) - set(confine.LAYERS))
        if unknown:
            raise BatosError(
                "BAD_CONFIG",
                f"the jail has no layer {unknown[0]!r}",
                f"guardian.may_lack may name: {', '.join(confine.LAYERS)}",
            )
        self._may_lack = frozenset(may_lack)
        number = workers if workers > 0 else cores()
        self._workers = [Worker(launched[n] if n < len(launched) else None) for n in range(number)]
        self._codes = Codes()
        self._suspended = Suspended(2 * cores() if suspended is None else suspended)
        self._may_wait = 0
        self._turns = Turns(len(self._workers), lambda: self._suspended.is_crowded(self._may_wait + 1))
        self.missing: dict[str, str] = {}

    async def start(self) -> None:
        """Start the templates; NO_JAIL names a layer that is missing, or a gate that refuses nothing."""
        try:
            await asyncio.gather(*(worker.start() for worker in self._workers))
            self.missing = {layer: why for worker in self._workers for layer, why in worker.missing.items()}
            self._check_layers()
            await self._probe()
        except BaseException:
            await self.close()
            raise

    def pids(self) -> list[int]:
        return [worker.pid for worker in self._workers]

    async def close(self) -> None:
        self._suspended.clear()
        for worker in self._workers:
            await worker.close()

    @overload
    async def run(self, request: Run) -> Outcome: ...
    @overload
    async def run(self, request: Trial) -> Tried: ...
    @overload
    async def run(self, request: Probe) -> Probed: ...
    @overload
    async def run(self, request: Judge) -> Verdict: ...

    async def run(self, request: Run | Trial | Probe | Judge) -> Outcome | Tried | Probed | Verdict:
        """Do it in a child. A method that misbehaves is an outcome; a wrong request raises, and a machine that is full."""
        if isinstance(request, Run):
            return await self._run(request)
        if isinstance(request, Trial):
            return await trial.try_out(request, self.judge, self._run)
        if isinstance(request, Probe):
            return await probing.probe(request, self.judge_all, self._run, len(self._workers))
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
            async with self._turn() as worker:
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

    async def begin(self, request: Run, *, mandate: str = "") -> Ran:
        """Run it; where it asks for that and comes to a send, it may be kept for `resume`. Raises as `run` does.

        `mandate` is whose run it is: runs that others of the same mandate wait for come first.
        """
        return await self._ahead(await self._begin(request, mandate), request.then)

    async def _begin(self, request: Run, mandate: str) -> Ran:
        seconds = request.seconds
        if not 0 < seconds <= MAX_SECONDS:
            raise BatosError("BAD_ARGUMENT", f"{seconds} seconds for a run: more than 0, at most {MAX_SECONDS}")
        may_wait = request.suspend and self._suspended.most > 0
        # Processor time is the method's limit; the wall clock only ends what sleeps, on a crowded machine too.
        wall = 4 * seconds + 2
        newcomer = may_wait and not self._suspended.has(mandate)
        async with self._turn(newcomer=newcomer, may_wait=may_wait) as worker:
            code = await self._code(worker, request, wall)
            if isinstance(code, Failed):
                return Ran(outcome=code)
            work = child.run_frame(code, msgspec.structs.replace(request, suspend=may_wait, then=None))
            reply = await worker.do(work, cpu=seconds, wall=wall, may_wait=may_wait)
        _check_room(reply)
        if reply.end:
            return Ran(outcome=_ended(reply.end))
        try:
            return self._ran(Waiting(worker, reply.waits, wall, mandate), reply)
        except BatosError as error:
            return Ran(outcome=_garbage(error))

    async def resume(self, request: Resume) -> Resumed:
        """Go on with a run that waits, where it is still there and answers properly."""
        resumed = await self._resume(request)
        return resumed if resumed.ran is None else Resumed(ran=await self._ahead(resumed.ran, request.then))

    async def _ahead(self, ran: Ran, then: Awaiting | None) -> Ran:
        """Where a run has returned, go on with the one that waits for it, without asking what its answer is to be."""
        done = ran.outcome
        if then is None or not isinstance(done, Done):
            return ran
        changed, removed = (done.changed, done.removed) if then.shared else ({}, [])
        answer = Answer(digest=then.digest, value=done.result, changed=changed, removed=removed)
        if len(codec.pack(answer)) > MOST_AHEAD:
            return ran
        resumed = await self._resume(Resume(suspended=then.suspended, answer=answer))
        if resumed.ran is None:
            return ran
        onward = Onward(suspended=then.suspended, answer=codec.digest(answer), ran=resumed.ran)
        return Ran(outcome=done, onward=onward)

    async def _resume(self, request: Resume) -> Resumed:
        waiting = self._suspended.take(request.suspended)
        if waiting is None:
            return Resumed()
        async with self._turn(waiting.worker, may_wait=True) as worker:
            reply = await worker.resume(waiting.number, codec.pack(request.answer), wall=waiting.wall)
        if reply.end:
            return Resumed()
        try:
            return Resumed(ran=self._ran(waiting, reply))
        except BatosError:
            return Resumed()

    async def _code(self, worker: Worker, request: Run, wall: float) -> bytes | Failed:
        """The code of the method, or how the run has failed for want of it."""
        key = key_of(request.source, kernel=request.kernel)
        known = self._codes.get(key)
        if known is not None:
            return known
        source = child.Source(source=request.source, kernel=request.kernel)
        reply = await worker.do(child.COMPILE + codec.pack(source), cpu=request.seconds, wall=wall)
        _check_room(reply)
        if reply.end:
            return _ended(reply.end)
        try:
            compiled = codec.unpack(reply.answer, child.Compiled)
        except BatosError as error:
            return _garbage(error)
        if compiled.violation is not None:
            found = compiled.violation
            return Failed(code="REFUSED", error=found.rule, message=found.message, line=found.line)
        self._codes.add(key, compiled.code)
        return compiled.code

    async def _run(self, request: Run) -> Outcome:
        return (await self._begin(msgspec.structs.replace(request, suspend=False), "")).outcome

    def _ran(self, waiting: Waiting, reply: Reply) -> Ran:
        """What a child says, kept where it waits for the answer to a send. BAD_MESSAGE where it says nothing of sense."""
        outcome: Outcome | None = None
        try:
            outcome = codec.unpack(reply.answer, Ran).outcome
        finally:
            if reply.waits and not isinstance(outcome, Effect):
                # It waits for what nobody will say.
                waiting.worker.drop(waiting.number)
        kept = reply.waits and isinstance(outcome, Effect)
        return Ran(outcome=outcome, suspended=self._suspended.add(waiting) if kept else "")

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
        async with self._turn() as worker:
            reply = await worker.do(child.PROBE, cpu=JUDGE_SECONDS, wall=10.0)
        problem = reply.end or codec.unpack(reply.answer, child.Booted).problem
        if problem:
            raise BatosError("NO_JAIL", f"the guardian's boot check failed: {problem}", "Reinstall batos.")

    @asynccontextmanager
    async def _turn(
        self, worker: Worker | None = None, *, newcomer: bool = False, may_wait: bool = False
    ) -> AsyncIterator[Worker]:
        """A turn at work, in this template or in the one that has least to do."""
        async with self._turns.one(newcomer=newcomer):
            self._may_wait += may_wait
            try:
                yield worker or min(self._workers, key=lambda one: one.busy)
            finally:
                self._may_wait -= may_wait


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


def _check_room(reply: Reply) -> None:
    if reply.end == "NO_PROCESS":
        raise BatosError("BUSY", f"the method could not be run: {_NO_PROCESS}", "Try again when fewer run.")


def _garbage(error: BatosError) -> Failed:
    return Failed(code="INTERNAL", error="GARBAGE", message=f"the jail's child answered nonsense: {error.message}")


def _ended(end: str) -> Failed:
    if end in _REFUSED_ENDS:
        return Failed(code="REFUSED", error=end, message="the method asked the kernel for what the jail forbids")
    if end.startswith("LIMIT_"):
        return Failed(code="BUDGET_EXCEEDED", error=end, message=f"the run exceeded its limit: {end}")
    return Failed(code="INTERNAL", error=end, message=f"the jail's child did not answer: {end}")
