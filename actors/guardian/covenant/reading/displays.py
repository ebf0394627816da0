"""The covenant's reading of displays (`[a, b]`, `{k: v}`) and of operators, some of which evaluate a part only.

Standard library only, as all of the covenant.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from actors.guardian.covenant import conditions
from actors.guardian.covenant.frame import Frame
from actors.guardian.covenant.knowledge import aliasing, failing, known
from actors.guardian.covenant.knowledge.aliasing import State, joined
from actors.guardian.covenant.knowledge.objects import NOTHING, REST, SCALAR, Value
from actors.guardian.covenant.reading import doubts


def boolean(read: Frame, node: ast.BoolOp, state: State) -> Value:
    """`a and b`, `a or b`: the second is evaluated on some ways only."""
    before = node.values[0]
    found = read.value(before, state)
    for part in node.values[1:]:
        taken = state.copy()
        if conditions.assume(read, taken, before, value=isinstance(node.op, ast.And)):
            found |= read.value(part, taken)
            state.absorb(taken)
        before = part
    return found


def choice(read: Frame, node: ast.IfExp, state: State) -> Value:
    """`a if b else c`."""
    read.value(node.test, state)
    found, ways = NOTHING, []
    for truth, part in ((True, node.body), (False, node.orelse)):
        way = state.copy()
        if conditions.assume(read, way, node.test, value=truth):
            found |= read.value(part, way)
            ways.append(way)
    meeting = joined(ways)
    if meeting is not None:
        state.become(meeting)
    return found


def display(read: Frame, node: ast.List | ast.Tuple | ast.Set | ast.Dict, state: State) -> Value:
    """A container written out: what stands at which place of it is known."""
    found = NOTHING
    if isinstance(node, ast.Dict):
        return _dict(read, node, state)
    places: dict[object, Value] | None = {}
    for n, part in enumerate(node.elts):
        value = read.value(part, state)
        found |= value
        if isinstance(part, ast.Starred) or isinstance(node, ast.Set):
            places = None
        elif places is not None:
            places[n] = value
    return state.make(node, found, parts=places)


def _dict(read: Frame, node: ast.Dict, state: State) -> Value:
    found = NOTHING
    places: dict[object, Value] = {}
    keys: Sequence[ast.expr | None] = node.keys
    for key, part in zip(keys, node.values, strict=True):
        found |= known.hashable([read.value(key, state)])
        value = read.value(part, state)
        if key is None:
            value = read.items(state, value)
        found |= value
        place = known.literal(key)
        if place is None:
            # It may be any key, one that stands before it too.
            places = {here: old | value for here, old in places.items()}
            place, value = REST, places.get(REST, NOTHING) | value
        places[place] = value
    return state.make(node, found, parts=places)


def operation(read: Frame, node: ast.BinOp, state: State) -> Value:
    """`a + b` and its kin: a number, a text, or a new container of what both hold."""
    left, right = read.value(node.left, state), read.value(node.right, state)
    read.may_raise(state, failing.FORMAT if isinstance(node.op, ast.Mod) else failing.ARITHMETIC)
    conditions.succeeded(read, state, node, left, right)
    doubts.operated(read, state, node, left, right)
    left, right = left - {SCALAR}, right - {SCALAR}
    if aliasing.arithmetic(node.op, left, right) or (isinstance(node.op, ast.Mult) and known.fractional(node)):
        return NOTHING
    return state.make(node, read.items(state, left) | read.items(state, right))


def comparison(read: Frame, node: ast.Compare, state: State) -> Value:
    """`a < b`, `a in b`: a truth value. Whoever is asked whether it has an item may run for it."""
    values = [read.value(part, state) for part in (node.left, *node.comparators)]
    for operator, value in zip(node.ops, values[1:], strict=True):
        if isinstance(operator, (ast.In, ast.NotIn)):
            read.items(state, value)
    read.may_raise(state, None if any(map(known.may_break_off, NOTHING.union(*values[1:]))) else failing.KIND)
    conditions.succeeded(read, state, node, values[0], values[1])
    doubts.compared(read, state, node, values)
    return NOTHING
