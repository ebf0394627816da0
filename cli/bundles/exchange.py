"""`export` and `import`: a bundle out of the world that runs, or into it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from cli import wire
from cli.bundles import document
from cli.calls import mandate, sending
from protocol import names, verbs
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Event, Export, ImportBundle, Imported, ImportedMethod
from protocol.texts import STDIN

IMPORT_S: Final = 630.0
"""Seconds to wait for an import: a little more than it is given."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What an export came to. `along` are the objects that were not asked for, `needs` those of the system that are named."""

    file: str
    sha256: str
    objects: list[str]
    along: list[str]
    methods: int
    needs: list[str]


async def export(home: Home, named: Sequence[str], file: str) -> Written:
    """The objects, with what they refer to, in `file`. UNKNOWN_OBJECT, BAD_ARGUMENT, TOO_LARGE, STORAGE."""
    if file == STDIN:
        raise BatosError("USAGE", "a bundle is written into a file", "Name one: -o FILE.")
    for name in named:
        mandate.check_target(name)
    found = await wire.ask(home, verbs.EXPORT, Export(names=list(named)))
    sha256 = document.write(file, found)
    every = [each.name for each in found.objects]
    asked = len(dict.fromkeys(named))
    return Written(
        file=file,
        sha256=sha256,
        objects=every,
        along=every[asked:],
        methods=sum(len(each.methods) for each in found.objects),
        needs=found.needs,
    )


async def take(
    home: Home, bundle: document.Bundle, prefix: str, key: str | None, on_event: Callable[[Event], None]
) -> Imported:
    """The objects of the bundle stand in the world. REFUSED with each method's verdict, NAME_TAKEN, BAD_BUNDLE."""
    if prefix:
        names.check_object(prefix)
    wanted = ImportBundle(name=bundle.name, objects=bundle.objects, prefix=prefix)
    return await wire.ask(
        home, verbs.IMPORT_BUNDLE, wanted, key=sending.check_key(key), seconds=IMPORT_S, on_partial=on_event
    )


def verdicts(error: BatosError) -> list[ImportedMethod]:
    """The verdict on each method, where an import was refused for one."""
    found: Any = error.data.get("methods")
    return msgspec.convert(found, list[ImportedMethod]) if isinstance(found, list) else []
