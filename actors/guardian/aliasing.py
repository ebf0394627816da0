"""What the covenant knows at one point of a method: whether state has changed unsignalled, and what may alias what.

An abstract object is a small tuple. A value is the set of objects that it may be; numbers and texts are the empty set,
since nothing can be changed through them. Objects made in the method are told apart by the place that makes them, and
`held` says what such an object may contain; once it has been put into the receiver's state it is `owned`, and from
then on a change of it is a change of the receiver.

Standard library only, as all of the covenant.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any, Final

Object = tuple[Any, ...]
Value = frozenset[Object]
Key = tuple[int, str]
"""A variable: the scope that owns it (`actors.guardian.scopes`), and its name."""

NOTHING: Final[Value] = frozenset()
RECEIVER: Final[Object] = ("receiver",)
STATE: Final[Object] = ("state",)
CLASS: Final[Object] = ("class",)
SLICE: Final[Object] = ("slice",)
"""What `slice(…)` makes: an index that takes many items at once. No value of the world is one."""

INVOKABLE: Final = frozenset({"function", "generator", "lazy", "bound"})


def parameter(name: str) -> Object:
    return ("foreign", name)


def site(node: object) -> Object:
    """The object that the syntax node `node` makes."""
    return ("site", id(node))


MAX_WAY: Final = 6
"""Lines of a way that are told, beside its last."""


class TooComplexError(Exception):
    """The analysis has run out of its budget; what cannot be decided is refused."""


class State:
    """`dirty` is None, or the lines of the way from the last unsignalled change to here.

    `certain` are the variables that have a value on every way here: to read another one may raise.
    """

    __slots__ = ("certain", "dirty", "env", "held", "owned")

    def __init__(self) -> None:
        self.dirty: tuple[int, ...] | None = None
        self.env: dict[Key, Value] = {}
        self.held: dict[Object, Value] = {}
        self.owned: frozenset[Object] = frozenset()
        self.certain: frozenset[Key] = frozenset()

    def copy(self) -> State:
        twin = State()
        twin.dirty = self.dirty
        twin.env = dict(self.env)
        twin.held = dict(self.held)
        twin.owned = self.owned
        twin.certain = self.certain
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
        self.certain = other.certain

    def absorb(self, other: State) -> None:
        """Become what is true on either way: dirty where one is, aliased where one is."""
        if self.dirty is None or (other.dirty is not None and other.dirty < self.dirty):
            self.dirty = other.dirty if other.dirty is not None else self.dirty
        if other.env is not self.env:
            for key, value in other.env.items():
                self.env[key] = self.env.get(key, NOTHING) | value
        if other.held is not self.held:
            for owner, value in other.held.items():
                self.held[owner] = self.held.get(owner, NOTHING) | value
        self.owned |= other.owned
        self.certain &= other.certain

    def knows(self, other: State) -> bool:
        """Whether `other` adds nothing to this: the end of a loop's fixed point."""
        return (
            (self.dirty is not None or other.dirty is None)
            and other.owned <= self.owned
            and self.certain <= other.certain
            and all(value <= self.env.get(key, NOTHING) for key, value in other.env.items())
            and all(value <= self.held.get(owner, NOTHING) for owner, value in other.held.items())
        )

    def is_state(self, thing: Object) -> bool:
        """Whether a change of `thing` may be a change of the receiver's state."""
        return thing in (STATE, RECEIVER) or thing in self.owned

    def touches_state(self, value: Value) -> bool:
        """Whether `value`, or anything that it holds, may be of the receiver's state."""
        return any(self.is_state(thing) for thing in self.reach(value))

    def hold(self, owner: Object, value: Value) -> None:
        if value:
            self.held[owner] = self.held.get(owner, NOTHING) | value

    def make(self, node: object, contents: Value) -> Value:
        """A fresh object made at `node` that holds `contents`."""
        made = site(node)
        self.hold(made, contents - {made})
        return frozenset({made})

    def own(self, value: Value) -> None:
        """`value` was put into the receiver's state, with all that it holds."""
        self.owned |= {thing for thing in self.reach(value) if thing[0] in ("site", "foreign")}

    def reach(self, value: Value) -> set[Object]:
        found: set[Object] = set()
        todo = list(value)
        while todo:
            thing = todo.pop()
            if thing not in found:
                found.add(thing)
                todo.extend(self.held.get(thing, NOTHING))
                if thing[0] == "bound":
                    todo.extend(thing[2])
        return found

    def contents(self, value: Value) -> Value:
        """What an item of `value` may be. (Generators are run by who asks for their items.)"""
        found: set[Object] = set()
        for thing in value:
            if thing in (STATE, RECEIVER):
                found.add(STATE)
            elif thing[0] == "foreign":
                found |= {thing} | self.held.get(thing, NOTHING)
            else:
                found |= self.held.get(thing, NOTHING)
        return frozenset(found)


def joined(states: Iterable[State]) -> State | None:
    """The state that is true on any of the ways that meet here; None where no way leads here."""
    meeting: State | None = None
    for state in states:
        if meeting is None:
            meeting = state.copy()
        else:
            meeting.absorb(state)
    return meeting


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
            return not any(thing[0] == "site" for thing in left | right)
        case _:
            return True
