"""The root: which named objects a world holds, and how a name is resolved.

Names resolve in this order: the user's objects, personas, the root, OIDs. No new object takes a name that means
something already (`is_taken`), `root` among them. In a world whose user has once called an object so, the root itself
is still to be seen under its OID, which is what `batos look` without a name looks at.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from ZODB.Connection import Connection
from ZODB.POSException import POSKeyError

from protocol import names
from protocol.errors import BatosError
from world.nearest import MOST, in_list, in_tree, nearest
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
    "thread_traits",
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


def is_taken(root: Any, name: str) -> bool:
    """Whether `name` means something in this world already."""
    known = name in root["objects"] or name in root["personas"]
    return known or name in KERNEL_OBJECTS or name == names.ROOT


def taken(name: str) -> BatosError:
    """That `name` means something already."""
    if name == names.ROOT:
        return BatosError("NAME_TAKEN", f"{name} is the root itself", "Choose another name; `batos look` shows it.")
    return BatosError(
        "NAME_TAKEN", f"there is already an object called {name}", "Choose another name, or send it a message."
    )


def is_kernel(holder: UvmObject) -> bool:
    """Whether methods on `holder` are kernel source: a root object, or one that delegates to the cycle's traits."""
    return any(_is_privileged(here) for here in delegation(holder)) or holder._name in KERNEL_OBJECTS


def _is_privileged(here: UvmObject) -> bool:
    return here._name == "cycle_traits"


def objects_after(root: Any, after: str | None, limit: int) -> Iterator[tuple[str, str]]:
    """Name and OID of the user's objects, in name order: at most `limit` of those after the name `after`."""
    found = root["objects"].items(min=after, excludemin=after is not None)
    return ((name, oid_of(each)) for name, each in islice(found, limit))


def around(root: Any, name: str, limit: int) -> Iterator[tuple[str, str]]:
    """Name and OID of at most `limit` of the user's objects: those first whose names begin like `name`, up to its number.

    However many objects there are, no more of them are looked at.
    """
    stem = name.rstrip("0123456789").rstrip("-_.")
    found = dict(islice(root["objects"].items(min=stem or None), limit))
    found.update(islice(root["objects"].items(), limit - len(found)))
    return ((known, oid_of(each)) for known, each in found.items())


def _hint(root: Any, target: str) -> str:
    if target in {names.ROOT, names.ROOT_OID}:
        return "The root understands no message; `batos look` shows it."
    others = sorted([*root["personas"], *KERNEL_OBJECTS])
    near = [*nearest(in_tree(root["objects"]), target), *nearest(in_list(others), target)]
    if near:
        return f"Did you mean {', '.join(near[:MOST])}?"
    return f"Make it: `batos new {target} slot=json …`." if len(target) <= names.MAX_NAME else "See `batos look`."
