"""`python -m actors.memory --home H`."""

from __future__ import annotations

import argparse
import asyncio
import sys

from actors.memory.actor import run
from bus.logs import configure
from protocol.errors import BatosError
from protocol.home import find_home


def main() -> int:
    parser = argparse.ArgumentParser(prog="actors.memory", description=__doc__)
    parser.add_argument("--home", required=True)
    log = configure("memory")
    try:
        asyncio.run(run(find_home(parser.parse_args().home)))
    except BatosError as error:
        log.error("cannot run", code=error.code, message=error.message, hint=error.hint)  # noqa: TRY400
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
