"""`UvmObject`: a prototype with slots, after Self (Ungar and Smith, "Self: The Power of Simplicity", 1987).

All of an object's state stands in one container, `_slots`. A slot whose name ends in `*` delegates: what the object
does not have itself is looked up there, depth first, in the order of the slots, each object once, so that parents
that form a cycle end in a clean miss. Plain lists and dicts are coerced to persistent containers on the way in,
so that a change in place can never be lost.

Beside `_slots` stands `_name`, the name under which the world knows the object. An object without a name is owned by
the object in whose data slot it stands, and is copied with it; a named one is shared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from typing import Any, NamedTuple, TypeVar

from persistent import Persistent
from persistent.list import PersistentList
from persistent.mapping import PersistentMapping
from ZODB.blob import Blob

from protocol import names
from world.cloning import Cloning
from world.method import UvmMethod

T = TypeVar("T")


class UvmObject(Persistent):
    """An object of the world. Attributes are slots: reading delegates, writing writes the object's own slot."""

    _slots: PersistentMapping
    _name: str | None

    def __init__(self, name: str | None = None, **slots: Any) -> None:
        super().__setattr__("_name", name)
        super().__setattr__("_slots", PersistentMapping())
        for slot, value in slots.items():
            self.set_slot(slot, value)

    def set_slot(self, name: str, value: Any) -> None:
        """Write an own slot of any name, delegation slots (`parent*`) among them."""
        self._slots[name] = coerce(value)

    def parents(self) -> Iterator[UvmObject]:
        """The objects that this one delegates to, in order."""
        return (value for name, value in self._slots.items() if names.is_delegation(name))

    def __getattr__(self, name: str) -> Any:
        if name in {"_slots", "_name"} or name.startswith(("_p_", "_v_", "__")):
            raise AttributeError(name)
        found = lookup(self, name)
        if found is None:
            raise AttributeError(f"{self._name or 'an object'} understands no {name!r}")
        return found.value

    def __setattr__(self, name: str, value: Any) -> None:
        if name in {"_slots", "_name"} or name.startswith(("_p_", "_v_")):
            super().__setattr__(name, value)
            if name == names.SIGNAL and value and self._slots._p_jar is not None:
                # The state that can have changed lives in the container, which is a record of its own.
                self._slots._p_changed = True
        else:
            self.set_slot(name, value)

    def __delattr__(self, name: str) -> None:
        if name.startswith(("_p_", "_v_")):
            super().__delattr__(name)
        elif name in self._slots:
            del self._slots[name]
        else:
            raise AttributeError(name)

    def __deepcopy__(self, memo: dict[int, Any]) -> UvmObject:
        """A clone with slots of its own: parents, methods, blobs and named objects shared, all else copied."""
        return _Cloning(memo).clone(self)


class HeldSlot(NamedTuple):
    """A slot's value and the object that holds it."""

    holder: UvmObject
    value: Any


def lookup(receiver: UvmObject, name: str) -> HeldSlot | None:
    """The slot `name` of `receiver` or of what it delegates to; None is a clean miss."""
    for holder in delegation(receiver):
        if name in holder._slots:
            return HeldSlot(holder, holder._slots[name])
    return None


def delegation(receiver: UvmObject) -> Iterator[UvmObject]:
    """`receiver`, then all that it delegates to: depth first, in slot order, each object once."""
    return depth_first(receiver, UvmObject.parents)


def depth_first(start: T, parents: Callable[[T], Iterable[T]]) -> Iterator[T]:
    """The order of delegation, whatever stands for an object: `start`, then its parents and theirs, each once.

    The parents of one are asked for when the next is.
    """
    seen: set[T] = set()
    pending = [start]
    while pending:
        here = pending.pop()
        if here not in seen:
            seen.add(here)
            yield here
            pending.extend(reversed(list(parents(here))))


def coerce(value: Any) -> Any:
    """`value` with lists, tuples and dicts as persistent containers, all the way down."""
    if isinstance(value, (list, tuple)):
        return PersistentList(coerce(item) for item in value)
    if isinstance(value, dict):
        return PersistentMapping({key: coerce(item) for key, item in value.items()})
    return value


class _Cloning(Cloning[UvmObject]):
    """Of objects of the world; the copies are `deepcopy`'s memo."""

    mapping = PersistentMapping
    sequence = PersistentList

    def make(self) -> UvmObject:
        return UvmObject()

    def slots(self, original: UvmObject) -> Iterable[tuple[str, Any]]:
        return original._slots.items()

    def write(self, made: UvmObject, name: str, value: Any) -> None:
        made._slots[name] = value

    def is_shared(self, value: Any) -> bool:
        return isinstance(value, (UvmMethod, Blob)) or (isinstance(value, UvmObject) and value._name is not None)

    def copy_other(self, value: Any) -> Any:
        return deepcopy(value, self.copies)
