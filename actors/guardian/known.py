"""What the covenant knows of Python's own names: what makes fresh containers, what is plain, what changes things.

Standard library only, as all of the covenant.
"""

# ruff: noqa: SIM905 - a list of words reads best as words

from __future__ import annotations

import ast
from typing import Final

from actors.guardian import builtin_names

MUTATORS: Final = frozenset(
    """append extend insert remove pop clear sort reverse update setdefault popitem add discard intersection_update
    difference_update symmetric_difference_update appendleft extendleft popleft rotate subtract move_to_end""".split()
)
SPREADING: Final = frozenset(
    "extend extendleft intersection_update difference_update symmetric_difference_update subtract".split()
)
"""Mutators that put in the items of their argument, and not the argument."""
LOOKUPS: Final = frozenset({"get"})
KEYED: Final = frozenset({"get", "setdefault", "pop"})
COPIES: Final = frozenset(
    "copy items values keys union intersection difference symmetric_difference most_common".split()
)
SPLITS: Final = frozenset(
    "split rsplit splitlines partition rpartition fromkeys maketrans elements as_integer_ratio".split()
)
"""Methods whose results are fresh containers of what cannot be changed."""
PURE: Final = frozenset(name for kind in (str, bytes, int, float, range) for name in dir(kind)) | {
    "isdisjoint",
    "issubset",
    "issuperset",
}
"""Methods that change nothing and whose results hold nothing of their object."""

FRESH: Final = frozenset(
    "sorted list tuple set dict frozenset reversed enumerate zip map filter iter sum deque Counter OrderedDict defaultdict copy.copy".split()
)
EXCEPTIONS: Final = builtin_names.EXCEPTIONS | {builtin_names.SEND_FAILED, "BaseException", "ExceptionGroup"}
"""They hold what they are made of."""
READING_DUNDERS: Final = frozenset("__len__ __contains__ __eq__ __ne__ __bool__ __str__ __repr__".split())
PLAIN: Final = frozenset(
    """len int float str bool bytes abs round isinstance issubclass repr hash id ord chr hex bin oct
    format print pow any all callable hasattr ascii complex""".split()
)
NUMBERS: Final = frozenset("range bytearray divmod".split())
"""What makes a fresh container of numbers."""
LAZY: Final = frozenset("map filter zip enumerate iter reversed".split())
"""What runs its arguments, callbacks and generators, only when it is asked for an item itself."""
PICK: Final = frozenset({"min", "max", "next"})
TYPES: Final = frozenset("list dict set tuple str bytes int float frozenset object".split())
PURE_MODULES: Final = frozenset("math cmath json re string statistics datetime time".split())
NUMERIC_MODULES: Final = frozenset({"math", "cmath"})
PURE_CALLS: Final = frozenset({"dumps", "deepcopy"})
"""They hold on to nothing that they are given; what they answer is fresh, a number or a text."""
BUILT_IN: Final = builtin_names.ALL | PLAIN | FRESH | NUMBERS | EXCEPTIONS | PICK | TYPES | {"setattr", "super", "vars"}
"""Names that are always there, if they are not the method's own."""


def is_message(name: str) -> bool:
    """Whether `x.name(…)` sends: a selector ends in an underscore."""
    return name.endswith("_") and not name.endswith("__")


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


def raises_things(method: ast.AST) -> bool:
    """Whether an exception raised in `method` may hold more than texts and numbers."""
    for node in ast.walk(method):
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
