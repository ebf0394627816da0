"""What the covenant knows of Python's own names: what makes fresh containers, what is plain, what changes things.

Standard library only, as all of the covenant.
"""

# ruff: noqa: SIM905 - a list of words reads best as words

from __future__ import annotations

import ast
from typing import Final

from actors.guardian.scopes import Function

MUTATORS: Final = frozenset(
    """append extend insert remove pop clear sort reverse update setdefault popitem add discard intersection_update
    difference_update symmetric_difference_update appendleft extendleft popleft rotate subtract move_to_end""".split()
)
LOOKUPS: Final = frozenset({"get"})
COPIES: Final = frozenset(
    "copy items values keys union intersection difference symmetric_difference most_common".split()
)
PURE: Final = frozenset(name for kind in (str, bytes, int, float, range) for name in dir(kind)) | {
    "isdisjoint",
    "issubset",
    "issuperset",
    "fromkeys",
    "elements",
}
"""Methods that change nothing and whose results hold nothing of their object."""

FRESH: Final = frozenset(
    "sorted list tuple set dict frozenset reversed enumerate zip map filter iter sum deque".split()
)
PLAIN: Final = frozenset(
    """len int float str bool bytes bytearray abs round isinstance issubclass repr hash id ord chr range hex bin oct
    format print divmod pow any all callable slice hasattr ascii complex Exception ValueError TypeError KeyError
    IndexError RuntimeError StopIteration AssertionError NotImplementedError ZeroDivisionError""".split()
)
PICK: Final = frozenset({"min", "max", "next"})
TYPES: Final = frozenset("list dict set tuple str bytes int float frozenset object".split())
PURE_MODULES: Final = frozenset("math cmath json re string itertools operator statistics datetime time".split())
PURE_CALLS: Final = frozenset({"dumps", "deepcopy"})
_NUMERIC_CALLS: Final = frozenset("len int float abs round ord".split())


def is_message(name: str) -> bool:
    """Whether `x.name(…)` sends: a selector ends in an underscore."""
    return name.endswith("_") and not name.endswith("__")


def numeric(node: ast.expr) -> bool:
    """Whether `node` is a number beyond doubt, so that an augmented assignment with it extends no container."""
    match node:
        case ast.Constant(value=value):
            return isinstance(value, (int, float))
        case ast.UnaryOp(op=ast.USub() | ast.Not()) | ast.Compare():
            return True
        case ast.BinOp(op=ast.Sub() | ast.Div() | ast.FloorDiv() | ast.Pow() | ast.Mult() | ast.Add()):
            return numeric(node.left) or (numeric(node.right) and not isinstance(node.op, ast.Mult))
        case ast.Call(func=ast.Name(id=name)):
            return name in _NUMERIC_CALLS
        case _:
            return False


def can_change(function: Function) -> bool:
    """Whether the function's text has anything that could change state, a call of another closure included."""
    own = getattr(function, "name", "")
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name = node.func.id
            if name != own and name not in PLAIN | FRESH | PICK:
                return True
        if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
            return True
        if isinstance(node, ast.AugAssign) or (isinstance(node, ast.Attribute) and node.attr in MUTATORS):
            return True
    return False
