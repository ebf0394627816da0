"""One question to one service of a running system, and its answer."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

from batos.reaching import ANSWER_S, command, not_running, reach, told
from bus.again import AGAIN_S, Again
from bus.client import Client
from protocol.errors import BatosError
from protocol.home import Home
from protocol.verbs import Partial, Reply, Request, Verb

__all__ = ["ANSWER_S", "SENDER", "ask", "client", "command", "not_running", "reach", "told"]

SENDER: Final = f"batos.{os.getpid()}"


def client(home: Home) -> Client:
    """A client of the system that runs under `home`; NOT_RUNNING where there is none."""
    if not (home.run / "bus.sock").exists():
        raise not_running(home)
    return Client(home.bus, SENDER)


async def ask(
    home: Home,
    verb: Verb[Request, Reply, Partial],
    request: Request,
    *,
    key: str = "",
    seconds: float | None = None,
    on_partial: Callable[[Partial], None] | None = None,
) -> Reply:
    """The typed reply to one request. One with an idempotency `key` goes out again where its answer was lost."""
    again = Again(ANSWER_S if seconds is None else seconds)
    async with client(home) as bus:
        while True:
            try:
                await reach(home, bus, verb.service)
                return await bus.call(verb, request, seconds=again.left, idem=key, on_partial=on_partial)
            except BatosError as error:
                is_late = error.code == "TIMEOUT"
                if not key or not (again.may(error) or is_late):
                    raise
                if is_late or again.left < AGAIN_S:
                    hint = f"It may have been done. Ask again under its key, it is done once: --key {key}"
                    raise BatosError(error.code, error.message, hint, **{**error.data, "key": key}) from error
            await again.rest()
