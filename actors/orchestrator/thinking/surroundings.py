"""What stands around a message that must be written: the other objects in reach, and what they and the receiver understand.

It is shown to whoever writes the method, and decides nothing: what a method then does with an object is tried. So nothing of
it counts as read, and whatever becomes of an object that is only shown does not disturb the mandate.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from actors.orchestrator.thinking.overlay import Draft, Overlay
from protocol import codec, names
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from world.method import UvmMethod

MAX_OBJECTS: Final = 8
MAX_SELECTORS: Final = 12
MAX_SLOTS: Final = 12
MAX_SLOT_BYTES: Final = 300
MAX_INTENT: Final = 200
MAX_LOOKED: Final = 64
"""References that are followed to see whether they lead to an object."""


def objects_in_reach(overlay: Overlay, receiver: str, values: Value) -> list[Value]:
    """The first objects, but for the receiver, that `values` refer to: [{"name", "ref", "slots", "selectors"}, …]."""
    aside = overlay.aside()
    found: dict[str, Value] = {}
    for number, oid in enumerate(_references(values)):
        if len(found) == MAX_OBJECTS or number == MAX_LOOKED:
            break
        if oid == receiver or oid in found:
            continue
        try:
            found[oid] = {
                "name": aside.name(oid),
                "ref": Ref(oid),
                "slots": _shown(aside, oid),
                "selectors": understood(aside, oid),
            }
        except BatosError:
            continue  # whoever writes a reference by hand may refer to nothing
    return list(found.values())


def understood(overlay: Overlay, oid: str, but: str = "") -> list[Value]:
    """What `oid` understands beyond what every object does: [{"selector", "parameters", "intent"}, …], its own first."""
    return [
        {"selector": method.selector, "parameters": list(method.parameters), "intent": method.intent[:MAX_INTENT]}
        for _, method, _ in methods(overlay.aside(), oid)
        if method.selector != but
    ][:MAX_SELECTORS]


def methods(overlay: Overlay, oid: str) -> Iterator[tuple[str, UvmMethod | Draft, str]]:
    """Who holds it (an OID), the method, and its source, for each method that somebody has written for `oid` to understand.

    No method of the kernel is among them, and no primitive.
    """
    seen: set[str] = set()
    for here in overlay.delegation(oid):
        if overlay.is_kernel(here):
            continue
        for name, value in overlay.own(here).items():
            if name in seen or name.startswith("_") or not isinstance(value, (UvmMethod, Draft)):
                continue
            seen.add(name)
            if value.source is not None:
                yield here, value, value.source


def _references(value: Value) -> Iterator[str]:
    """The OIDs in a value, those that stand outermost first."""
    todo = [value]
    while todo:
        inner: list[Value] = []
        for item in todo:
            if isinstance(item, Ref):
                yield item.oid
            elif isinstance(item, list):
                inner.extend(item)
            elif isinstance(item, dict):
                inner.extend(item.values())
        todo = inner


def _shown(overlay: Overlay, oid: str) -> dict[str, Value]:
    slots: dict[str, Value] = {}
    for here in overlay.delegation(oid):
        for name, value in overlay.own(here).items():
            if len(slots) == MAX_SLOTS:
                return slots
            if name not in slots and not name.startswith("_") and _is_small(name, value):
                slots[name] = value
    return slots


def _is_small(name: str, value: object) -> bool:
    if names.is_delegation(name):
        return False
    try:
        codec.encode(value, limit=MAX_SLOT_BYTES)
    except BatosError:
        return False  # too large, or a method or a tree, which is no value
    return True
