"""How a process of a home begins and ends: `python -m actors.NAME --home H`, its log, its last words and its exit code.

All actors do so in the same way, and they may not import each other. So the way stands here.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from bus.process.last_words import leave
from bus.process.logs import configure
from protocol.errors import BatosError
from protocol.home import Home, find_home


def main(service: str, run: Callable[[Home], Coroutine[Any, Any, None]], words: Sequence[str] | None = None) -> int:
    """Run the actor `service` for the home that the command line names; the exit code of what ended it."""
    parser = argparse.ArgumentParser(prog=f"actors.{service}", description=f"The {service} actor of one home.")
    parser.add_argument("--home", required=True)
    home = find_home(parser.parse_args(words).home)
    return ended(service, home, lambda: asyncio.run(run(home)))


def ended(service: str, home: Home, work: Callable[[], None]) -> int:
    """Do all the work of this process; the exit code of what ended it."""
    log = configure(service)
    try:
        work()
    except BatosError as error:
        log.error("cannot run", code=error.code, error=error.message, hint=error.hint)  # noqa: TRY400
        leave(home.run, service, error)
        return error.exit_code
    return 0
