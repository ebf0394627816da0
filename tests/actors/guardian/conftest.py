"""One jail for all tests of the guardian: what runs code, runs it there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from actors.guardian.confine import LAYERS
from actors.guardian.jail import Jail

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
