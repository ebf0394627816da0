"""An actor as a process: `python -m actors.NAME --home H`, its log, and its exit code.

All actors begin and end in the same way, and they may not import each other. So the way stands here.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Sequence

from bus.process.last_words import leave
from bus.process.logs import configure
from protocol.errors import BatosError
from protocol.home import Home, find_home


def main(service: str, run: Callable[[Home], Awaitable[None]], words: Sequence[str] | None = None) -> int:
    """Run the actor `service` for the home that the command line names; the exit code of what ended it."""
    parser = argparse.ArgumentParser(prog=f"actors.{service}", description=f"The {service} actor of one home.")
    parser.add_argument("--home", required=True)
    home = find_home(parser.parse_args(words).home)
    log = configure(service)

    async def living() -> None:
        await run(home)

    try:
        asyncio.run(living())
    except BatosError as error:
        log.error("cannot run", code=error.code, error=error.message, hint=error.hint)  # noqa: TRY400
        leave(home.run, service, error)
        return error.exit_code
    return 0
