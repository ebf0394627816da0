"""`python -m actors.storage --home H`: serve a home's world; or, with one of these, do something else with its file.

`--check` looks at each of its records, prints one line, {"world": [problem, …]}, and ends with 0, or with DAMAGED's exit code
where there are any. `--backup`, `--list` and `--restore` take the folder of a backup (`backup/`), `--rehearse` and `--walk` are for a newer form of the world:
they print their result as one line, or {"error": …}, after lines with an "event", and end with the exit code of that. So do
`--forgotten`, which says what was forgotten and still stands in the world's past, and `--purge`, which takes it out of all files of
the home; that one reads on standard input what the journal knows of it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from actors.storage.backup import telling
from actors.storage.purge import purging
from actors.storage.records import problems
from actors.storage.server import serve
from bus.process.logs import configure
from bus.process.powers import lay_down
from bus.process.program import ended
from protocol.errors import CODES, BatosError
from protocol.failure import failure_of
from protocol.home import Home, find_home


def main() -> int:
    options = _read()
    home = find_home(options.home)
    ways = ("check", "backup", "list", "restore", "rehearse", "walk", "forgotten", "purge")
    if not any(getattr(options, way) for way in ways):
        return ended("storage", home, lambda: serve(home))
    configure("storage")
    if options.check:
        found = problems(home.database, home.blobs)
        _say({"world": found})
        return CODES["DAMAGED"].exit_code if found else 0
    return _told(_work(home, options))


def _read() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="actors.storage", description="The storage of one home.")
    parser.add_argument("--home", required=True)
    parser.add_argument("--check", action="store_true", help="say what is wrong with the world's file")
    parser.add_argument("--backup", metavar="DIR", help="make a backup of the home")
    parser.add_argument(
        "--own", action="store_true", help="in the home's own folder, of which the newest generation stays"
    )
    parser.add_argument("--list", metavar="DIR", help="say which generations there are")
    parser.add_argument(
        "--restore", metavar="DIR", help="make the home of a generation, the newest unless one is named"
    )
    parser.add_argument("--rehearse", action="store_true", help="make the home's rehearsal of its own backup")
    parser.add_argument("--walk", action="store_true", help="open the world, load every object and look at each record")
    parser.add_argument("--forgotten", action="store_true", help="say what was forgotten and is still in the file")
    parser.add_argument("--purge", action="store_true", help="take what was forgotten out of every file of the home")
    parser.add_argument("--generation", default="")
    parser.add_argument("--until", type=float, help="the newest generation of before this time, in seconds since 1970")
    parser.add_argument("--tid", default="", help="the newest generation that knows nothing after this transaction")
    return parser.parse_args()


def _work(home: Home, options: argparse.Namespace) -> Callable[[], Any]:
    def tell(what: str) -> None:
        _say({"event": "keeping", "does": what})

    if options.backup:
        return lambda: telling.backup(home, Path(options.backup), tell, own=options.own)
    if options.list:
        return lambda: telling.listed(Path(options.list))
    if options.rehearse:
        return lambda: telling.rehearse(home)
    if options.walk:
        return lambda: telling.walk(home)
    if options.forgotten or options.purge:
        return lambda: _purge(home, is_asked=not options.purge)
    wanted = {"generation": options.generation, "until": options.until, "tid": options.tid}
    return lambda: telling.restore(home, Path(options.restore), tell, **wanted)


def _purge(home: Home, *, is_asked: bool) -> Any:
    if uri := home.settings().storage.uri:
        raise purging.no_world(uri)
    if is_asked:
        return purging.find(home)
    return purging.purge(home, msgspec.json.decode(sys.stdin.buffer.read(), type=purging.Asked))


def _told(work: Callable[[], Any]) -> int:
    try:
        _say(work())
    except BatosError as error:
        _say({"error": msgspec.to_builtins(failure_of(error))})
        return error.exit_code
    except KeyboardInterrupt:
        _say({"error": {"code": "INTERRUPTED", "message": "it was interrupted", "hint": "", "data": {}}})
        return CODES["INTERRUPTED"].exit_code
    return 0


def _say(line: Any) -> None:
    print(msgspec.json.encode(line).decode(), flush=True)  # noqa: T201 - the result


if __name__ == "__main__":
    lay_down()
    sys.exit(main())
