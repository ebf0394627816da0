"""One jail for all tests of the guardian: what runs code, runs it there."""

from __future__ import annotations

import asyncio
import os
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from actors.guardian.confinement.confine import LAYERS
from actors.guardian.jail.jail import Jail
from protocol.codec import Ref
from protocol.messages import Answer, Effect, Run

In = Callable[[Any], Any]


@pytest.fixture
def status_of() -> Callable[[Callable[[], object], Callable[[], object]], int]:
    """How a forked process ends that does `deed` after `prepare`: 0 where it got through, -signal, or 1."""

    def status_of(deed: Callable[[], object], prepare: Callable[[], object]) -> int:
        pid = os.fork()
        if pid == 0:
            try:
                prepare()
                deed()
            except BaseException:  # noqa: BLE001
                os._exit(1)
            os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    return status_of


@pytest.fixture(scope="session")
def jail() -> Iterator[tuple[Jail, asyncio.AbstractEventLoop]]:
    """A running jail and its loop. It takes what layers the machine has; `test_jail` says which those must be."""
    loop = asyncio.new_event_loop()
    jail = Jail(workers=1, may_lack=LAYERS)
    loop.run_until_complete(jail.start())
    yield jail, loop
    loop.run_until_complete(jail.close())
    loop.close()


@pytest.fixture(scope="session")
def within(jail: tuple[Jail, asyncio.AbstractEventLoop]) -> In:
    """Do one request in the jail, and wait for it."""
    place, loop = jail
    return lambda request: loop.run_until_complete(place.run(request))


ME = Ref("00000000000000aa")


@pytest.fixture
def do(within):
    def do(
        text: str, *args: Any, slots: dict[str, Any] | None = None, answers: list[Answer] | None = None, **more: Any
    ):
        source = textwrap.dedent(text)
        if not source.lstrip().startswith("def ") or "(self" not in source:
            source = "def m_(self, a=None, b=None):\n" + textwrap.indent(source.strip("\n"), "    ") + "\n"
        request = Run(source=source, receiver=ME, slots=slots or {}, args=list(args), answers=answers or [], **more)
        return within(request)

    return do


@pytest.fixture
def play(do):
    """Run to the end, answering each send by `reply`, which returns an `Answer` without its digest."""

    def play(text: str, reply, *args: Any, **more: Any):
        answers: list[Answer] = []
        effects: list[Effect] = []
        while True:
            outcome = do(text, *args, answers=answers, **more)
            if not isinstance(outcome, Effect):
                return outcome, effects
            assert outcome.n == len(answers)
            effects.append(outcome)
            made = reply(outcome)
            answers.append(
                Answer(
                    digest=outcome.digest,
                    value=made.get("value"),
                    changed=made.get("changed", {}),
                    removed=made.get("removed", []),
                    error=made.get("error"),
                )
            )

    return play
