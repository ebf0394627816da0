"""`python -m actors.storage --home H`."""

from __future__ import annotations

import argparse
import sys

from actors.storage.server import serve
from bus import last_words, logs
from bus.powers import lay_down
from protocol.errors import BatosError
from protocol.home import find_home


def main() -> int:
    parser = argparse.ArgumentParser(prog="actors.storage", description="The storage of one home.")
    parser.add_argument("--home", required=True)
    options = parser.parse_args()
    log = logs.configure("storage")
    home = find_home(options.home)
    try:
        serve(home)
    except BatosError as error:
        log.error("the storage cannot run", code=error.code, error=error.message, hint=error.hint)  # noqa: TRY400
        last_words.leave(home.run, "storage", error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    lay_down()
    sys.exit(main())
