"""The abstract objects of the covenant: what a value of a method may be.

A value is the set of objects that it may be; numbers and texts are the empty set, since nothing can be changed through
them. Objects made in the method are told apart by the place that makes them (`Site`).

They are named tuples, for the analysis hashes and compares them all the time, and a frozen dataclass needs about
three to six times as long for it. Tuples of equal items are equal whatever their class, so those that could be taken
for one another carry a tag.

Standard library only, as all of the covenant.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Kind = Literal["list", "dict", "set", "tuple", "iterator", "any"]
"""What an object made in the method is; `any` is a container of whatever kind, never an iterator."""


class Sentinel:
    """An object of which there is one, the same as itself alone."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


class Foreign(NamedTuple):
    """What came from elsewhere: a parameter, an answer."""

    name: str
    tag: Literal["foreign"] = "foreign"


class Outside(NamedTuple):
    """What the method did not make and names by a `path`: a built-in, something of a module."""

    path: str
    tag: Literal["outside"] = "outside"


class Closure(NamedTuple):
    """The function object of the nested `def` or lambda whose id is `made_at`."""

    made_at: int
    tag: Literal["closure"] = "closure"


class GeneratorObject(NamedTuple):
    """What the generator expression whose id is `made_at` makes."""

    made_at: int
    tag: Literal["generator"] = "generator"


class Site(NamedTuple):
    """The object that the syntax node whose id is `made_at` makes; `role` tells apart the several that one node makes.

    An `earlier` one stands for all that were made there in turns before this one.
    """

    made_at: int
    kind: Kind
    role: str = ""
    earlier: bool = False


class Bound(NamedTuple):
    """The method `name` of `base`, not called yet."""

    name: str
    base: Value


class Lazy(NamedTuple):
    """What `map` and its kin make at `made_at`: it runs what it was given when it is asked for an item."""

    made_at: int
    name: str
    placed: tuple[Value, ...]
    spread: Value


Object = Sentinel | Foreign | Outside | Closure | GeneratorObject | Site | Bound | Lazy
Value = frozenset[Object]

NOTHING: Final[Value] = frozenset()
RECEIVER: Final = Sentinel("receiver")
STATE: Final = Sentinel("state")
CLASS: Final = Sentinel("class")
REST: Final = Sentinel("rest")
"""In the parts of a dict: all keys that are not named."""
SLICE: Final = Sentinel("slice")
"""What `slice(…)` makes: an index that takes many items at once. No value of the world is one."""
SCALAR: Final = Foreign("a number, a text or a reference")
"""What of the state is no list or dict: it cannot be changed in place, and may still be another object."""
INVOKABLE: Final = (Closure, GeneratorObject, Lazy, Bound)
"""What can be called, or runs when it is asked for an item."""

_KINDS: Final[Mapping[type, Kind]] = {
    ast.List: "list",
    ast.ListComp: "list",
    ast.Dict: "dict",
    ast.DictComp: "dict",
    ast.Set: "set",
    ast.SetComp: "set",
    ast.Tuple: "tuple",
}


def site(node: object, kind: Kind | None = None, role: str = "") -> Site:
    """The object that `node` makes, of the kind that its syntax says if none is given."""
    return Site(id(node), kind or _KINDS.get(type(node), "any"), role)


def earlier(thing: Site) -> Site:
    """Stands for all objects that were made where `thing` was made, in turns before this one."""
    return Site(thing.made_at, thing.kind, thing.role, earlier=True)
