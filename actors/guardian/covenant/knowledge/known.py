"""What the covenant knows of Python's own names: what makes fresh containers, what is plain, what changes things.

Standard library only, as all of the covenant.
"""

# ruff: noqa: SIM905 - a list of words reads best as words

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import Final

from actors.guardian import builtin_names
from actors.guardian.covenant.knowledge.objects import STATE, Foreign, Kind, Object, Site, Value

MUTATORS: Final = frozenset(
    """append extend insert remove pop clear sort reverse update setdefault popitem add discard intersection_update
    difference_update symmetric_difference_update appendleft extendleft popleft rotate subtract move_to_end""".split()
)
SPREADING: Final = frozenset(
    "extend extendleft intersection_update difference_update symmetric_difference_update subtract".split()
)
"""Mutators that put in the items of their argument, and not the argument."""
GROWING: Final = frozenset("append insert add appendleft extend extendleft update setdefault".split())
"""Mutators that leave no container empty that was not."""
KEEPING: Final = frozenset("append insert add appendleft setdefault remove discard".split())
"""Mutators that call nothing that they are given: a function among it is kept, or compared."""
GRADUAL: Final = SPREADING | {"sort", "update"}
"""Mutators that go item by item: one at which they fail finds the others changed."""
CLASS_METHODS: Final = frozenset("fromkeys maketrans fromhex from_bytes".split())
"""What is called on a type itself: its first argument is no object of the type."""
LOOKUPS: Final = frozenset({"get"})
KEYED: Final = frozenset({"get", "setdefault", "pop"})
COPIES: Final = frozenset(
    "copy items values keys union intersection difference symmetric_difference most_common".split()
)
SPLITS: Final = frozenset("split rsplit splitlines partition rpartition maketrans elements as_integer_ratio".split())
"""Methods whose results are fresh containers of what cannot be changed."""
PURE: Final = frozenset(name for kind in (str, bytes, int, float, range) for name in dir(kind)) | {
    "isdisjoint",
    "issubset",
    "issuperset",
}
"""Methods that change nothing and whose results hold nothing of their object."""

METHODS: Final = frozenset(
    name for kind in (list, dict, set, tuple, str, bytes) for name in dir(kind) if not name.startswith("__")
)
"""Methods of plain values: without being called they are values themselves."""

FRESH: Final = frozenset("list tuple set dict frozenset sum deque Counter OrderedDict defaultdict copy.copy".split())
KINDS: Final[Mapping[str, Kind]] = {"list": "list", "tuple": "tuple", "set": "set", "frozenset": "set", "dict": "dict"}
CALLING: Final = frozenset({"sorted", "min", "max", "next"})
"""What takes items and may call a function with each."""
EXCEPTIONS: Final = builtin_names.EXCEPTIONS | {builtin_names.SEND_FAILED, "BaseException", "ExceptionGroup"}
"""They hold what they are made of."""
READING_DUNDERS: Final = frozenset("__len__ __contains__ __eq__ __ne__ __bool__ __str__ __repr__".split())
ITEM_DUNDERS: Final = frozenset("__getitem__ __iter__ __next__ __reversed__".split())
PLAIN: Final = frozenset(
    """len int float str bool bytes abs round isinstance issubclass repr hash id ord chr hex bin oct
    format print pow any all callable hasattr ascii complex""".split()
)
NUMBERS: Final = frozenset("range bytearray divmod".split())
"""What makes a fresh container of numbers."""
LAZY: Final = frozenset("map filter zip enumerate iter reversed".split())
"""What runs its arguments, callbacks and generators, only when it is asked for an item itself."""
TYPES: Final = frozenset("list dict set tuple str bytes int float frozenset object".split())
PURE_MODULES: Final = frozenset("math cmath json re string statistics datetime time".split())
NUMERIC_MODULES: Final = frozenset({"math", "cmath"})
PURE_CALLS: Final = frozenset({"dumps", "deepcopy"})
"""They hold on to nothing that they are given; what they answer is fresh, a number or a text."""
BUILT_IN: Final = (
    builtin_names.ALL | PLAIN | FRESH | NUMBERS | EXCEPTIONS | CALLING | TYPES | {"setattr", "super", "vars"}
)
"""Names that are always there, if they are not the method's own."""


def is_method(name: str) -> bool:
    """Whether a list, a dict or a text has a method of this name."""
    return name in MUTATORS or name in METHODS


def is_message(name: str) -> bool:
    """Whether `x.name(…)` sends: a selector ends in an underscore."""
    return name.endswith("_") and not name.endswith("__")


def hashable(values: Iterable[Value]) -> Value:
    """What of `values` can be the key of a dict, and is more than a number, a text or a reference."""
    return frozenset(
        thing
        for value in values
        for thing in value
        if not (thing is STATE or isinstance(thing, Foreign))
        and not (isinstance(thing, Site) and thing.kind in ("list", "dict", "iterator"))
    )


def may_break_off(thing: Object) -> bool:
    """Whether asking `thing` for its items may fail half-way: no list, dict or text does."""
    return thing.kind == "iterator" if isinstance(thing, Site) else not (thing is STATE or isinstance(thing, Foreign))


def fractional(node: ast.expr) -> bool:
    """Whether `node` is a float beyond doubt: nothing can be repeated so many times."""
    match node:
        case ast.Constant(value=value):
            return isinstance(value, float)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return fractional(operand)
        case ast.BinOp(op=ast.Div()):
            return True
        case ast.BinOp(op=ast.Mult(), left=left, right=right):
            return fractional(left) or fractional(right)
        case _:
            return False


def raises_things(nodes: Iterable[ast.AST]) -> bool:
    """Whether an exception raised in a method of these `nodes` may hold more than texts and numbers."""
    for node in nodes:
        carried: list[ast.expr] = []
        match node:
            case ast.Raise(exc=ast.Call(args=args, keywords=keywords)):
                carried = [*args, *(keyword.value for keyword in keywords)]
            case ast.Raise(exc=ast.expr() as error):
                carried = [] if isinstance(error, ast.Name) and error.id in EXCEPTIONS else [error]
            case ast.Assert(msg=ast.expr() as text):
                carried = [text]
            case _:
                pass
        if not all(isinstance(part, (ast.Constant, ast.JoinedStr)) for part in carried):
            return True
    return False


def literal(node: ast.expr | None) -> object | None:
    """The constant of the page that `node` is, as a key or a place; None for anything else."""
    match node:
        case ast.Constant(value=str() | int() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as value)):
            return -value
        case _:
            return None
