"""Runs that wait for an answer: kept, gone on with, and lost in every way, which nobody notices but by the time it takes."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.guardian.confinement.confine import LAYERS
from actors.guardian.jail import suspended
from actors.guardian.jail.jail import Jail
from protocol import codec
from protocol.codec import Ref
from protocol.messages import Answer, Awaiting, Done, Effect, Failed, Ran, Resume, Run

ME = Ref("00000000000000aa")
FINE = Run(source="def m_(self):\n    return 1\n", receiver=ME)
TWO = """def m_(self):
    try:
        first = self.one_()
        self.seen = [first]
        second = self.two_(first)
    except Exception:
        self.seen = ['caught']
    finally:
        self.seen.append('finally')
        self._p_changed = True
    return first + second
"""


def inside(story: Callable[[Jail], Awaitable[Any]], **settings: Any) -> Any:
    """What `story` comes to in a jail of its own."""

    async def told() -> Any:
        jail = Jail(**{"workers": 1, "may_lack": LAYERS, **settings})
        await jail.start()
        try:
            return await story(jail)
        finally:
            await jail.close()

    return asyncio.run(told())


def run_of(source: str, **more: Any) -> Run:
    return Run(source=source, receiver=ME, suspend=True, **more)


def answer_to(ran: Ran, value: Any = None, **more: Any) -> Resume:
    assert isinstance(ran.outcome, Effect)
    return Resume(suspended=ran.suspended, answer=Answer(digest=ran.outcome.digest, value=value, **more))


async def stopped(jail: Jail, count: int) -> list[int]:
    """The processes of the jail that are stopped, once they are `count`; what they are after a while, otherwise."""
    for _ in range(500):
        found = _stopped_below(jail.pids())
        if len(found) == count:
            break
        await asyncio.sleep(0.01)
    return found


def _stopped_below(pids: list[int]) -> list[int]:
    processes: dict[int, list[str]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            processes[int(path.parent.name)] = path.read_text().rpartition(")")[2].split()

    def is_below(pid: int) -> bool:
        while pid in processes:
            pid = int(processes[pid][1])
            if pid in pids:
                return True
        return False

    return [pid for pid, (state, *_) in processes.items() if state == "T" and is_below(pid)]


def _are_there(pids: list[int]) -> bool:
    return any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_run_goes_on_where_it_waits():
    async def story(jail: Jail) -> None:
        first = await jail.begin(run_of(TWO))
        assert (first.outcome.n, first.outcome.send.selector) == (0, "one_")
        (pid,) = await stopped(jail, 1)
        second = (await jail.resume(answer_to(first, 5))).ran
        assert (second.outcome.n, second.outcome.send.args, second.outcome.changed) == (1, [5], {"seen": [5]})
        assert second.suspended != first.suspended
        assert await stopped(jail, 1) == [pid]
        third = (await jail.resume(answer_to(second, 6))).ran
        assert third == Ran(outcome=Done(result=11, changed={"seen": [5, "finally"]}, signalled=True))
        assert await stopped(jail, 0) == []

    inside(story)


def test_nothing_is_kept_that_nobody_asked_for():
    async def story(jail: Jail) -> None:
        ran = await jail.begin(Run(source=TWO, receiver=ME))
        assert isinstance(ran.outcome, Effect)
        assert not ran.suspended
        assert await jail.run(run_of(TWO)) == ran.outcome
        assert await stopped(jail, 0) == []

    inside(story)


def test_a_run_that_waits_holds_no_worker():
    async def story(jail: Jail) -> None:
        first = await jail.begin(run_of(TWO))
        assert await jail.run(FINE) == Done(result=1)
        assert await jail.run(Run(source="def m_(self):\n    while True:\n        pass\n", receiver=ME, seconds=0.1))
        assert (await jail.resume(answer_to(first, 1))).ran is not None

    inside(story)


def test_a_token_serves_once_and_is_nobody_elses():
    async def story(jail: Jail) -> None:
        first = await jail.begin(run_of(TWO))
        assert len(first.suspended) >= 32
        other = Resume(suspended="0" * 32, answer=Answer(digest=first.outcome.digest))
        assert (await jail.resume(other)).ran is None
        assert (await jail.resume(answer_to(first))).ran is not None
        assert (await jail.resume(answer_to(first))).ran is None

    inside(story)


def test_the_answer_to_another_send_is_refused_as_in_a_replay():
    async def story(jail: Jail) -> None:
        first = await jail.begin(run_of(TWO))
        wrong = Answer(digest="of another send")
        resumed = (await jail.resume(Resume(suspended=first.suspended, answer=wrong))).ran
        assert resumed.outcome == await jail.run(run_of(TWO, answers=[wrong]))
        assert resumed.outcome.code == "REPLAY_DIVERGED"

    inside(story)


def test_who_has_waited_longest_goes_first():
    async def story(jail: Jail) -> None:
        runs = [await jail.begin(run_of(TWO)) for _ in range(4)]
        assert len(await stopped(jail, 2)) == 2
        resumed = [await jail.resume(answer_to(ran)) for ran in runs]
        assert [one.ran is None for one in resumed] == [True, True, False, False]

    inside(story, suspended=2)


def test_with_no_place_nothing_waits():
    async def story(jail: Jail) -> None:
        first = await jail.begin(run_of(TWO))
        assert (first.outcome.n, first.suspended) == (0, "")

    inside(story, suspended=0)


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(suspended, "SECONDS", 0.05)

    async def story(jail: Jail) -> None:
        first = await jail.begin(run_of(TWO))
        await asyncio.sleep(0.2)
        assert (await jail.resume(answer_to(first))).ran is None
        assert await stopped(jail, 0) == []

    inside(story)


async def _kill_child(jail: Jail) -> None:
    for pid in await stopped(jail, 1):
        os.kill(pid, signal.SIGKILL)


async def _kill_template(jail: Jail) -> None:
    waiting = await stopped(jail, 1)
    for pid in jail.pids():
        os.kill(pid, signal.SIGKILL)
    while _are_there(waiting):
        await asyncio.sleep(0.01)


async def _clear(jail: Jail) -> None:
    jail._suspended.clear()


@pytest.mark.parametrize("kill", [_kill_child, _kill_template, _clear])
def test_a_lost_child_is_run_again(kill: Callable[[Jail], Awaitable[None]]):
    async def story(jail: Jail) -> None:
        first = await jail.begin(run_of(TWO))
        await kill(jail)
        assert (await jail.resume(answer_to(first, 5))).ran is None
        again = await jail.begin(run_of(TWO, answers=[answer_to(first, 5).answer]))
        assert (again.outcome.n, again.outcome.changed) == (1, {"seen": [5]})
        assert (await jail.resume(answer_to(again, 1))).ran.outcome.result == 6

    inside(story)


def test_who_is_no_longer_wanted_while_it_works_is_killed():
    source = "def m_(self):\n    self.one_()\n    while True:\n        pass\n"

    async def story(jail: Jail) -> None:
        pids = jail.pids()
        first = await jail.begin(run_of(source, seconds=30))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await jail.resume(answer_to(first))
        assert await jail.run(FINE) == Done(result=1)
        assert jail.pids() == pids

    inside(story)


SPENDING = """def m_(self):
    for i in range(4):
        self.one_()
        n = 0
        while n < 600000:
            n += 1
    return n
"""


def test_processor_time_counts_over_the_whole_run_and_waiting_costs_none():
    async def spent(jail: Jail, seconds: float) -> list[Any]:
        ran: Ran | None = await jail.begin(run_of(SPENDING, seconds=seconds))
        outcomes = []
        while ran is not None and isinstance(ran.outcome, Effect):
            outcomes.append(ran.outcome)
            await asyncio.sleep(0.05)
            ran = (await jail.resume(answer_to(ran))).ran
        return [*outcomes, ran]

    async def story(jail: Jail) -> None:
        assert (await spent(jail, 20.0))[-1].outcome == Done(result=600000)
        # Whatever ends a child that goes on, a replay finds it out.
        outcomes = await spent(jail, 0.02)
        assert outcomes[-1] is None
        answers = [Answer(digest=effect.digest) for effect in outcomes[:-1]]
        replayed = await jail.begin(run_of(SPENDING, seconds=0.02, answers=answers))
        assert replayed.outcome == Failed(
            code="BUDGET_EXCEEDED", error="LIMIT_TIME", message="the run exceeded its limit: LIMIT_TIME"
        )

    inside(story)


def test_an_answer_is_taken_in_as_deep_as_a_method_may_have_come():
    deep: Any = 0
    for _ in range(60):
        deep = [deep]
    source = """def m_(self):
    def down(n):
        return down(n - 1) if n else self.one_()
    return down(900)
"""

    async def story(jail: Jail) -> None:
        first = await jail.begin(run_of(source))
        assert isinstance(first.outcome, Effect)
        assert (await jail.resume(answer_to(first, deep))).ran == Ran(outcome=Done(result=deep))

    inside(story)


def test_a_large_answer_comes_whole():
    source = "def m_(self):\n    return [len(self.one_()), len(self.big)]\n"

    async def story(jail: Jail) -> None:
        first = await jail.begin(run_of(source, slots={"big": "a" * 900_000}))
        assert (await jail.resume(answer_to(first, "b" * 1_000_000))).ran.outcome == Done(result=[1_000_000, 900_000])

    inside(story)


@pytest.mark.parametrize(
    "words",
    [
        # It says that it waits, and what it says is no send; and one that goes on talking.
        "child._write(child.HEAD.pack(child.WAITS, 3) + b'abc'), child.read(confine.INPUT, 1)",
        "child._write(child.HEAD.pack(child.WAITS, 3) + b'abc'), [child._write(b'x' * 65536) for _ in range(99)]",
        "child._write(child.HEAD.pack(child.WAITS, 0)), child.read(confine.INPUT, 1)",
    ],
)
def test_a_child_that_only_pretends_to_wait_is_a_failure_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, words: str
):
    from actors.guardian.jail import launching

    modules = "from actors.guardian.confinement import confine; from actors.guardian.jail import child; "
    mutant = f"{modules}child._run = lambda frame: ({words}); "
    monkeypatch.setattr(launching, "_START", launching._START.replace("from actors", f"{mutant}from actors", 1))

    async def story(jail: Jail) -> None:
        ran = await jail.begin(run_of(TWO, seconds=0.1))
        assert (ran.outcome.code, ran.suspended) in {("INTERNAL", ""), ("BUDGET_EXCEEDED", "")}
        assert await stopped(jail, 0) == []

    inside(story)


def test_closing_ends_those_that_wait():
    pids: list[int] = []

    async def story(jail: Jail) -> None:
        await jail.begin(run_of(TWO))
        pids.extend(await stopped(jail, 1))

    inside(story)
    assert pids
    assert not _are_there(pids)


def test_a_run_goes_on_unasked_when_the_one_returns_that_it_waits_for():
    async def story(jail: Jail) -> None:
        first = await jail.begin(run_of(TWO))
        then = Awaiting(suspended=first.suspended, digest=first.outcome.digest, shared=True)
        change = "def n_(self):\n    self.seen = 1\n    self._p_changed = True\n    return 5\n"
        ran = await jail.begin(run_of(change, then=then))
        answer = Answer(digest=first.outcome.digest, value=5, changed={"seen": 1})
        assert ran.outcome == Done(result=5, changed={"seen": 1}, signalled=True)
        assert (ran.onward.suspended, ran.onward.answer) == (first.suspended, codec.digest(answer))
        assert ran.onward.ran.outcome == await jail.run(run_of(TWO, answers=[answer]))
        assert (await jail.resume(answer_to(first, 5))).ran is None, "its token has served"
        second = (await jail.resume(answer_to(ran.onward.ran, 6))).ran
        assert second.outcome.result == 11

    inside(story)


@pytest.mark.parametrize("source", ["def n_(self):\n    return self.x\n", "def n_(self):\n    return self.x_()\n"])
def test_nobody_goes_on_where_the_other_has_not_returned(source: str):
    async def story(jail: Jail) -> None:
        first = await jail.begin(run_of(TWO))
        then = Awaiting(suspended=first.suspended, digest=first.outcome.digest, shared=False)
        assert (await jail.begin(run_of(source, then=then))).onward is None
        assert (await jail.resume(answer_to(first, 5))).ran is not None
        lost = await jail.begin(msgspec.structs.replace(FINE, then=then))
        assert lost == Ran(outcome=Done(result=1))

    inside(story)
