"""What an example is kept with: the slots that a method reads of its receiver, and the other objects that it can come to.

So it asks for the same tomorrow, whatever becomes of the receiver and of them. What is too much to be kept with each example stays
as it is in the world, and can change there.
"""

from __future__ import annotations

from collections.abc import Iterator

from actors.orchestrator.primitives import trials
from actors.orchestrator.thinking.overlay import Draft, Overlay
from protocol import codec, names
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from world.method import UvmMethod, slots_named


def slots_read(overlay: Overlay, oid: str, source: str) -> dict[str, Value]:
    """The receiver's slots that a method names, itself or in what it sends to `self`; none where they are too much."""
    seen = overlay.visible(oid, kernel=overlay.is_kernel(oid))
    named: dict[str, None] = {}
    todo = [source]
    while todo:
        for name in slots_named(todo.pop()):
            if name in named:
                continue
            named[name] = None
            place = overlay.lookup(oid, name) if names.is_selector(name) else None
            if place is not None and isinstance(place.value, (UvmMethod, Draft)) and place.value.source is not None:
                todo.append(place.value.source)
    read = {name: seen[name] for name in named if name in seen}
    return read if len(codec.packed(list(read.values()))) <= trials.MAX_FROZEN_BYTES else {}


def objects_near(overlay: Overlay, but: str, values: Value, most: int) -> trials.Frozen:
    """At most `most` other objects that `values` refer to, those that are referred to nearest first, as an example keeps them."""
    found: trials.Frozen = {}
    seen, size = {but}, 0
    todo = list(_references(values))
    while todo and len(found) < most:
        oid = todo.pop(0)
        if oid in seen:
            continue
        seen.add(oid)
        try:
            slots = {} if overlay.is_kernel(oid) else overlay.visible(oid, kernel=False)
        except BatosError:
            continue  # whoever writes a reference by hand may refer to nothing
        size += len(codec.encode(slots))
        if size > trials.MAX_FROZEN_BYTES:
            break
        if slots:
            found[oid] = {"slots": slots}
            todo += _references(list(slots.values()))
    return found


def _references(value: Value) -> Iterator[str]:
    if isinstance(value, Ref):
        yield value.oid
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _references(item)
