"""`export`: objects of the user with all that they stand on, as another world can take them in.

What they refer to goes along: parents, what a slot holds, what a contract tries them with. The system's own objects are named,
because every world has them. It is read from a snapshot; nothing is written, and no slot of the system's goes along.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from ZODB.Connection import Connection

from protocol import codec, names
from protocol.checks.bundles import MAX_OBJECTS
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.messages import BundledMethod, BundledObject, Export, Exported
from world import root as world_root
from world.method import UvmMethod
from world.store import Store, snapshot
from world.uvm import UvmObject
from world.values import NotPlain, oid_of, plain


def exported(store: Store, request: Export) -> Exported:
    """The objects and what they stand on. UNKNOWN_OBJECT, BAD_ARGUMENT, TOO_LARGE."""
    if not request.names:
        raise BatosError("BAD_ARGUMENT", "no object is named", "Name one: `batos ls` lists them.")
    with snapshot(store.db) as connection:
        packing = _Packing(connection)
        for name in request.names:
            packing.begin(name)
        return Exported(objects=packing.all(), needs=sorted(packing.needs))


class _Packing:
    """What is packed so far: `called` has the name in the bundle by OID, `waiting` the objects still to be packed."""

    def __init__(self, connection: Connection) -> None:
        self.needs: set[str] = set()
        self._connection = connection
        self._root: Any = connection.root()
        self._called: dict[str, str] = {}
        self._waiting: list[UvmObject] = []

    def begin(self, name: str) -> None:
        here = world_root.resolve(self._connection, name)
        if here._name is not None and here._name not in self._root["objects"]:
            raise BatosError(
                "BAD_ARGUMENT",
                f"{name} is the system's own, and every world has one",
                "Export an object of yours: `batos ls` lists them.",
            )
        if here._name is None:
            raise BatosError(
                "BAD_ARGUMENT",
                f"{name} has no name, so nothing could reach it in another world",
                "Export the object in whose slot it stands: it goes along.",
            )
        self._call(here, name)

    def all(self) -> list[BundledObject]:
        packed = []
        while self._waiting:
            packed.append(self._packed(self._waiting.pop(0)))
        return packed

    def _packed(self, here: UvmObject) -> BundledObject:
        label = self._called[oid_of(here)]
        parents: dict[str, str] = {}
        slots: dict[str, Value] = {}
        methods: list[BundledMethod] = []
        for name, value in list(here._slots.items()):
            where = f"{label}.{name}"
            if names.is_delegation(name):
                parents[name] = self._call(value, where)
            elif isinstance(value, UvmMethod):
                methods.append(self._method(where, value))
            elif not name.startswith("_"):
                slots[name] = self._value(where, value)
        return BundledObject(name=label, owned=here._name is None, parents=parents, slots=slots, methods=methods)

    def _method(self, where: str, method: UvmMethod) -> BundledMethod:
        if method.source is None or method.sha256 is None:
            raise BatosError(
                "BAD_ARGUMENT",
                f"{where} is done by the system itself, and has no source that could go along",
                f"Drop it first: `batos drop {where.replace('.', ' ')}`.",
            )
        if method.selector in names.KERNEL_SELECTORS:
            raise BatosError(
                "BAD_ARGUMENT",
                f"{where} is a message of the kernel, which no bundle brings",
                f"Drop it first (`batos drop {where.replace('.', ' ')}`), and define it by hand in the other world.",
            )
        return BundledMethod(
            selector=method.selector,
            sha256=method.sha256,
            source=method.source,
            intent=method.intent,
            examples=[self._example(where, example) for example in method.examples],
        )

    def _example(self, where: str, example: Any) -> Value:
        """An example with the other objects that it lays out under their names in the bundle."""
        value = self._value(where, example)
        others = value.get("objects")
        if not isinstance(others, dict):
            return value
        named = {self._of(where, oid): laid for oid, laid in others.items()}
        return {**value, "objects": named}

    def _value(self, where: str, value: Any) -> Value:
        try:
            return codec.by_name(plain(value, lambda _: None), lambda ref: self._of(where, ref.oid))
        except NotPlain as error:
            raise BatosError(
                "BAD_ARGUMENT",
                f"{where} holds a {error}, which cannot go along",
                "Take the slot away first, or export another object.",
            ) from error

    def _of(self, where: str, name: str) -> str:
        """The name in the bundle of an object that is known here by its OID or its name."""
        return self._call(world_root.resolve(self._connection, name), where)

    def _call(self, here: UvmObject, where: str) -> str:
        """The name of an object in the bundle; one of the user's that is met for the first time goes along."""
        oid, name = oid_of(here), here._name
        if name is not None and name not in self._root["objects"]:
            self.needs.add(name)
            return name
        if oid not in self._called:
            if len(self._called) == MAX_OBJECTS:
                raise BatosError(
                    "TOO_LARGE",
                    f"with what they refer to these are more than {MAX_OBJECTS} objects",
                    "Export fewer at once.",
                )
            self._called[oid] = name or self._name_for(where)
            self._waiting.append(here)
        return self._called[oid]

    def _name_for(self, where: str) -> str:
        """A name that nobody has, for an object without one: after the slot in which it was met first."""
        stem = where.removesuffix("*")[: names.MAX_NAME - 8]
        tries = (stem if number == 1 else f"{stem}-{number}" for number in count(1))
        return next(
            name for name in tries if not world_root.is_taken(self._root, name) and name not in self._called.values()
        )
