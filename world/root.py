"""The root: which named objects a world holds, and how a name is resolved.

Names resolve in this order: the user's objects, personas, the root, OIDs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ZODB.Connection import Connection
from ZODB.POSException import POSKeyError

from protocol import names
from protocol.errors import BatosError
from world.uvm import UvmObject, delegation
from world.values import oid_of

KERNEL_OBJECTS: Final = (
    "traits_obj",
    "cycle_traits",
    "pLLM_obj",
    "memory_manager_obj",
    "orchestrator_obj",
    "psm_prototypes_obj",
    "knowledge_catalog_obj",
    "persona_traits",
    "codex_obj",
)
"""The root's objects. Methods that stand on them are kernel source."""


def resolve(connection: Connection, target: str) -> UvmObject:
    """The object called `target` (a name or an OID); UNKNOWN_OBJECT with what one might have meant."""
    root = connection.root()
    found = root["objects"].get(target) or root["personas"].get(target)
    if found is None and target in KERNEL_OBJECTS:
        found = root[target]
    if found is None and names.is_oid(target):
        found = get(connection, target)
    if isinstance(found, UvmObject):
        return found
    raise BatosError("UNKNOWN_OBJECT", f"no object is called {target[:100]!r}", _hint(root, target))


def get(connection: Connection, oid: str) -> UvmObject:
    """The object with this OID; UNKNOWN_OBJECT for an OID of nothing, or of something else than an object."""
    try:
        found = connection.get(bytes.fromhex(oid))
    except POSKeyError:
        found = None
    if isinstance(found, UvmObject):
        return found
    # A method that sends to it may read the message, and no OID: that is data.
    message = "no object has the OID that the reference names"
    raise BatosError("UNKNOWN_OBJECT", message, "`batos look` lists the objects by name.", oid=oid)


def is_kernel(holder: UvmObject) -> bool:
    """Whether methods on `holder` are kernel source: a root object, or one that delegates to the cycle's traits."""
    return any(_is_privileged(here) for here in delegation(holder)) or holder._name in KERNEL_OBJECTS


def _is_privileged(here: UvmObject) -> bool:
    return here._name == "cycle_traits"


def all_objects(root: Any) -> Iterator[tuple[str, str]]:
    """Name and OID of every object of the user, in name order."""
    return ((name, oid_of(found)) for name, found in root["objects"].items())


def _hint(root: Any, target: str) -> str:
    near = [name for name in root["objects"] if name.lower() == target.lower() or name.startswith(target[:3])]
    if near:
        return f"Did you mean {', '.join(near[:3])}?"
    return f"Make it: `batos new {target} slot=json …`." if len(target) <= names.MAX_NAME else "See `batos look`."
