"""What the covenant knows at one point of a method: whether state has changed unsignalled, and what may alias what.

A variable's value is a set of abstract objects (`actors.guardian.covenant.knowledge.objects`). `held` says what such an
object may contain; once it has been put into the receiver's state it is `owned`, and from then on a change of it is a
change of the receiver.

Of a display, a pair of `zip` or the like, `parts` says what stands at which place, until a change moves the places; of
a dict, what stands under which key, and what under all the others.

What one place of the method makes in the turns of a loop are several objects. The one that this turn has made is kept
apart from the `earlier` ones (`actors.guardian.covenant.knowledge.recency`), so that a row is fresh again although the last one was stored.
What is known of variables and conditions is kept beside it (`actors.guardian.covenant.knowledge.facts`).

Standard library only, as all of the covenant.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import Final

from actors.guardian.covenant.knowledge.facts import Facts, Key
from actors.guardian.covenant.knowledge.objects import (
    NOTHING,
    RECEIVER,
    REST,
    STATE,
    Bound,
    Foreign,
    Kind,
    Lazy,
    Object,
    Site,
    Value,
    site,
)

Parts = Mapping[object, Value]

MAX_TURNS: Final = 16
"""Turns of a comprehension or a callback until nothing new comes out; what needs more is refused."""
MAX_WAY: Final = 6
"""Lines of a way that are told, beside its last."""


class TooComplexError(Exception):
    """The analysis has run out of its budget; what cannot be decided is refused."""


class State:
    """`dirty` is None, or the lines of the way from the last unsignalled change to here.

    `certain` are the variables that have a value on every way here: to read another one may raise. `many` are the
    objects that may stand for several at once. `boxes` are objects and places at which a list or dict stands beyond doubt.
    `dead` is a way that cannot be gone: something on it has failed.
    """

    __slots__ = ("boxes", "certain", "dead", "dirty", "env", "facts", "held", "many", "owned", "parts")

    def __init__(self) -> None:
        self.dirty: tuple[int, ...] | None = None
        self.env: dict[Key, Value] = {}
        self.held: dict[Object, Value] = {}
        self.owned: frozenset[Object] = frozenset()
        self.many: frozenset[Object] = frozenset()
        self.boxes: frozenset[tuple[Site, object]] = frozenset()
        self.dead = False
        self.certain: frozenset[Key] = frozenset()
        self.parts: dict[Site, Parts | None] = {}
        self.facts = Facts()

    def copy(self) -> State:
        twin = State()
        twin.dirty = self.dirty
        twin.env = dict(self.env)
        twin.held = dict(self.held)
        twin.owned = self.owned
        twin.many = self.many
        twin.boxes = self.boxes
        twin.dead = self.dead
        twin.certain = self.certain
        twin.parts = dict(self.parts)
        twin.facts = self.facts.copy()
        return twin

    def change(self, line: int) -> None:
        self.dirty = (line,)

    def pass_by(self, line: int) -> State:
        """Note that the way from an unsignalled change leads over `line`."""
        if self.dirty is not None and self.dirty[-1] != line:
            self.dirty = (*self.dirty[:MAX_WAY], line)
        return self

    def cleaned(self) -> State:
        """A copy in which everything has been signalled."""
        twin = self.copy()
        twin.dirty = None
        return twin

    def become(self, other: State) -> None:
        self.dirty, self.env, self.held, self.owned = other.dirty, other.env, other.held, other.owned
        self.certain, self.parts, self.facts = other.certain, other.parts, other.facts
        self.many, self.boxes, self.dead = other.many, other.boxes, other.dead

    def absorb(self, other: State) -> None:
        """Become what is true on either way: dirty where one is, aliased where one is."""
        if other.dead:
            return
        if self.dead:
            self.become(other.copy())
            return
        if self.dirty is None or (other.dirty is not None and other.dirty < self.dirty):
            self.dirty = other.dirty if other.dirty is not None else self.dirty
        if other.env is not self.env:
            for key, value in other.env.items():
                self.env[key] = self.env.get(key, NOTHING) | value
        if other.held is not self.held:
            for owner, value in other.held.items():
                self.held[owner] = self.held.get(owner, NOTHING) | value
        self.owned |= other.owned
        self.many |= other.many
        self.certain &= other.certain
        self.boxes &= other.boxes
        for owner, parts in other.parts.items():
            self.parts[owner] = either(owner, self.parts[owner], parts) if owner in self.parts else parts
        self.facts.absorb(other.facts)

    def knows(self, other: State) -> bool:
        """Whether `other` adds nothing to this: the end of a loop's fixed point."""
        return other.dead or (
            (self.dirty is not None or other.dirty is None)
            and not self.dead
            and self.boxes <= other.boxes
            and other.owned <= self.owned
            and other.many <= self.many
            and self.certain <= other.certain
            and all(value <= self.env.get(key, NOTHING) for key, value in other.env.items())
            and all(value <= self.held.get(owner, NOTHING) for owner, value in other.held.items())
            and all(
                owner in self.parts and either(owner, self.parts[owner], parts) == self.parts[owner]
                for owner, parts in other.parts.items()
            )
            and self.facts.follow_from(other.facts)
        )

    def is_state(self, thing: Object) -> bool:
        """Whether a change of `thing` may be a change of the receiver's state."""
        return thing is STATE or thing is RECEIVER or thing in self.owned

    def touches_state(self, value: Value) -> bool:
        """Whether `value`, or anything that it holds, may be of the receiver's state."""
        return any(self.is_state(thing) for thing in self.reach(value))

    def hold(self, owner: Object, value: Value) -> None:
        if value:
            self.held[owner] = self.held.get(owner, NOTHING) | value

    def make(
        self, node: object, contents: Value, kind: Kind | None = None, parts: Parts | None = None, role: str = ""
    ) -> frozenset[Site]:
        """A fresh object made at `node` that holds `contents`, which stand at the places of `parts` if they are known."""
        made = site(node, kind, role)
        self.hold(made, contents)
        if parts is None and _keyed(made):
            parts = {REST: contents}
        if made in self.parts:
            self.many |= {made}
            parts = either(made, self.parts[made], parts)
        self.parts[made] = parts
        return frozenset({made})

    def part(self, value: Value, place: object | None) -> Value:
        """What stands at `place` of `value`; None for a place that is not known."""
        found: set[Object] = set()
        for thing in value:
            parts = self.parts.get(thing) if isinstance(thing, Site) and thing not in self.owned else None
            here = None if parts is None or not isinstance(thing, Site) else _place(thing, parts, place)
            if parts is None or here is None:
                found |= self.contents(frozenset({thing}))
            else:
                found |= parts.get(here, parts.get(REST, NOTHING))
        return frozenset(found)

    def put(self, thing: Site, value: Value, place: object | None, *, alone: bool = False) -> None:
        """`thing` may hold `value` now, at `place`; None for a change that leaves no place as it was.

        Where `thing` is `alone` what is changed, and stands for one object, nothing else is at that place any more.
        """
        self.hold(thing, value)
        parts = self.parts.get(thing)
        here = _place(thing, parts, place)
        if self.boxes:
            kept = here is not None and _keyed(thing)
            self.boxes = frozenset(box for box in self.boxes if box[0] != thing or (kept and box[1] != here))
        if parts is None:
            return
        if here is None or (here not in parts and not _keyed(thing)):
            # The keys of a dict stay where they are, whatever is put in.
            parts = {REST: NOTHING, **parts}
            self.parts[thing] = {key: old | value for key, old in parts.items()} if _keyed(thing) else None
        else:
            others = (
                NOTHING if alone and thing not in self.many | self.owned else parts.get(here, parts.get(REST, NOTHING))
            )
            self.parts[thing] = {**parts, here: others | value}

    def own(self, value: Value) -> None:
        """`value` was put into the receiver's state, with all that it holds."""
        self.owned |= {thing for thing in self.reach(value) if isinstance(thing, (Site, Foreign))}

    def reach(self, value: Value) -> set[Object]:
        found: set[Object] = set()
        todo = list(value)
        while todo:
            thing = todo.pop()
            if thing not in found:
                found.add(thing)
                todo.extend(self.held.get(thing, NOTHING))
                if isinstance(thing, Bound):
                    todo.extend(thing.base)
                elif isinstance(thing, Lazy):
                    todo.extend(thing.spread.union(*thing.placed))
        return found

    def contents(self, value: Value) -> Value:
        """What an item of `value` may be. (Generators are run by who asks for their items.)"""
        found: set[Object] = set()
        for thing in value:
            if thing in self.owned:
                # It may have been changed by another name since.
                found.add(STATE)
            if thing is STATE or thing is RECEIVER:
                found.add(STATE)
            elif isinstance(thing, Foreign):
                found |= {thing} | self.held.get(thing, NOTHING)
            else:
                found |= self.held.get(thing, NOTHING)
        return frozenset(found)


def joined(states: Iterable[State]) -> State | None:
    """The state that is true on any of the ways that meet here; None where no way leads here."""
    meeting: State | None = None
    for state in states:
        if state.dead:
            continue
        if meeting is None:
            meeting = state.copy()
        else:
            meeting.absorb(state)
    return meeting


def either(thing: Site, one: Parts | None, other: Parts | None) -> Parts | None:
    """The parts of `thing`, which has either; unknown where the places of a list are not the same."""
    if one is other or one is None or other is None or one == other:
        return one if other is not None else None
    if not _keyed(thing):
        return {place: value | other[place] for place, value in one.items()} if one.keys() == other.keys() else None
    rest = one.get(REST, NOTHING), other.get(REST, NOTHING)
    return {key: one.get(key, rest[0]) | other.get(key, rest[1]) for key in (*one, *other)}


def _keyed(thing: Site) -> bool:
    """Whether what stands in `thing` may be told apart by text keys: it is a dict, or perhaps one."""
    return thing.kind in ("dict", "any")


def _place(thing: Site, parts: Parts | None, place: object | None) -> object | None:
    """`place` as `parts` name it: counted from the front; what may be a list has no places, only keys."""
    if parts is None or thing.kind == "dict":
        return place
    if thing.kind == "any":
        return place if isinstance(place, str) else None
    return place + len(parts) if isinstance(place, int) and place < 0 and place not in parts else place


def arithmetic(operator: ast.operator, left: Value, right: Value) -> bool:
    """Whether the result is a number or a text: for containers the operation fails, or is none of theirs.

    The empty value is a number or a text beyond doubt. Only sets know `-`, `&` and `^`, and no value of the world is
    one: it would have been made here.
    """
    match operator:
        case ast.Add() | ast.BitOr():
            return not left or not right
        case ast.Mult():
            return not left and not right
        case ast.Sub() | ast.BitAnd() | ast.BitXor():
            return not any(isinstance(thing, Site) for thing in left | right)
        case _:
            return True
