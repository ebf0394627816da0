"""What one mandate sees: a snapshot of the world under the changes that it has made so far.

The changes are layers. Every send works in a layer of its own, a savepoint: `merge` keeps it when the send is done,
`drop` forgets it when the send failed. Nothing here touches the world; `actors.orchestrator.publish` does, once, with
the one layer that is left at the end.

Whatever is read from the snapshot is noted with its serial, misses included (a miss reads every `_slots` on the
way), so that the publisher can tell whether the world that the mandate thought about is still there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from persistent import Persistent
from ZODB.Connection import Connection

from protocol import codec, names
from protocol.codec import Ref, Value
from world import root as world_root
from world.method import UvmMethod
from world.uvm import UvmObject, depth_first
from world.values import NotPlain, oid_of, plain


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A method that a mandate has installed and not yet published. One that does not `last` goes with the mandate.

    `asked_by` and `told` are as in `UvmMethod`.
    """

    selector: str
    source: str
    sha256: str
    parameters: list[str]
    author: str
    model: str | None
    examples: list[Value]
    intent: str = ""
    origin: str = ""
    asked_by: str = ""
    told: tuple[str, ...] | None = None
    lasts: bool = True


class Removed:
    """The mark of a slot that a layer takes away."""


REMOVED: Final = Removed()

Slot = Any
"""What a slot holds here: a plain value, a `Draft`, a `UvmMethod`, `Opaque`, or `REMOVED`."""


class Opaque:
    """A slot of the snapshot that holds no value: a tree or a blob. Methods do not see it."""


OPAQUE: Final = Opaque()


class Memo(msgspec.Struct, frozen=True):
    """A document on its way to memory. One that `is_gone` is to be forgotten there."""

    doc_id: str
    text: str
    metadata: dict[str, Value]
    is_gone: bool = False


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A method that a mandate proposes for `target` (an OID) instead of installing it; see `world.history.UvmProposal`."""

    id: str
    target: str
    draft: Draft
    message: dict[str, Value]
    found: dict[str, Value]
    replaces: str
    diff: str
    attempt: int
    body: bytes = b""


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """How the user has settled a proposal."""

    state: str
    by: str
    because: str = ""


class Layer(msgspec.Struct):
    """Changed slots by object and name, the objects that were made, what memory is to remember, and changed names.

    `names` maps each of the user's names to the object (an OID) that it comes to mean, or to None where it is taken away; `released`
    are the objects that lose one. Nothing leads to the objects in `lost` any more. `offers` are new proposals, and `settled` how
    others were settled, by their id. `forgotten` are texts (sha256) that no version of a method shows any more, by the object's OID and
    the selector; `withdrawn` are proposals that go. `order` is that of an object's slots where it is restored. `undoes` are the commits
    that are taken back, or `rewinds` the moment.
    """

    slots: dict[str, dict[str, Slot]] = {}
    fresh: dict[str, bool] = {}  # oid -> whether publishing keeps it (a clone) or not (a cycle's context)
    outbox: list[Memo] = []
    names: dict[str, str | None] = {}
    released: list[str] = []
    lost: list[str] = []
    offers: list[Offer] = []
    settled: dict[str, Settled] = {}
    forgotten: dict[tuple[str, str], list[str]] = {}
    withdrawn: list[str] = []
    order: dict[str, list[str]] = {}
    undoes: list[str] = []
    rewinds: str = ""


class Place(NamedTuple):
    """Where a lookup ended: the holder's OID and what its slot holds."""

    holder: str
    value: Slot


class Overlay:
    """Reads through the layers down to the snapshot `connection`; writes into the top layer."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.reads: dict[str, bytes] = {}
        self._layers = [Layer()]
        self._snapshot: dict[str, dict[str, Slot]] = {}

    # Savepoints -----------------------------------------------------------------------------------------------

    def push(self, layer: Layer | None = None) -> int:
        """Begin a layer, or go on with one that was dropped; the mark by which `restore` comes back to here."""
        self._layers.append(layer or Layer())
        return len(self._layers) - 1

    def restore(self, mark: int) -> None:
        """Forget every layer that was begun since."""
        del self._layers[mark:]

    def drop(self) -> Layer:
        """Forget the top layer; it is returned, for who wants to keep it elsewhere."""
        return self._layers.pop()

    def merge(self, layer: Layer | None = None) -> None:
        """Add `layer` (the top one, which then goes) to the layer under it."""
        if layer is None:
            layer = self._layers.pop()
        top = self._layers[-1]
        for oid, slots in layer.slots.items():
            top.slots.setdefault(oid, {}).update(slots)
        top.fresh.update(layer.fresh)
        top.outbox.extend(layer.outbox)
        top.names.update(layer.names)
        top.released.extend(layer.released)
        top.lost.extend(layer.lost)
        top.offers.extend(layer.offers)
        top.settled.update(layer.settled)
        top.forgotten.update(layer.forgotten)
        top.withdrawn.extend(layer.withdrawn)
        top.order.update(layer.order)
        top.undoes.extend(layer.undoes)
        top.rewinds = layer.rewinds or top.rewinds

    def branch(self) -> Overlay:
        """An overlay beside others over what this one sees now; its reads count as this one's, its top layer is its own."""
        beside = Overlay(self.connection)
        beside.reads = self.reads
        beside._layers = [*self._layers, Layer()]
        beside._snapshot = self._snapshot
        return beside

    def aside(self) -> Overlay:
        """An overlay over what this one sees now, whose reads do not count: for what is shown, and decides nothing."""
        beside = Overlay(self.connection)
        beside._layers = [*self._layers, Layer()]
        beside._snapshot = dict(self._snapshot)
        return beside

    def changes(self) -> Layer:
        """All changes that last, once every send has ended."""
        if len(self._layers) != 1:
            raise AssertionError("a send is still under way")
        (layer,) = self._layers
        for slots in layer.slots.values():
            for name in [name for name, value in slots.items() if isinstance(value, Draft) and not value.lasts]:
                del slots[name]
        layer.slots = {oid: slots for oid, slots in layer.slots.items() if slots or oid in layer.fresh}
        known = self.connection.root()[
            "objects"
        ]  # a name that was given and taken here is none that the world could lose
        layer.names = {name: oid for name, oid in layer.names.items() if oid is not None or name in known}
        return layer

    # Reading --------------------------------------------------------------------------------------------------

    def own(self, oid: str) -> Mapping[str, Slot]:
        """The object's own slots, in order."""
        slots = {} if any(oid in layer.fresh for layer in self._layers) else self._stored(oid)
        changed = [layer.slots[oid] for layer in self._layers if oid in layer.slots]
        if not changed:
            return slots
        merged = dict(slots)
        for layer in changed:
            merged.update(layer)
        return {name: value for name, value in merged.items() if value is not REMOVED}

    def delegation(self, oid: str) -> Iterator[str]:
        """The object, then all that it delegates to: depth first, in slot order, each once."""
        return depth_first(oid, self._parents)

    def _parents(self, oid: str) -> list[str]:
        slots = self.own(oid).items()
        return [value.oid for name, value in slots if names.is_delegation(name) and isinstance(value, Ref)]

    def lookup(self, oid: str, name: str) -> Place | None:
        """The slot `name` by delegation; None is a miss."""
        for here in self.delegation(oid):
            slots = self.own(here)
            if name in slots:
                return Place(here, slots[name])
        return None

    def visible(self, oid: str, *, kernel: bool) -> dict[str, Value]:
        """The data slots that a method with this receiver sees, inherited ones too, own ones first.

        TOO_LARGE where they are more than may cross into the jail at once.
        """
        slots: dict[str, Value] = {}
        for here in self.delegation(oid):
            for name, value in self.own(here).items():
                if name not in slots and _is_data(name, value, kernel=kernel):
                    slots[name] = value
        codec.encode(slots)
        return slots

    def is_touched(self, oid: str) -> bool:
        """Whether the top layer changes any object whose slots a method with this receiver sees."""
        changed = self._layers[-1].slots
        return bool(changed) and any(here in changed for here in self.delegation(oid))

    def is_kernel(self, oid: str) -> bool:
        """Whether methods on this object are kernel source."""
        traits = self.root_oid("cycle_traits")
        if any(here == traits for here in self.delegation(oid)):
            return True
        return not self.is_fresh(oid) and world_root.is_kernel(world_root.get(self.connection, oid))

    def is_privileged(self, holder: str, selector: str) -> bool:
        """Whether the method `selector` on `holder` is kernel source: it stands there, or has a selector of the kernel's."""
        return selector in names.KERNEL_SELECTORS or self.is_kernel(holder)

    def root_oid(self, name: str) -> str:
        """The OID of one of the root's objects."""
        return oid_of(self.connection.root()[name])

    def name(self, oid: str) -> str:
        """The name under which the world knows an object, or will when this is published; or ""."""
        for layer in reversed(self._layers):
            for name, called in layer.names.items():
                if called == oid:
                    return name
        stored = "" if self.is_fresh(oid) else world_root.get(self.connection, oid)._name or ""
        return "" if any(stored in layer.names for layer in self._layers) else stored

    def find(self, name: str) -> str:
        """The OID of the object called `name` (a name or an OID), one that was made here too; UNKNOWN_OBJECT for none."""
        called = next((layer.names[name] for layer in reversed(self._layers) if name in layer.names), None)
        if called is not None or self.is_fresh(name):
            return called or name
        return oid_of(world_root.resolve(self.connection, name))

    def is_fresh(self, oid: str) -> bool:
        return any(oid in layer.fresh for layer in self._layers)

    def made(self) -> frozenset[str]:
        """The OIDs of the objects that the top layer has made."""
        return frozenset(self._layers[-1].fresh)

    def _stored(self, oid: str) -> dict[str, Slot]:
        if oid not in self._snapshot:
            stored = world_root.get(self.connection, oid)
            self.note(stored._slots)
            self._snapshot[oid] = {name: self._slot(value) for name, value in stored._slots.items()}
        return self._snapshot[oid]

    def _slot(self, value: Any) -> Slot:
        if isinstance(value, UvmMethod):
            return value
        try:
            return plain(value, self.note)
        except NotPlain:
            return OPAQUE

    def note(self, container: Persistent) -> None:
        """Count `container` as read."""
        container._p_activate()
        self.reads[oid_of(container)] = container._p_serial

    # Writing --------------------------------------------------------------------------------------------------

    def write(self, oid: str, slots: Mapping[str, Slot], removed: list[str] | None = None) -> None:
        """Change own slots of an object; a removed slot that is only inherited stays inherited."""
        target = self._layers[-1].slots.setdefault(oid, {})
        target.update(slots)
        for name in removed or []:
            target[name] = REMOVED

    def remember(self, memo: Memo) -> None:
        """Let memory have `memo`, if and when the mandate is published."""
        self._layers[-1].outbox.append(memo)

    def call(self, name: str, oid: str | None) -> None:
        """Let `name` mean the object `oid`, or nothing any more."""
        if oid is None:
            self._layers[-1].released.append(self.find(name))
        self._layers[-1].names[name] = oid

    def lose(self, oid: str) -> None:
        """Nothing leads to the object any more: what is known of its methods elsewhere goes."""
        self._layers[-1].lost.append(oid)

    def offer(self, offer: Offer) -> None:
        """Propose a method, once the mandate is published."""
        self._layers[-1].offers.append(offer)

    def settle(self, id_: str, settled: Settled) -> None:
        """Settle a proposal."""
        self._layers[-1].settled[id_] = settled

    def forget(self, oid: str, selector: str, sha256s: list[str]) -> None:
        """Let no version of a method show these texts, and none of them stand."""
        self._layers[-1].forgotten[oid, selector] = sha256s

    def withdraw(self, id_: str) -> None:
        """Let a proposal go, whatever was said of it."""
        self._layers[-1].withdrawn.append(id_)

    def take_back(self, *, undoes: Iterable[str] = (), rewinds: str = "") -> None:
        """Note that the changes take back these commits, or all since a moment."""
        self._layers[-1].undoes.extend(undoes)
        self._layers[-1].rewinds = rewinds

    def arrange(self, oid: str, order: list[str]) -> None:
        """Let an object's slots stand in this order."""
        self._layers[-1].order[oid] = order

    def written(self) -> frozenset[str]:
        """The OIDs of the state of all stored objects that were changed: what another one's read of them is noted by."""
        return frozenset(
            oid_of(world_root.get(self.connection, oid)._slots)
            for layer in self._layers
            for oid in layer.slots
            if not self.is_fresh(oid)
        )

    def add(self, slots: Mapping[str, Slot], *, oid: str | None = None, keep: bool = True) -> Ref:
        """A new object with these slots. `keep` False: it lives as long as the mandate (a cycle's context)."""
        made = oid or self.connection.new_oid().hex()
        self._layers[-1].fresh[made] = keep
        self._layers[-1].slots[made] = dict(slots)
        return Ref(made)

    def told(self, doc_id: str) -> Memo | None:
        """What memory is told here last of a document."""
        told = [memo for layer in self._layers for memo in layer.outbox if memo.doc_id == doc_id]
        return told[-1] if told else None

    def settled(self, id_: str) -> Settled | None:
        """How a proposal is settled here."""
        return next((layer.settled[id_] for layer in reversed(self._layers) if id_ in layer.settled), None)

    def is_owned(self, oid: str) -> bool:
        """Whether an object has no name, so that it belongs to the one in whose slot it stands."""
        if self.is_fresh(oid):
            return True
        stored: UvmObject = world_root.get(self.connection, oid)
        return stored._name is None


def _is_data(name: str, value: Slot, *, kernel: bool) -> bool:
    if names.is_delegation(name) or isinstance(value, (UvmMethod, Draft, Opaque)):
        return False
    return not name.startswith("_") or (kernel and name in names.KERNEL_SLOTS)
