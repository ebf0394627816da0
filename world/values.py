"""The border between the world's persistent values and the plain ones that travel.

Outside, an object is a `Ref` and a container is a list or a dict; inside, they are persistent. Both directions are
total over the values of `protocol.codec`; what has no plain form (a blob, a tree, a method) is `NotPlain`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from persistent import Persistent
from persistent.list import PersistentList
from persistent.mapping import PersistentMapping

from protocol.codec import Ref, Value
from world.uvm import UvmObject


class NotPlain(Exception):  # noqa: N818  a verdict on a value, which its caller always handles
    """A persistent value that has no plain form."""


def plain(value: Any, visit: Callable[[Persistent], None]) -> Value:
    """The plain form of a slot's value; `visit` is called with every persistent container met on the way."""
    if isinstance(value, UvmObject):
        return Ref(oid_of(value))
    if isinstance(value, PersistentList):
        visit(value)
        return [plain(item, visit) for item in value]
    if isinstance(value, PersistentMapping):
        visit(value)
        return {key: plain(item, visit) for key, item in value.items()}
    if isinstance(value, Persistent):
        raise NotPlain(type(value).__name__)
    return value


def persistent(value: Value, resolve: Callable[[Ref], UvmObject]) -> Any:
    """The persistent form of a plain value; `resolve` finds the object that a reference means."""
    if isinstance(value, Ref):
        return resolve(value)
    if isinstance(value, list):
        return PersistentList(persistent(item, resolve) for item in value)
    if isinstance(value, dict):
        return PersistentMapping({key: persistent(item, resolve) for key, item in value.items()})
    return value


def oid_of(stored: Persistent) -> str:
    """The OID of a stored object as 16 hex digits."""
    if stored._p_oid is None:
        raise ValueError("an object that is not stored has no OID")
    return stored._p_oid.hex()
