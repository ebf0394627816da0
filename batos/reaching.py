"""How a system is reached that runs under a home, or does not: what a person's command, a program and a door have in common."""

from __future__ import annotations

import asyncio
import shlex
from typing import Final

from bus.again import AGAIN_S
from bus.client import Caller
from protocol import verbs
from protocol.errors import BatosError
from protocol.home import Home, find_home
from protocol.messages import StatusQuery

ANSWER_S: Final = 30.0
"""Seconds that a question which needs no thinking may take."""
REACH_S: Final = 5.0
"""Seconds that a service may be away: longer than its restart after a crash takes."""
STARTING_S: Final = 1.0
"""Seconds that one which is there may not be ready: what begins without a model is ready sooner."""


async def reach(home: Home, bus: Caller, service: str) -> None:
    """Return when `service` is ready, or a moment after it is there; NOT_RUNNING or NOT_READY soon where it is not.

    A request for a service without a worker would wait in the broker until its deadline. A person need not.
    """
    clock = asyncio.get_running_loop().time
    until = clock() + REACH_S
    there: float | None = None
    while True:
        try:
            status = await bus.call(verbs.STATUS[service], StatusQuery(), seconds=REACH_S)
        except BatosError as error:
            if error.code != "NOT_READY":
                raise told(home, error) from error
            if clock() > until:
                raise BatosError(
                    error.code, error.message, f"See what it waits for: {command(home, 'status')}"
                ) from error
        else:
            there = clock() if there is None else there
            if status.ready or clock() > there + STARTING_S:
                return
        await asyncio.sleep(AGAIN_S / 2)


def not_running(home: Home) -> BatosError:
    return BatosError("NOT_RUNNING", f"nothing runs under {home.root}", f"Start it: {command(home, 'up')}")


def told(home: Home, error: BatosError) -> BatosError:
    """`error` as a person is told it who knows a home, and no broker."""
    return not_running(home) if error.code == "NOT_RUNNING" else error


def command(home: Home, *words: str) -> str:
    """`batos …` as it must be typed to reach this home."""
    where = () if home.root == find_home().root else ("--home", str(home.root))
    return shlex.join(("batos", *where, *words))
