"""What stands on an object, a method or a slot: heirs, references, and the methods that use it, found in their sources.

All of the world that a name leads to is looked through: objects with what they own, personas and the root's objects. Trees are
not (documents, running cycles, experts). It is read beside the thought's own reads: what is found is told and decides nothing
that a later change of it would make wrong, since an object stays as long as anything refers to it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
from persistent.list import PersistentList
from persistent.mapping import PersistentMapping
from ZODB.Connection import Connection

from protocol import names
from protocol.errors import BatosError
from world import root as world_root
from world.method import UvmMethod
from world.uvm import UvmObject, delegation
from world.values import oid_of

TOLD: Final = 20
"""Of each kind of use, so many are named."""
_MANY: Final = 1000
"""Objects after which what was read is let go again."""


class Uses(msgspec.Struct, frozen=True):
    """Each by its name: `box`, or `box.area_` for what stands on it."""

    heirs: list[str] = []
    references: list[str] = []
    senders: list[str] = []

    def check(self, what: str) -> None:
        """IN_USE where there are any."""
        found = {kind: getattr(self, kind) for kind in self.__struct_fields__ if getattr(self, kind)}
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


def of_object(connection: Connection, oid: str) -> Uses:
    """Who delegates to the object, and which slots and contracts refer to it."""
    heirs, references = [], []

    def is_it(value: Any) -> bool:
        return isinstance(value, UvmObject) and oid_of(value) == oid

    for label, here in _objects(connection):
        for name, value in list(here._slots.items()):
            if names.is_delegation(name):
                if is_it(value) and oid_of(here) != oid:
                    heirs.append(label)
            elif isinstance(value, UvmMethod):
                if any(map(is_it, _within(value.examples))):
                    references.append(f"{label}.{name} (its contract)")
            elif oid_of(here) != oid and any(map(is_it, _within(value))):
                references.append(f"{label}.{name}")
    return Uses(heirs=heirs, references=references)


def of_method(connection: Connection, oid: str, selector: str) -> Uses:
    """Who inherits the method from the object, and which methods anywhere send its selector."""
    senders = [f"{label}.{name}" for label, here, name, _ in senders_of(connection, selector, but=oid)]
    return Uses(heirs=_heirs_of(connection, oid, selector), senders=senders)


def of_slot(connection: Connection, oid: str, slot: str) -> Uses:
    """Who inherits the slot, and which methods of the object, of its heirs and of its parents use it."""
    above = {oid_of(here) for here in delegation(world_root.get(connection, oid))}

    def is_near(here: UvmObject) -> bool:
        return oid_of(here) in above or any(oid_of(parent) == oid for parent in delegation(here))

    users = [f"{label}.{name}" for label, _, name, _ in _mentioning(connection, slot, is_near)]
    return Uses(heirs=_heirs_of(connection, oid, slot), senders=users)


def senders_of(
    connection: Connection, selector: str, *, but: str = ""
) -> Iterator[tuple[str, UvmObject, str, UvmMethod]]:
    """Label, holder, selector and method of each one that sends `selector`, but for the one of that name on `but`."""
    for label, here, name, method in _mentioning(connection, selector, lambda _: True):
        if name != selector or oid_of(here) != but:
            yield label, here, name, method


def mentions(source: str, name: str) -> bool:
    """Whether a source uses `name` as an attribute, or has it as a text, as `send_all_` is given selectors."""
    if name not in source:
        return False
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return True  # it has been edited, by somebody who did not ask the guardian
    return any(
        (isinstance(node, ast.Attribute) and node.attr == name)
        or (isinstance(node, ast.Constant) and node.value == name)
        for node in ast.walk(tree)
    )


def _mentioning(
    connection: Connection, name: str, where: Callable[[UvmObject], bool]
) -> Iterator[tuple[str, UvmObject, str, UvmMethod]]:
    for label, here in _objects(connection):
        for selector, method in list(here._slots.items()):
            if not isinstance(method, UvmMethod) or method.source is None:
                continue
            if mentions(method.source, name) and where(here):
                yield label, here, selector, method


def _heirs_of(connection: Connection, oid: str, entry: str) -> list[str]:
    """Objects that have `entry` from the object, and from nobody nearer."""
    return [
        label
        for label, here in _objects(connection)
        if oid_of(here) != oid
        and oid == next((oid_of(parent) for parent in delegation(here) if entry in parent._slots), "")
    ]


def _objects(connection: Connection) -> Iterator[tuple[str, UvmObject]]:
    """Every object that a name leads to, those that are owned by another one too, each once, with what it is called."""
    reading: Any = connection
    root: Any = connection.root()
    kernel = [(name, root[name]) for name in world_root.KERNEL_OBJECTS if name in root]
    seen: set[str] = set()
    for start in (*root["objects"].items(), *root["personas"].items(), *kernel):
        pending = [start]
        while pending:
            label, here = pending.pop()
            if oid_of(here) in seen:
                continue
            seen.add(oid_of(here))
            yield label, here
            for name, value in list(here._slots.items()):
                owned = [each for each in _within(value) if isinstance(each, UvmObject) and not _is_listed(root, each)]
                pending += [(each._name or f"{label}.{name}", each) for each in owned]
            if len(seen) % _MANY == 0:
                reading.cacheMinimize()


def _is_listed(root: Any, each: UvmObject) -> bool:
    """Whether it is met under its own name anyway."""
    return each._name is not None and (each._name in root["objects"] or each._name in root["personas"])


def _within(value: Any) -> Iterator[Any]:
    """What a slot's value consists of, containers opened."""
    pending = [value]
    while pending:
        here = pending.pop()
        if isinstance(here, PersistentList):
            pending.extend(here)
        elif isinstance(here, PersistentMapping):
            pending.extend(here.values())
        else:
            yield here


def _listed(found: list[str]) -> str:
    more = f" and {len(found) - TOLD} more" if len(found) > TOLD else ""
    return ", ".join(found[:TOLD]) + more
