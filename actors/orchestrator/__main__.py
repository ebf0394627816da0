"""`python -m actors.orchestrator --home H`; with `--check`, look only whether the journal is whole, also while it is in use.

A check prints one line, {"journal": [problems]}, and ends with 0, or with 7 where there is a problem. `--restored TID` is the check of a
journal that a restore has copied beside a world up to that transaction, which it is made to fit: {"journal", "reopened"}, or {"newer"}. `--purge`, while the system is
down, takes what was forgotten out of the journal: it reads what that is on standard input and prints what went, or
{"error": {"code", "message", "hint"}} with its exit code.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from actors.orchestrator.actor import run
from actors.orchestrator.journal import purging, restored
from actors.orchestrator.journal.entries import unreadable
from actors.orchestrator.journal.schema import problems
from bus.process.powers import lay_down
from bus.process.program import main
from protocol.errors import CODES, BatosError
from protocol.failure import failure_of
from protocol.home import find_home


def check(words: Sequence[str]) -> int:
    """Print what is wrong with a home's journal; the exit code."""
    parser = argparse.ArgumentParser(prog="actors.orchestrator", description="Check the journal of one home.")
    parser.add_argument("--home", required=True)
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--check", action="store_true")
    kind.add_argument("--restored", metavar="TID")
    options = parser.parse_args(words)
    journal = find_home(options.home).journal
    found = problems(journal)
    if options.restored is not None and not found and (newer := restored.newer(journal)):
        return _say({"newer": newer}, "NEWER_WORLD")
    found = found or unreadable(journal)
    if found or options.restored is None:
        return _say({"journal": found}, "DAMAGED" if found else "")
    return _say({"journal": [], "reopened": restored.reopen(journal, options.restored)})


def _say(line: dict[str, Any], code: str = "") -> int:
    print(json.dumps(line))  # noqa: T201 - the result
    return CODES[code].exit_code if code else 0


def purge(words: Sequence[str]) -> int:
    """Purge a home's journal; the exit code."""
    parser = argparse.ArgumentParser(prog="actors.orchestrator", description="Purge the journal of one home.")
    parser.add_argument("--home", required=True)
    parser.add_argument("--purge", action="store_true", required=True)
    home = find_home(parser.parse_args(words).home)
    result: object
    try:
        asked = msgspec.json.decode(sys.stdin.buffer.read(), type=purging.AskedPurge)
        result, code = purging.purge(home, asked), 0
    except BatosError as error:
        result, code = {"error": failure_of(error)}, error.exit_code
    print(msgspec.json.encode(result).decode())  # noqa: T201 - the result
    return code


if __name__ == "__main__":
    lay_down()
    if "--purge" in sys.argv:
        sys.exit(purge(sys.argv[1:]))
    if {"--check", "--restored"} & {*sys.argv}:
        sys.exit(check(sys.argv[1:]))
    sys.exit(main("orchestrator", run))
