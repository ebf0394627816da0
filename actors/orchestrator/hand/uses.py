"""What stands on an object, a method or a slot: heirs, references, and the methods that use it, found in their sources.

Who uses a name the index over sources knows. For heirs and references all of the world that a name leads to is looked through: objects
with what they own, personas and the root's objects. It is read beside the thought's own reads: what is found is told and decides nothing
that a later change of it would make wrong, since an object stays as long as anything refers to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import msgspec
from ZODB.Connection import Connection

from actors.orchestrator.thinking.asks import Pause, Thinking
from protocol import names
from protocol.errors import BatosError
from world import root as world_root
from world.finding import mentions, reach
from world.method import UvmMethod
from world.uvm import UvmObject, delegation
from world.values import oid_of

TOLD: Final = 20
"""Of each kind of use, so many are named."""
PAUSE_AFTER: Final = 200
"""Objects that are looked through before others may come."""


class Holding(NamedTuple):
    """A slot of an object (an OID) that refers to what is looked for, and what it is called."""

    label: str
    holder: str
    slot: str


class Uses(msgspec.Struct, frozen=True):
    """Each by its name: `box`, or `box.area_` for what stands on it. `places` are those of heirs and references."""

    heirs: list[str] = []
    references: list[str] = []
    senders: list[str] = []
    places: list[Holding] = []

    @property
    def are_there(self) -> bool:
        return bool(self.heirs or self.references or self.senders)

    def check(self, what: str) -> None:
        """IN_USE where there are any."""
        found = {kind: getattr(self, kind) for kind in ("heirs", "references", "senders") if getattr(self, kind)}
        if not found:
            return
        told = "; ".join(f"{kind}: {_listed(names_)}" for kind, names_ in found.items())
        raise BatosError(
            "IN_USE",
            f"{what} is in use. {told}",
            "Change these first, or drop it all the same: --force.",
            **{kind: names_[:TOLD] for kind, names_ in found.items()},
            count=sum(map(len, found.values())),
        )


def of_object(connection: Connection, oid: str) -> Thinking[Uses]:
    """Who delegates to the object, and which slots and contracts refer to it."""
    found = yield from of_objects(connection, [oid])
    return found[oid]


def of_objects(connection: Connection, oids: Iterable[str]) -> Thinking[dict[str, Uses]]:
    """As `of_object`, of several in one walk through the world."""
    found: dict[str, Uses] = {oid: Uses([], [], [], []) for oid in oids}

    def referred(value: Any) -> set[str]:
        return {oid_of(one) for one in reach.within(value) if isinstance(one, UvmObject)} & found.keys()

    for number, (label, here) in enumerate(reach.objects(connection), 1):
        if number % PAUSE_AFTER == 0:
            yield Pause()
        for name, value in list(here._slots.items()):
            is_method = isinstance(value, UvmMethod)
            for oid in referred(value.examples if is_method else value):
                if oid_of(here) == oid and not is_method:
                    continue
                kind, told = _told(label, name, is_method=is_method)
                getattr(found[oid], kind).append(told)
                found[oid].places.append(Holding(told, oid_of(here), name))
    return found


def _told(label: str, name: str, *, is_method: bool) -> tuple[str, str]:
    if names.is_delegation(name):
        return "heirs", label
    return "references", f"{label}.{name} (its contract)" if is_method else f"{label}.{name}"


def of_method(connection: Connection, oid: str, selector: str) -> Thinking[Uses]:
    """Who inherits the method from the object, and which methods anywhere send its selector."""
    sending = mentions.using(connection, selector)
    senders = [_label(here, one) for here, one in sending if one.selector != selector or oid_of(here) != oid]
    heirs = yield from _heirs_of(connection, oid, selector)
    return Uses(heirs=heirs, senders=sorted(senders))


def of_slot(connection: Connection, oid: str, slot: str) -> Thinking[Uses]:
    """Who inherits the slot, and which methods of the object, of its heirs and of its parents use it."""
    above = {oid_of(here) for here in delegation(world_root.get(connection, oid))}

    def is_near(here: UvmObject) -> bool:
        return oid_of(here) in above or any(oid_of(parent) == oid for parent in delegation(here))

    users = [_label(here, one) for here, one in mentions.using(connection, slot, everywhere=True) if is_near(here)]
    heirs = yield from _heirs_of(connection, oid, slot)
    return Uses(heirs=heirs, senders=sorted(users))


def _label(here: UvmObject, method: UvmMethod) -> str:
    return f"{here._name or oid_of(here)}.{method.selector}"


def _heirs_of(connection: Connection, oid: str, entry: str) -> Thinking[list[str]]:
    """Objects that have `entry` from the object, and from nobody nearer."""
    heirs: list[str] = []
    for number, (label, here) in enumerate(reach.objects(connection), 1):
        if number % PAUSE_AFTER == 0:
            yield Pause()
        holder = next((oid_of(parent) for parent in delegation(here) if entry in parent._slots), "")
        if holder == oid and oid_of(here) != oid:
            heirs.append(label)
    return heirs


def _listed(found: list[str]) -> str:
    more = f" and {len(found) - TOLD} more" if len(found) > TOLD else ""
    return ", ".join(found[:TOLD]) + more
