"""The walls, one by one: each layer is tried from inside, and nothing that a child does hurts the guardian."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from actors.guardian.confinement import confine, landlock
from actors.guardian.jail import launching
from actors.guardian.jail.jail import Jail
from actors.guardian.jail.worker import Worker
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.messages import Done, Failed, Judge, Run

ME = Ref("00000000000000aa")
FINE = "def m_(self):\n    return 1\n"
LOOP = "def m_(self):\n    while True:\n        pass\n"


def run_of(source: str, **more) -> Run:
    return Run(source=source, receiver=ME, **more)


def children_of(parents: list[int]) -> list[int]:
    found = {path: path.read_text().rpartition(")")[2].split()[1] for path in Path("/proc").glob("[0-9]*/stat")}
    return [int(path.parent.name) for path, parent in found.items() if int(parent) in parents]


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def narrowed() -> None:
    source, sink = os.pipe()
    confine.narrow_child(source, sink, base=1 << 40)


def test_limits_hold_without_the_filter(status_of):
    assert status_of(os.fork, narrowed) == 1 or os.geteuid() == 0
    assert status_of(lambda: os.open("/", os.O_RDONLY), narrowed) == 1
    for descriptor in (0, 1, 2, 5, 6):
        assert status_of(lambda descriptor=descriptor: os.fstat(descriptor), narrowed) == 1


def test_landlock_holds_without_the_rest(status_of):
    try:
        landlock.version()
    except OSError:
        pytest.skip("this kernel has no Landlock")

    def shut() -> None:
        confine.syscalls.prctl(confine.syscalls.PR_SET_NO_NEW_PRIVS, 1)
        landlock.restrict()

    assert status_of(lambda: os.open("/etc/hostname", os.O_RDONLY), shut) == 1
    assert status_of(lambda: list(Path("/").iterdir()), shut) == 1


def test_a_missing_layer_is_named(monkeypatch: pytest.MonkeyPatch):
    async def lacking(self: Worker) -> None:
        self.missing = {"landlock": "Function not implemented"}

    monkeypatch.setattr(Worker, "start", lacking)
    with pytest.raises(BatosError, match=r"landlock.*not implemented") as caught:
        asyncio.run(Jail(may_lack=["namespaces"]).start())
    assert caught.value.code == "NO_JAIL"
    assert 'may_lack = ["landlock"]' in caught.value.hint


@pytest.mark.parametrize(("asked", "are"), [(0, len(os.sched_getaffinity(0))), (1, 1), (3, 3)])
def test_there_are_as_many_workers_as_cores_or_as_one_asks_for(asked: int, are: int):
    assert len(Jail(workers=asked).pids()) == are


def test_a_layer_that_does_not_exist_cannot_be_lacked():
    with pytest.raises(BatosError, match="no layer 'walls'"):
        Jail(may_lack=["walls"])


def test_the_template_has_an_empty_environment_and_no_files_of_ours(jail):
    place, _ = jail
    (pid,) = place.pids()
    environment = Path(f"/proc/{pid}/environ").read_bytes()
    # Python may add what it needs for UTF-8 by itself.
    assert {entry.partition(b"=")[0] for entry in environment.split(b"\0") if entry} <= {b"PYTHONHASHSEED", b"LC_CTYPE"}


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (LOOP, "LIMIT_TIME"),
        ("def m_(self):\n    return sum(range(10 ** 12))\n", "LIMIT_TIME"),
        ("def m_(self):\n    x = [1]\n    for i in x:\n        x.append(i)\n", "LIMIT_"),
        ("def m_(self):\n    return bytes(10 ** 10)\n", "LIMIT_MEMORY"),
        (
            "def m_(self):\n    x = []\n    for i in range(10 ** 5):\n        x = [x]\n    return repr(x)\n",
            "LIMIT_RECURSION",
        ),
        ("def m_(self):\n    return 'y' * (5 * 1024 * 1024)\n", "TOO_LARGE"),
        ("def m_(self):\n    self.x = ['z' * 1000] * 10 ** 6\n    self._p_changed = True\n", "TOO_LARGE"),
        ("def m_(self):\n    x = []\n    for i in range(100):\n        x = [x, x]\n    return x\n", ""),
    ],
)
def test_abuse_is_an_outcome(within, source: str, error: str):
    outcome = within(run_of(source, seconds=0.3))
    assert isinstance(outcome, Failed)
    assert outcome.code in {"BUDGET_EXCEEDED", "TOO_LARGE"}
    assert outcome.error.startswith(error)
    assert within(run_of(FINE)) == Done(result=1)


def test_a_parse_bomb_costs_a_verdict(jail):
    place, loop = jail
    bombs = [
        "def m_(self):\n    return " + "lambda: " * 90 + "1\n",
        "x = '" + "a" * 10**6 + "'",
        "((((" * 100,
        "\0",
        "\ud800",
    ]
    verdicts = loop.run_until_complete(place.judge_all([Judge(source=source) for source in [FINE, *bombs, FINE]]))
    assert [verdict.accepted for verdict in verdicts] == [True, *[False] * len(bombs), True]
    assert all(verdict.violations[0].rule.startswith("BND") for verdict in verdicts[1:-1])


def test_a_template_that_dies_is_replaced():
    async def story() -> None:
        jail = Jail(workers=1, may_lack=confine.LAYERS)
        await jail.start()
        try:
            (first,) = jail.pids()
            running = asyncio.create_task(jail.run(run_of(LOOP, seconds=30)))
            await asyncio.sleep(0.1)
            os.kill(first, signal.SIGKILL)
            outcome = await running
            assert isinstance(outcome, Failed)
            assert (outcome.code, outcome.error) == ("INTERNAL", "JAIL_DIED")
            assert await jail.run(run_of(FINE)) == Done(result=1)
            assert jail.pids() != [first]
        finally:
            await jail.close()

    asyncio.run(story())


def test_a_cancelled_run_takes_its_child_along():
    async def story() -> None:
        jail = Jail(workers=1, may_lack=confine.LAYERS)
        await jail.start()
        try:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await jail.run(run_of(LOOP, seconds=30))
            assert await jail.run(run_of(FINE)) == Done(result=1)
        finally:
            pids = jail.pids()
            await jail.close()
        for pid in pids:
            assert not alive(pid)

    asyncio.run(story())


@pytest.mark.parametrize(
    "nonsense",
    [
        "import os; os.write(1, b'nonsense that is longer than any header would be')",
        "import os; os._exit(3)",
        "import os, struct; m = b'[]'; os.write(1, struct.pack('!IBiI', 0, 0, 0, len(m)) + m); os.read(0, 1)",
        "import os, struct; os.write(1, struct.pack('!IBiI', 0, 0, 0, 2**32 - 1)); os.read(0, 1)",
    ],
)
def test_a_template_that_talks_nonsense_does_not_come_up(monkeypatch: pytest.MonkeyPatch, nonsense: str):
    monkeypatch.setattr("actors.guardian.jail.launching._START", nonsense)
    with pytest.raises(BatosError, match="does not come up"):
        asyncio.run(Jail(workers=1).start())


def test_garbage_from_a_child_is_a_failure(monkeypatch: pytest.MonkeyPatch):
    async def story(answer: bytes) -> Failed:
        hello = b'{"missing": {}}'
        fake = (
            "import os, struct\n"
            "def say(n, m): os.write(1, struct.pack('!IBiI', n, 0, 0, len(m)) + m)\n"
            f"say(0, {hello!r}); os.read(0, 1 << 20); say(1, {answer!r}); os.read(0, 1)\n"
        )
        monkeypatch.setattr("actors.guardian.jail.launching._START", fake)
        jail = Jail(workers=1)
        await jail._workers[0].start()
        try:
            return await jail.run(run_of(FINE))
        finally:
            await jail.close()

    for answer in (b"", b"\xc1", b"\x81\xa7outcome\x80", b"\x80" * 1000):
        outcome = asyncio.run(story(answer))
        assert (outcome.code, outcome.error) == ("INTERNAL", "GARBAGE")


def test_closing_leaves_no_process():
    async def story() -> list[int]:
        jail = Jail(workers=2, may_lack=confine.LAYERS)
        await jail.start()
        pids = jail.pids()
        children = children_of(pids)
        assert children or jail.missing
        await jail.close()
        return [*pids, *children]

    for pid in asyncio.run(story()):
        assert not alive(pid)


def test_who_comes_after_the_end_starts_no_template():
    async def story() -> None:
        jail = Jail(workers=1, may_lack=confine.LAYERS)
        await jail.start()
        running = asyncio.create_task(jail.run(run_of(LOOP, seconds=30)))
        waiting = asyncio.create_task(jail.run(run_of(FINE)))
        await asyncio.sleep(0.1)
        await jail.close()
        ends = [await running, await waiting, await jail.run(run_of(FINE))]
        assert [end.error for end in ends] == ["JAIL_DIED"] * 3
        assert jail.pids() == [0]

    asyncio.run(story())


@pytest.mark.parametrize("seconds", [0.0, -1.0, 1e9, float("nan")])
def test_a_run_needs_a_sensible_limit(within, seconds: float):
    with pytest.raises(BatosError) as caught:
        within(run_of(FINE, seconds=seconds))
    assert caught.value.code == "BAD_ARGUMENT"


# A child that misbehaves, and a machine that has no room -----------------------------------------------------------


@pytest.fixture
def mutant(monkeypatch: pytest.MonkeyPatch):
    """Answers of a jail whose templates start with `words` done to them."""

    def answers(words: str, *requests: Run | Judge, may_lack=confine.LAYERS) -> list:

        modules = (
            "import os, time; from actors.guardian.confinement import confine, seccomp; "
            "from actors.guardian.jail import child, template; "
        )
        start = launching._START.replace("from actors", f"{modules}{words}\nfrom actors", 1)
        monkeypatch.setattr(launching, "_START", start)

        async def story() -> list:
            jail = Jail(workers=1, may_lack=may_lack)
            jail._probe = _nothing
            await jail.start()
            try:
                return [await _answer(jail, request) for request in requests]
            finally:
                await jail.close()

        return asyncio.run(story())

    return answers


async def _nothing() -> None:
    """Instead of the boot check, which these templates would not pass."""


async def _answer(jail: Jail, request: Run | Judge):
    try:
        return await jail.run(request)
    except BatosError as error:
        return error


def test_a_child_that_answers_garbage(mutant):
    run, judged = mutant("child.work = lambda request: child._answer(b'nonsense')", run_of(FINE), Judge(source=FINE))
    assert (run.code, run.error) == ("INTERNAL", "GARBAGE")
    assert [violation.rule for violation in judged.violations] == ["BND008"]


def test_a_child_that_answers_nothing(mutant):
    run, judged = mutant("child.work = lambda request: os._exit(0)", run_of(FINE), Judge(source=FINE))
    assert (run.code, run.error) == ("INTERNAL", "GARBAGE")
    assert [violation.rule for violation in judged.violations] == ["BND008"]


def test_a_child_that_is_killed(mutant):
    words = "child.work = lambda request: confine.resource and confine.os.kill(os.getpid(), 9)"
    (run,) = mutant(f"seccomp.install = lambda code: None; {words}", run_of(FINE))
    assert isinstance(run, Failed)
    assert run.code in {"BUDGET_EXCEEDED", "REFUSED"}


def test_a_child_that_hangs(mutant):
    hangs = "seccomp.install = lambda code: None; child.work = lambda request: time.sleep(1000)"
    run, again = mutant(hangs, run_of(FINE, seconds=0.05), run_of(FINE, seconds=0.05))
    assert (run.code, run.error) == ("BUDGET_EXCEEDED", "LIMIT_TIME")
    assert again == run


def test_a_child_that_never_stops_talking(mutant):
    talks = "child.work = lambda request: [child._write(b'x' * (1 << 20)) for _ in range(100)]"
    run, judged = mutant(talks, run_of(FINE), Judge(source=FINE))
    assert (run.code, run.error) == ("BUDGET_EXCEEDED", "LIMIT_OUTPUT")
    assert not judged.accepted


def test_a_full_process_table_is_said_and_passes(mutant):
    """The template cannot fork for a while: each work is answered, and when there is room again, done."""
    words = """
full = [True] * 6
real = template.Forked
def fork(*given):
    if full and full.pop():
        raise OSError(11, "no room")
    return real(*given)
template.Forked = fork
"""
    found = mutant(words, run_of(FINE), Judge(source=FINE), run_of(FINE), run_of(FINE), run_of(FINE), run_of(FINE))
    assert [found[0].code, found[1].code] == ["BUSY", "BUSY"]
    assert found[-1] == Done(result=1)


def test_no_room_for_a_template_is_said(monkeypatch: pytest.MonkeyPatch):
    def full(*_, **__):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("actors.guardian.jail.launching.subprocess.Popen", full)
    with pytest.raises(BatosError, match="could not be started") as caught:
        asyncio.run(Jail(workers=1).start())
    assert caught.value.code == "NOT_READY", "there may be room in a moment"


def test_an_ordinary_user_has_the_layers_too(status_of):
    """As the user nobody where this is root: in a fork, since Python itself may lie where nobody else can read."""
    from actors.guardian.confinement import survey

    def examined() -> None:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setresgid(1000, 1000, 1000)
            os.setresuid(1000, 1000, 1000)
            confine.syscalls.prctl(confine.syscalls.PR_SET_DUMPABLE, 1)
        found = survey.layers()
        if any(found.values()):
            os._exit(3)

    if any(survey.layers().values()):
        pytest.skip("this machine does not have every layer")
    try:
        allowed = int(Path("/proc/sys/user/max_user_namespaces").read_text())
    except OSError:
        allowed = 0
    if not allowed:
        pytest.skip("this kernel gives ordinary users no namespaces")
    assert status_of(lambda: None, examined) == 0


def test_templates_that_were_launched_are_the_jails() -> None:
    async def story() -> None:
        launched = [launching.launch()]
        jail = Jail(workers=2, may_lack=confine.LAYERS, launched=launched)
        await jail.start()
        try:
            assert jail.pids()[0] == launched[0].process.pid
            assert (await jail.run(Judge(source="def m_(self):\n    return 1\n"))).accepted
        finally:
            await jail.close()

    asyncio.run(story())
