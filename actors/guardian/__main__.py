"""`python -m actors.guardian --home H` serves on the bus; with a word first it does something alone:

    guard …     judges files
    doctor      tries what this machine gives the jail
    rules       prints the page of the rules

These need no bus, and are to start fast: what only the service needs is imported only for it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Sequence


def main(words: Sequence[str]) -> int:
    if words[:1] == ["guard"]:
        return _guard(words[1:])
    if words == ["doctor"]:
        from actors.guardian.command import doctor  # noqa: PLC0415 - fast start

        return asyncio.run(doctor.run())
    if words == ["rules"]:
        from actors.guardian.command.rules import page  # noqa: PLC0415 - fast start

        sys.stdout.write(page())
        return 0
    parser = argparse.ArgumentParser(prog="actors.guardian", description="The guardian of one home.")
    parser.add_argument("--home", required=True)
    options = parser.parse_args(words)
    return _serve(options.home)


def _guard(words: Sequence[str]) -> int:
    from actors.guardian.command import guard  # noqa: PLC0415 - fast start

    parser = argparse.ArgumentParser(prog="actors.guardian guard", description="Verdicts, one line of JSON for each.")
    parser.add_argument("file", nargs="?", metavar="FILE|-")
    parser.add_argument("--jsonl", metavar="FILE|-")
    parser.add_argument("--gate", choices=("covenant", "policy", "all"), default="all")
    parser.add_argument("--trial", action="store_true")
    options = parser.parse_args(words)
    if (options.file is None) == (options.jsonl is None):
        parser.error("give one source, or --jsonl with many")
    task = guard.Task(
        path=options.jsonl or options.file, many=options.jsonl is not None, gate=options.gate, trial=options.trial
    )
    return asyncio.run(guard.run(task))


def _serve(root: str) -> int:
    from bus.process import powers  # noqa: PLC0415 - fast start

    # Namespaces and nobody are root's to give; where they are a user's, a profile may have to come with them.
    powers.lay_down(keep=powers.FILES | powers.JAILER, new_powers=True)

    from actors.guardian.jail.launching import cores, launch  # noqa: PLC0415 - fast start
    from protocol.errors import BatosError  # noqa: PLC0415
    from protocol.home import find_home  # noqa: PLC0415

    home = find_home(root)
    launched = []
    with contextlib.suppress(BatosError):  # whatever it is, it is met again below, and told
        workers = home.settings().guardian.workers
        launched += [launch() for _ in range(workers if workers > 0 else cores())]

    # While the templates start on another core.
    from actors.guardian import actor  # noqa: PLC0415
    from bus.process.program import ended  # noqa: PLC0415

    return ended("guardian", home, lambda: asyncio.run(actor.run(home, launched)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
