"""`set`, `drop` and `rename`: what a person changes of an object itself, its slots and its name."""

from __future__ import annotations

from collections.abc import Iterator

from actors.orchestrator.hand import uses
from actors.orchestrator.primitives.judgement import gone_memo
from actors.orchestrator.thinking.asks import Thinking
from actors.orchestrator.thinking.overlay import OPAQUE, Draft, Overlay
from actors.orchestrator.thinking.thought import Thought
from protocol import codec, names
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.messages import Drop, Rename, SetSlots
from world import history
from world import root as world_root
from world.method import AUTHOR, UvmMethod


def set_slots(thought: Thought, request: SetSlots) -> Value:
    """Write the slots of an object; those that hold their value already stay unwritten."""
    overlay = thought.overlay
    oid = overlay.find(request.name)
    own = overlay.own(oid)
    changed: dict[str, Value] = {}
    for slot, given in request.slots.items():
        value = codec.resolved(given, lambda name: Ref(overlay.find(name)))
        for ref in _references(value):
            world_root.get(overlay.connection, ref.oid)
        _check_slot(overlay, oid, slot, own.get(slot), value)
        if slot not in own or codec.encode(own[slot]) != codec.encode(value):
            changed[slot] = value
    if changed:
        overlay.write(oid, changed)
        overlay.visible(oid, kernel=False)  # TOO_LARGE now, and not with the next message
    return {"name": request.name, "oid": oid, "slots": list(changed)}


def drop(thought: Thought, request: Drop) -> Thinking[Value]:
    """Take a method or a slot from an object, or its name; IN_USE where something stands on it, unless it is forced."""
    overlay = thought.overlay
    oid = overlay.find(request.name)
    if request.entry is None:
        name = _own_name(overlay, oid, request.name, "dropped")
        found = yield from uses.of_object(overlay.connection, oid)
        if not request.force:
            found.check(name)
        if not found.are_there:
            overlay.lose(oid)
            for entry, value in overlay.own(oid).items():
                if isinstance(value, UvmMethod):  # nobody comes to it any more
                    overlay.remember(gone_memo(oid, entry))
        overlay.call(name, None)
        return {"name": name, "oid": oid, "entry": None}
    own = overlay.own(oid)
    if request.entry not in own:
        raise _not_own(overlay, oid, request)
    value = own[request.entry]
    _check_droppable(overlay, oid, request, value)
    if not request.force and not names.is_delegation(request.entry):
        find = uses.of_method if isinstance(value, (UvmMethod, Draft)) else uses.of_slot
        found = yield from find(overlay.connection, oid, request.entry)
        found.check(f"{request.name}.{request.entry}")
    overlay.write(oid, {}, [request.entry])
    if isinstance(value, UvmMethod) and not overlay.is_kernel(oid):
        overlay.remember(gone_memo(oid, request.entry))
    return {"name": request.name, "oid": oid, "entry": request.entry}


def rename(thought: Thought, request: Rename) -> Value:
    """Give an object another name; whoever refers to it goes on to do so."""
    overlay = thought.overlay
    oid = overlay.find(request.name)
    before = _own_name(overlay, oid, request.name, "renamed")
    if before != request.to:
        if world_root.is_taken(overlay.connection.root(), request.to):
            raise world_root.taken(request.to)
        overlay.call(before, None)
        overlay.call(request.to, oid)
    return {"name": request.to, "before": before, "oid": oid}


def _own_name(overlay: Overlay, oid: str, given: str, done: str) -> str:
    """The name of an object of the user's; BAD_ARGUMENT for what is the system's, or has no name."""
    name = overlay.name(oid)
    if name in overlay.connection.root()["objects"]:
        return name
    what = f"{given} is the system's own" if name else f"{given} has no name"
    raise BatosError("BAD_ARGUMENT", f"{what}, and cannot be {done}", "`batos ls` lists the objects that can.")


def _check_slot(overlay: Overlay, oid: str, slot: str, old: object, value: Value) -> None:
    if slot == names.LEARNING and overlay.is_kernel(oid):
        raise BatosError(
            "BAD_ARGUMENT",
            "what belongs to the system itself is no place for the mind to write, whatever is set there",
            'Set it on objects of your own, or for all of them: learning = "propose" under [orchestrator] in batos.toml.',
        )
    if old is OPAQUE:
        raise BatosError("BAD_NAME", f"the slot {slot!r} is the system's own", "Choose another slot.")
    if not names.is_delegation(slot):
        return
    if not isinstance(value, Ref):
        raise BatosError("BAD_VALUE", f"a parent is an object, and {slot} would be none", f"Name one: {slot}=@box.")
    if world_root.is_kernel(world_root.get(overlay.connection, oid)):
        raise BatosError("BAD_ARGUMENT", f"{slot} of a kernel object cannot be changed", "Make an object of your own.")


def _check_droppable(overlay: Overlay, oid: str, request: Drop, value: object) -> None:
    holder = world_root.get(overlay.connection, oid)
    if not world_root.is_kernel(holder) and overlay.name(oid) not in overlay.connection.root()["personas"]:
        return
    entry = str(request.entry)
    if entry == names.LEARNING:
        return
    if isinstance(value, UvmMethod):
        if value.primitive is None and all(one.author != AUTHOR for one in history.versions(holder, entry)):
            return
        raise BatosError(
            "BAD_ARGUMENT",
            f"{request.name}.{entry} is a method of the kernel, and cannot be dropped",
            f"Replace it (`batos define`), or have an earlier version again: `batos revert {request.name} {entry}`.",
        )
    raise BatosError(
        "BAD_ARGUMENT", f"{entry} of {request.name} is the system's own, and cannot be dropped", "Set it: `batos set`."
    )


def _not_own(overlay: Overlay, oid: str, request: Drop) -> BatosError:
    entry = str(request.entry)
    place = overlay.lookup(oid, entry)
    if place is not None:
        holder = overlay.name(place.holder) or place.holder
        return BatosError(
            "BAD_ARGUMENT",
            f"{request.name} has {entry[: names.MAX_NAME]} from {holder}, and none of its own",
            f"Drop it there: `batos drop {holder} {entry[: names.MAX_NAME]}`.",
        )
    code = "UNKNOWN_METHOD" if names.is_selector(entry) else "BAD_NAME"
    return BatosError(
        code,
        f"{request.name} has no {'method' if names.is_selector(entry) else 'slot'} {entry[: names.MAX_NAME]!r}",
        f"See what it has: `batos look {request.name}`.",
    )


def _references(value: Value) -> Iterator[Ref]:
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _references(item)
