"""`python -m actors.storage --home H`: serve a home's world. With `--check`: look at each of its records instead.

A check prints one line, {"world": [problem, …]}, and ends with 0, or with DAMAGED's exit code where there are any.
"""

from __future__ import annotations

import argparse
import json
import sys

from actors.storage.records import problems
from actors.storage.server import serve
from bus.process.logs import configure
from bus.process.powers import lay_down
from bus.process.program import ended
from protocol.errors import CODES
from protocol.home import find_home


def main() -> int:
    parser = argparse.ArgumentParser(prog="actors.storage", description="The storage of one home.")
    parser.add_argument("--home", required=True)
    parser.add_argument("--check", action="store_true", help="say what is wrong with the world's file")
    options = parser.parse_args()
    home = find_home(options.home)
    if not options.check:
        return ended("storage", home, lambda: serve(home))
    configure("storage")
    found = problems(home.database, home.blobs)
    print(json.dumps({"world": found}))  # noqa: T201 - the result
    return CODES["DAMAGED"].exit_code if found else 0


if __name__ == "__main__":
    lay_down()
    sys.exit(main())
