"""`python -m actors.storage --home H`: serve a home's world; or look at it, or purge it, while it is not served.

`--check` looks at each of its records, also while it is served, and prints one line, {"world": [problem, …]}; it ends with 0, or with
DAMAGED's exit code where there are any. `--forgotten` prints what was forgotten and still stands in the world's past, and `--purge`
takes it out of all files of the home and prints a receipt; it reads on standard input what the journal knows of it. An error is
printed as {"error": {"code", "message", "hint"}}, with its exit code.
"""

from __future__ import annotations

import argparse
import sys

import msgspec

from actors.storage.purge import purging
from actors.storage.records import problems
from actors.storage.server import serve
from bus.process.logs import configure
from bus.process.powers import lay_down
from bus.process.program import ended
from protocol.errors import CODES, BatosError
from protocol.failure import failure_of
from protocol.home import find_home


def main() -> int:
    parser = argparse.ArgumentParser(prog="actors.storage", description="The storage of one home.")
    parser.add_argument("--home", required=True)
    parser.add_argument("--check", action="store_true", help="say what is wrong with the world's file")
    parser.add_argument("--forgotten", action="store_true", help="say what was forgotten and is still in the file")
    parser.add_argument("--purge", action="store_true", help="take what was forgotten out of every file of the home")
    options = parser.parse_args()
    home = find_home(options.home)
    if not (options.check or options.forgotten or options.purge):
        return ended("storage", home, lambda: serve(home))
    configure("storage")
    if options.check:
        found = problems(home.database, home.blobs)
        return _told({"world": found}, CODES["DAMAGED"].exit_code if found else 0)
    try:
        if uri := home.settings().storage.uri:
            raise purging.no_world(uri)
        if options.forgotten:
            return _told(purging.find(home))
        return _told(purging.purge(home, msgspec.json.decode(sys.stdin.buffer.read(), type=purging.Asked)))
    except BatosError as error:
        return _told({"error": failure_of(error)}, error.exit_code)


def _told(result: object, code: int = 0) -> int:
    print(msgspec.json.encode(result).decode())  # noqa: T201 - the result
    return code


if __name__ == "__main__":
    lay_down()
    sys.exit(main())
