"""`export` and `import`: a bundle out of the world that runs, or into it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from cli import wire
from cli.bundles import document, lending
from cli.calls import mandate, sending
from protocol import codec, names, verbs
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Event, Export, Exported, ImportBundle, ImportedMethod, ImportedObject
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
    experts: list[str] = []


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What an import came to: `Imported`, with the experts that came along."""

    objects: list[ImportedObject]
    methods: list[ImportedMethod]
    tid: str | None
    experts: list[str] = []


async def export(home: Home, named: Sequence[str], file: str, *, experts: bool = False) -> Written:
    """The objects, with what they refer to, in `file`. UNKNOWN_OBJECT, BAD_ARGUMENT, TOO_LARGE, STORAGE.

    With `experts` those go along that a slot of one of the objects names.
    """
    if file == STDIN:
        raise BatosError("USAGE", "a bundle is written into a file", "Name one: -o FILE.")
    for name in named:
        mandate.check_target(name)
    found = await wire.ask(home, verbs.EXPORT, Export(names=list(named)))
    along = await lending.given(home, _texts(found)) if experts else []
    sha256 = document.write(file, found, along)
    every = [each.name for each in found.objects]
    asked = len(dict.fromkeys(named))
    return Written(
        file=file,
        sha256=sha256,
        objects=every,
        along=every[asked:],
        methods=sum(len(each.methods) for each in found.objects),
        needs=found.needs,
        experts=[one.name for one in along],
    )


async def take(
    home: Home, bundle: document.Bundle, prefix: str, key: str | None, on_event: Callable[[Event], None]
) -> Taken:
    """The objects of the bundle stand in the world, then its experts. REFUSED with each method's verdict, NAME_TAKEN, BAD_BUNDLE.

    An expert that does not fit (BAD_EXPERT), or whose name means another one, is told before anything is taken in.
    """
    if prefix:
        names.check_object(prefix)
    wanted = ImportBundle(name=bundle.name, objects=bundle.objects, prefix=prefix)
    codec.pack(wanted)  # TOO_LARGE before anything is asked
    lacking = await lending.lacking(home, bundle.experts) if bundle.experts else []
    made = await wire.ask(
        home, verbs.IMPORT_BUNDLE, wanted, key=sending.check_key(key), seconds=IMPORT_S, on_partial=on_event
    )
    await lending.take(home, lacking)
    return Taken(**msgspec.structs.asdict(made), experts=[one.name for one in bundle.experts])


def _texts(found: Exported) -> set[str]:
    return {value for each in found.objects for value in each.slots.values() if isinstance(value, str)}


def verdicts(error: BatosError) -> list[ImportedMethod]:
    """The verdict on each method, where an import was refused for one."""
    found: Any = error.data.get("methods")
    return msgspec.convert(found, list[ImportedMethod]) if isinstance(found, list) else []
