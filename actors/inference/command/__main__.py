"""`python -m actors.inference.command check MODEL --home H`: one line of JSON, the result or the failure."""

from __future__ import annotations

import argparse
import sys

import msgspec

from actors.inference.command.check import check
from protocol.errors import BatosError
from protocol.failure import failure_of
from protocol.home import find_home


def main() -> int:
    parser = argparse.ArgumentParser(prog="actors.inference.command", description="Say what a model is.")
    parser.add_argument("word", choices=["check"])
    parser.add_argument("model")
    parser.add_argument("--home", required=True)
    options = parser.parse_args()
    home = find_home(options.home)
    try:
        line = msgspec.json.encode(check(options.model, home.settings().inference, home))
        code = 0
    except BatosError as error:
        line = msgspec.json.encode({"error": msgspec.to_builtins(failure_of(error))})
        code = error.exit_code
    sys.stdout.buffer.write(line + b"\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
