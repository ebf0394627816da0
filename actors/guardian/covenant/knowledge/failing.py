"""What may fail, and with which exceptions: `except IndexError` is entered only from where an IndexError can come.

Values of the world are numbers, texts, references, lists and dicts, whose operations fail in known ways. What runs
code of somebody else (a send, a context manager, what nobody knows) may fail in any way: its kinds are None.

Standard library only, as all of the covenant.
"""

# ruff: noqa: SIM905 - a list of words reads best as words

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable
from typing import Final

from actors.guardian import builtin_names
from actors.guardian.covenant.knowledge import known
from actors.guardian.covenant.knowledge.aliasing import State
from actors.guardian.covenant.knowledge.objects import RECEIVER, STATE, Bound, Closure, Foreign, Outside, Site, Value
from actors.guardian.covenant.knowledge.scopes import OUTSIDE, Scope
from actors.guardian.covenant.knowledge.ways import Ways, merged

Kinds = frozenset[str] | None
"""Kinds of exception by name, each with those below it; None for any."""
Raised = list[tuple[State, Kinds]]
"""The states in which something may fail, and how."""

_ALWAYS: Final = frozenset({"MemoryError", "RuntimeError"})
"""Everything may need too much of the memory or of the stack; what changes under its loop is a RuntimeError."""
NAME: Final = frozenset({"NameError"})
KIND: Final = frozenset({"TypeError", "NameError"})
"""A value that is of the wrong kind."""
WRONG: Final = frozenset({"TypeError", "ValueError", "NameError"})
"""Or wrong in another way."""
ATTRIBUTE: Final = frozenset({"AttributeError", "TypeError", builtin_names.SEND_FAILED})
"""(A slot of another object is asked for by a send.)"""
ITEM: Final = frozenset({"LookupError", "TypeError", "ValueError"})
ARITHMETIC: Final = frozenset({"ArithmeticError", "TypeError", "ValueError"})
FORMAT: Final = ARITHMETIC | ITEM
_METHOD: Final = ATTRIBUTE | ARITHMETIC
_FINDING: Final = frozenset("pop popitem popleft".split())
_SIMPLE: Final = frozenset(
    """append clear add discard setdefault get items keys values copy reverse lower upper
    strip lstrip rstrip title capitalize startswith endswith isdigit isalpha isalnum islower isupper isspace find
    count""".split()
)
"""Methods that fail by the kinds of their object and arguments alone."""
_LOOKING: Final = frozenset("remove format format_map encode decode move_to_end".split())
_KNOWN_METHODS: Final = known.MUTATORS | known.LOOKUPS | known.COPIES | known.SPLITS | known.PURE
_ASKING: Final = frozenset("len isinstance callable hasattr bool abs".split())
_KNOWN_FUNCTIONS: Final = (
    known.PLAIN | known.NUMBERS | known.LAZY | known.KINDS.keys() | {"sum", "sorted", "min", "max", "slice"}
) - {"iter"}


FOREIGN: Final = (
    ast.Await,
    ast.Yield,
    ast.YieldFrom,
    ast.Import,
    ast.ImportFrom,
    ast.With,
    ast.AsyncWith,
    ast.ClassDef,
)
"""What runs code of somebody else."""


def statement(node: ast.stmt) -> Kinds:
    """How a statement may fail beside the attributes, items, operators and calls in it, each of which says so itself."""
    return None if any(isinstance(part, FOREIGN) for part in ast.walk(node)) else KIND


def method(name: str, base: Value) -> Kinds:
    """How `base.name(…)` may fail, beside the code of the method itself that it runs."""
    if name not in _KNOWN_METHODS or not all(
        thing is STATE or thing is RECEIVER or isinstance(thing, (Site, Foreign)) for thing in base
    ):
        return None
    if name in _SIMPLE:
        return ATTRIBUTE
    if name in _FINDING:
        return ATTRIBUTE | {"LookupError"}
    return _METHOD | ITEM if name in _LOOKING else _METHOD


def function(called: Value) -> Kinds:
    """How a call of `called` may fail, beside the code of the method itself that it runs."""
    found = KIND
    for thing in called:
        kinds: Kinds = None
        if isinstance(thing, Closure):
            kinds = KIND
        elif isinstance(thing, Bound):
            kinds = method(thing.name, thing.base)
        elif isinstance(thing, Outside):
            kinds = _built_in(thing.path)
        if kinds is None:
            return None
        found |= kinds
    return found


def _built_in(name: str) -> Kinds:
    if name in known.EXCEPTIONS:
        return KIND
    if name in _ASKING:
        return KIND | {"ArithmeticError"}
    return ARITHMETIC if name in _KNOWN_FUNCTIONS else None


def iteration(items: Value) -> Kinds:
    """How asking for the items of `items` may fail, beside what it runs."""
    return None if any(map(known.may_break_off, items)) else WRONG


def raised(scope: Scope, node: ast.Raise) -> Kinds:
    """What `raise` raises."""
    error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    return KIND | {error.id} if isinstance(error, ast.Name) and _class(scope, error) else None


def caught(scope: Scope, node: ast.Try | ast.TryStar, handler: ast.ExceptHandler, raises: Raised) -> Ways:
    """The states in which `handler` of `node` may be entered. (A group of exceptions is caught by its parts.)"""
    parts = isinstance(node, ast.TryStar)
    return merged(
        state for state, kinds in raises if parts or kinds is None or _catches(scope, handler.type, kinds | _ALWAYS)
    )


def together(raises: Raised) -> Raised:
    """The same in fewer states."""
    apart: dict[Kinds, list[State]] = {}
    for state, kinds in raises:
        apart.setdefault(kinds, []).append(state)
    return [(state, kinds) for kinds, states in apart.items() for state in merged(states)]


def _catches(scope: Scope, types: ast.expr | None, kinds: Iterable[str]) -> bool:
    listed = types.elts if isinstance(types, ast.Tuple) else [types]
    for one in listed:
        caught = _class(scope, one) if isinstance(one, ast.Name) else None
        if caught is None:
            name = one.id if isinstance(one, ast.Name) and scope.owner(one.id) == OUTSIDE else ""
            if name != builtin_names.SEND_FAILED or name in kinds:
                return True
            continue
        for kind in kinds:
            raised = getattr(builtins, kind, Exception)
            if issubclass(raised, caught) or (kind != builtin_names.SEND_FAILED and issubclass(caught, raised)):
                return True
    return False


def _class(scope: Scope, name: ast.Name) -> type[BaseException] | None:
    """The exception class of Python that `name` is; None for what else it may be."""
    found = getattr(builtins, name.id, None) if scope.owner(name.id) == OUTSIDE else None
    return found if isinstance(found, type) and issubclass(found, BaseException) else None
