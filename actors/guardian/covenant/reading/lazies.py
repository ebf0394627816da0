"""The covenant's reading of `map`, `zip` and their kin: they run what they are given when an item is asked of them.

Standard library only, as all of the covenant.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from actors.guardian.covenant.frame import Frame
from actors.guardian.covenant.knowledge.aliasing import State
from actors.guardian.covenant.knowledge.objects import INVOKABLE, NOTHING, Lazy, Object, Value
from actors.guardian.covenant.reading.arguments import Arguments


def make(read: Frame, state: State, name: str, arguments: Arguments, node: ast.AST) -> Value:
    """`name(…)`: evaluated at once where nothing that it is given could run."""
    if name in ("map", "filter") or any(isinstance(thing, INVOKABLE) for thing in arguments.everything):
        read.lazies[id(node)] = node
        placed = (*arguments.placed, *arguments.named.values())
        return frozenset({Lazy(id(node), name, placed, arguments.spread)})
    columns = [read.items(state, column) for column in arguments.placed]
    found = _row(state, name, node, columns, read.items(state, arguments.spread))
    return state.make(node, found, "iterator", role="row by row")


def pull(read: Frame, state: State, thing: Lazy) -> Value:
    """What an item of a lazy object may be; what makes it runs."""
    made_at, name, placed, spread = thing
    node = read.lazies[made_at]
    if name in ("map", "filter"):
        sources = spread.union(*placed[1:])
        items = read.items(state, sources)
        function = placed[0] if placed else spread
        called = read.callback(state, function, items, node)
        return items if name == "filter" else called
    if name == "iter" and len(placed) > 1:
        return read.callback(state, placed[0], NOTHING, node)
    columns = [read.items(state, column) for column in placed]
    return _row(state, name, node, columns, read.items(state, spread))


def _row(state: State, name: str, node: ast.AST, columns: Sequence[Value], spread: Value) -> Value:
    if name not in ("zip", "enumerate"):
        return spread.union(*columns)
    if spread:
        everything = spread.union(*columns)
        return state.make(node, everything, "tuple", role="pair")
    if name == "enumerate":
        columns = [NOTHING, frozenset[Object]().union(*columns[:1])]
    return pair(state, node, columns)


def pair(state: State, node: ast.AST, columns: Sequence[Value]) -> Value:
    """A fresh tuple made at `node` of one of each of `columns`."""
    held = frozenset[Object]().union(*columns)
    return state.make(node, held, "tuple", dict(enumerate(columns)), role="pair")


def pairs(state: State, node: ast.AST, columns: Sequence[Value]) -> Value:
    """A fresh view of such tuples."""
    return state.make(node, pair(state, node, columns), "any", role="view")
