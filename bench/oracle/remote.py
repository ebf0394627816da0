"""A receiver for the amnesia oracle that lives as one does in the jail: what a send does to it comes back as values.

Its slots are `actors.guardian.runtime.slots`; each send is answered by a change of the slots that is drawn from a seed, as another
run would have made it. Beside it goes what the world would hold, and a record of every list and dict that an answer
has taken out of a slot: by these, and not by what `Slots` says of itself, it is seen whether a change was lost.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from random import Random
from typing import Any, Final

from actors.guardian.runtime.slots import Slots
from protocol import names
from protocol.codec import normalize, packed
from protocol.errors import BatosError
from protocol.messages import Answer

_HOLDERS: Final = (list, dict)


class Refused(BaseException):
    """The run ends here by name, and no handler of the method sees it: what should cross is no value."""


class Remote:
    """A receiver with `slots`, whose sends change it as `random` draws. `sends` have changed it so often."""

    def __init__(self, slots: dict[str, Any], random: Random) -> None:
        self.__dict__.update(
            live=Slots(slots),
            values=slots,
            world=copy.deepcopy(slots),
            random=random,
            witnesses={},
            answered=0,
            sends=0,
            refused=False,
        )

    def __getattribute__(self, name: str) -> Any:
        own = object.__getattribute__(self, "__dict__")
        if name == "ask_":
            return lambda value=None: _ask(own, value)
        if name == "__dict__":
            return own
        try:
            return own["live"].read(name)
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        live = self.__dict__["live"]
        if name == names.SIGNAL:
            live.signal()
        else:
            live.write(name, value)

    def __delattr__(self, name: str) -> None:
        try:
            self.__dict__["live"].remove(name)
        except KeyError:
            raise AttributeError(name) from None


class Ended:
    """How a run on a `Remote` ended: `refused` by name, and if not, whether it has `lost` a change."""

    def __init__(self, receiver: Remote) -> None:
        own = receiver.__dict__
        self.sends: int = own["sends"]
        self.refused, self.lost, self.told = own["refused"], False, False
        if self.refused:
            return
        live, values = own["live"], own["values"]
        try:
            final = live.encodings()
            changed, removed = live.changes(final)
        except BatosError:
            self.refused = True
            return
        self.told = live.lost() is not None
        self.refused = self.told or live.unsignalled(final) is not None
        world = {slot: value for slot, value in own["world"].items() if slot not in removed} | changed
        forgotten = _bytes(world) != _bytes(normalize(values))
        self.lost = forgotten or _is_lost(own)


def _ask(own: dict[str, Any], value: Any) -> Any:
    live, values, random = own["live"], own["values"], own["random"]
    try:
        normalize(value)
        changed, removed = live.changes(live.encodings())
    except BatosError:
        own["refused"] = True
        raise Refused from None
    # What the nested send sees, does, and leaves in the world.
    before = {slot: value for slot, value in own["world"].items() if slot not in removed} | changed
    after = copy.deepcopy(before)
    if random.random() < 0.8:
        _meddle(after, random)
    new = {slot: value for slot, value in after.items() if _bytes(before.get(slot)) != _bytes(value)}
    gone = [slot for slot in before if slot not in after]
    own["world"] = {slot: value for slot, value in own["world"].items() if slot not in gone} | copy.deepcopy(new)
    stood = {id(holder): (holder, _look(holder), repr(holder)) for holder in _standing(own)}
    own["answered"] += 1
    own["sends"] += bool(new or gone)
    live.apply(Answer(digest="", changed=new, removed=gone), own["answered"])
    # What stands in a slot is the method's own affair, until an answer takes it away.
    there = {id(holder) for holder in _standing(own)}
    witnesses = {**stood, **own["witnesses"]}
    own["witnesses"] = {identity: found for identity, found in witnesses.items() if identity not in there}
    assert _bytes(values) == _bytes(after), "the slots are what the answer says"
    return copy.deepcopy(value)


def _standing(own: dict[str, Any]) -> Iterator[Any]:
    """Every list and dict that stands in a slot now."""
    return (holder for value in own["values"].values() for holder in _holders(value))


def _is_lost(own: dict[str, Any]) -> bool:
    """Whether something that an answer has taken out of the slots looks otherwise since, and stands in none now."""
    there = {id(holder) for holder in _standing(own)}
    return any(
        identity not in there and look != _look(holder) and text != repr(holder)
        for identity, (holder, look, text) in own["witnesses"].items()
    )


def _holders(value: Any) -> Iterator[Any]:
    if isinstance(value, _HOLDERS):
        yield value
    if isinstance(value, (*_HOLDERS, tuple)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _holders(part)


def _look(holder: Any) -> list[Any]:
    """A list or dict without what is in its parts."""
    parts = [*holder.keys(), *holder.values()] if isinstance(holder, dict) else holder
    return [("part", id(part)) if isinstance(part, _HOLDERS) else (type(part), repr(part)) for part in parts]


def _bytes(value: Any) -> bytes:
    """Two states are equal where these are. (The order of slots says nothing.)"""
    return packed(dict(sorted(value.items())) if isinstance(value, dict) else value)


def _meddle(value: Any, random: Random) -> None:
    """Change a list or dict somewhere, in one of the ways in which a method of the same object might."""
    within = [part for part in (value.values() if isinstance(value, dict) else value) if isinstance(part, _HOLDERS)]
    if within and random.random() < 0.7:
        _meddle(random.choice(within), random)
        return
    new = random.choice(([], [1], {"z": [5]}, 7, [[1], [2, 3]]))
    if isinstance(value, dict):
        key = random.choice([*value, "k", "m"])
        match random.randrange(4):
            case 0:
                value.pop(key, None)
            case 1:
                other = random.choice([*value, "k"])
                value[key], value[other] = copy.deepcopy(value.get(other)), value.get(key)
            case _:
                value[key] = new
        return
    match random.randrange(6):
        case 0:
            value.insert(0, new)
        case 1:
            value.append(new)
        case 2:
            value.reverse()
        case 3:
            del value[:1]
        case 4:
            value[:] = [copy.deepcopy(part) for part in value[::2]]
        case _:
            value[-1:] = [new]
