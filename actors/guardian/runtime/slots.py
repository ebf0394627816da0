"""The receiver's slots in one run: what they hold, what has changed, and what of it could be lost.

A slot is looked at from the moment it is first read or written: before that no name of the method holds anything of it.
What it holds is compared by packed bytes, in which equal values are equal and no others.

**Names across a send.** A send may answer with new values for the receiver's slots, which another run has made. Names
that this method has bound before go on to mean the same place as far as that is certain:

* a slot that the answer leaves as it is keeps its very objects;
* the list or dict of a changed slot stays that of the slot, and is brought up to date in place; so do those under the
  keys of a dict, at any depth;
* what stands in a changed list stays where its content is the only one of its kind both before and after;
* everything else of the old value is *detached*: it shows what it was.

To change what is detached would change nothing that is kept. So each detached list and dict is remembered as it was;
where one has changed by the end, and no slot holds it again, the run has lost a change, and fails by that name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from actors.guardian.runtime.weight import NO_VALUE, encoding, packed
from protocol import codec
from protocol.codec import Value
from protocol.messages import Answer

_CONTAINERS: Final = frozenset({list, dict, tuple})


class Detached(NamedTuple):
    """A list or dict that `slot` held until the answer to send `number` (from 1): its parts then, and who held it too."""

    slot: str
    number: int
    container: Any
    parts: list[Any]
    elsewhere: frozenset[str]


class Slots:
    """The live slots of one run. `values` are theirs; they are read and written through here alone."""

    def __init__(self, values: dict[str, Value]) -> None:
        self._values = values
        self._before: dict[str, bytes | None] = {}
        self._signal: dict[str, bytes | None] | None = None
        self._detached: list[Detached] = []

    @property
    def signalled(self) -> bool:
        return self._signal is not None

    def read(self, slot: str) -> Value:
        """What the slot holds; KeyError where there is none."""
        self._open(slot)
        return self._values[slot]

    def write(self, slot: str, value: Any) -> None:
        self._open(slot)
        self._values[slot] = value

    def remove(self, slot: str) -> None:
        """Take the slot away; KeyError where there is none."""
        self._open(slot)
        del self._values[slot]

    def signal(self) -> None:
        """All changes up to now are signalled."""
        self._signal = {slot: packed(self._values[slot]) for slot in self._before if slot in self._values}

    def encodings(self) -> dict[str, bytes]:
        """The canonical encodings of all slots that were looked at. Raises BAD_VALUE or TOO_LARGE for what is no value."""
        return {slot: encoding(self._values[slot]) for slot in self._before if slot in self._values}

    def changes(self, now: dict[str, bytes]) -> tuple[dict[str, Value], list[str]]:
        """The method's own changes, copied, and the slots that it took away, by the encodings that are `now`."""
        touched = self._touched(now)
        changed = {slot: codec.normalize(value) for slot, value in self._values.items() if slot in touched}
        return changed, [slot for slot in touched if slot not in now]

    def unsignalled(self, now: dict[str, bytes]) -> str | None:
        """A changed slot whose change no signal has followed."""
        signalled = self._signal or {}
        for slot in self._touched(now):
            if self._signal is None or now.get(slot) != signalled.get(slot):
                return slot
        return None

    # Answers ---------------------------------------------------------------------------------------------------

    def apply(self, answer: Answer, number: int) -> None:
        """What the answer to send `number` (from 1) did to the slots."""
        touched = [slot for slot in (*answer.removed, *answer.changed) if slot in self._before and slot in self._values]
        held = {slot: list(_containers(self._values[slot])) for slot in touched}
        self._forget_attached()
        places = self._places() if touched else Counter[int]()
        for slot in answer.removed:
            self._values.pop(slot, None)
            self._note(slot, None)
        for slot, value in answer.changed.items():
            encoded = packed(value)
            known = slot in touched
            self._values[slot] = _merged(self._values[slot], value, places) if known else value
            self._note(slot, encoded)
        if touched:
            self._detach(held, number)

    def lost(self) -> Detached | None:
        """What was changed after an answer had detached it, and is in no slot now."""
        if not any(map(_has_changed, self._detached)):
            return None
        self._forget_attached()
        return next(filter(_has_changed, self._detached), None)

    def _detach(self, held: dict[str, list[Any]], number: int) -> None:
        holders = self._holders()
        for slot, containers in held.items():
            for container in containers:
                elsewhere = holders.get(id(container), frozenset())
                if type(container) is not tuple and slot not in elsewhere:
                    self._detached.append(Detached(slot, number, container, list(_parts(container)), elsewhere))

    def _forget_attached(self) -> None:
        """Forget what is in a slot again, by the method's own doing. (Where another slot held it all along, it may have
        been meant for both.)
        """
        if self._detached:
            holders = self._holders()
            self._detached = [
                one for one in self._detached if holders.get(id(one.container), frozenset()) <= one.elsewhere
            ]

    def _holders(self) -> dict[int, frozenset[str]]:
        """The slots that hold each list, dict and tuple, by its identity."""
        found: dict[int, set[str]] = {}
        for slot in self._before:
            if slot in self._values:
                for container in _containers(self._values[slot]):
                    found.setdefault(id(container), set()).add(slot)
        return {identity: frozenset(slots) for identity, slots in found.items()}

    def _places(self) -> Counter[int]:
        """How many places of the slots each list, dict and tuple stands in, by its identity."""
        seen: dict[int, Any] = {}
        places: Counter[int] = Counter()
        for slot in self._before:
            if slot in self._values:
                value = self._values[slot]
                places[id(value)] += 1
                for container in _containers(value):
                    if id(container) not in seen:
                        seen[id(container)] = container
                        places.update(id(part) for part in _parts(container) if type(part) in _CONTAINERS)
        return places

    def _touched(self, now: dict[str, bytes]) -> list[str]:
        """The slots whose encodings are not those of the snapshot, and of the answers since."""
        return sorted(slot for slot, before in self._before.items() if now.get(slot) != before)

    def _open(self, slot: str) -> None:
        if slot not in self._before:
            self._note(slot, packed(self._values[slot]) if slot in self._values else None)

    def _note(self, slot: str, encoded: bytes | None) -> None:
        """The slot's state that is not this method's doing: it is neither changed nor owed a signal."""
        self._before[slot] = encoded
        if self._signal is not None:
            self._signal[slot] = encoded


def _merged(old: Value, new: Value, places: Counter[int]) -> Value:
    """`new`, in the objects of `old` where it is certain which of them are meant."""
    if type(old) not in _CONTAINERS or type(new) not in _CONTAINERS:
        return new
    if packed(old) == packed(new):
        return old
    if type(old) is not type(new) or places[id(old)] != 1:
        # In two places at once: the other one must not change with this one.
        return new
    if type(old) is list:
        old[:] = _recognized(old, new)
    else:
        merged = {key: _merged(old[key], value, places) if key in old else value for key, value in new.items()}
        old.clear()
        old.update(merged)
    return old


def _recognized(old: list[Value], new: list[Value]) -> list[Value]:
    """The parts of `new`, each of them the part of `old` with its content where there is exactly one on both sides."""
    mine = [(packed(part), part) for part in old if type(part) in _CONTAINERS]
    theirs = [packed(part) if type(part) in _CONTAINERS else None for part in new]
    before, after = Counter(content for content, _ in mine), Counter(theirs)
    known = {content: part for content, part in mine if before[content] == after[content] == 1}
    return [known.get(content, part) if content else part for content, part in zip(theirs, new, strict=True)]


def _containers(value: Any) -> Iterator[Any]:
    """Every list, dict and tuple in `value`, itself too, each once."""
    seen: set[int] = set()
    todo = [value]
    while todo:
        item = todo.pop()
        if type(item) in _CONTAINERS and id(item) not in seen:
            seen.add(id(item))
            yield item
            todo.extend(_parts(item))


def _parts(container: Any) -> list[Any]:
    return [*container.keys(), *container.values()] if type(container) is dict else list(container)


def _has_changed(one: Detached) -> bool:
    """Whether it holds something else than then. (What is in its parts is looked at there.)"""
    now = _parts(one.container)
    return len(now) != len(one.parts) or any(
        part is not then and (packed(part) == NO_VALUE or packed(part) != packed(then))
        for part, then in zip(now, one.parts, strict=True)
    )
