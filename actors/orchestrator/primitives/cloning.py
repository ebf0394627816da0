"""Copies of objects: the primitives `clone_` and `_clone_persistent_`."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

from actors.orchestrator.thinking.asks import Thinking
from actors.orchestrator.thinking.overlay import OPAQUE, Overlay, Slot
from actors.orchestrator.thinking.thought import Sender
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from world.cloning import Cloning


def clone(sender: Sender) -> Thinking[Value]:
    """A copy of the receiver, by the rules of `UvmObject`; it is stored when the mandate is published."""
    yield from ()  # a generator like every primitive
    return clone_in(sender.thought.overlay, sender.receiver)


def clone_in(overlay: Overlay, oid: str) -> Ref:
    """A copy of an object by the rules of `world.cloning`, in the overlay's top layer."""
    return _Cloning(overlay).clone(Ref(oid))


class _Cloning(Cloning[Ref]):
    """Of objects that an overlay sees; the copies stand in its top layer."""

    mapping = dict
    sequence = list

    def __init__(self, overlay: Overlay) -> None:
        super().__init__({})
        self._overlay = overlay

    def key(self, value: Any) -> Hashable:
        return value.oid if isinstance(value, Ref) else id(value)

    def make(self) -> Ref:
        return self._overlay.add({})

    def slots(self, original: Ref) -> Iterator[tuple[str, Slot]]:
        for name, value in self._overlay.own(original.oid).items():
            if value is OPAQUE:
                said = f"an object that holds a blob or a tree in {name!r} cannot be cloned by a message"
                raise BatosError("BAD_ARGUMENT", said)
            yield name, value

    def write(self, made: Ref, name: str, value: Slot) -> None:
        self._overlay.write(made.oid, {name: value})

    def is_shared(self, value: Slot) -> bool:
        return not isinstance(value, (Ref, dict, list)) or (
            isinstance(value, Ref) and not self._overlay.is_owned(value.oid)
        )

    def copy_other(self, value: Slot) -> Slot:
        return self.clone(value)
