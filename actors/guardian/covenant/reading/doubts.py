"""What may be a list or a number, where the difference is one between a change of the state and none: `x += y`.

Both ways are followed. On the one `x` is a list or a dict, and changed; should an operator follow that takes none
(`x / n`, `round(x)`, `x > 3`), it fails, and that way ends there: an exception undoes everything. So a sum that begins
with a slot is read as a sum as soon as anything shows that it is a number.

Standard library only, as all of the covenant.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Final, TypeGuard

from actors.guardian.covenant.frame import Frame
from actors.guardian.covenant.knowledge import known
from actors.guardian.covenant.knowledge.aliasing import State
from actors.guardian.covenant.knowledge.facts import CONTAINERS, Fact
from actors.guardian.covenant.knowledge.objects import NOTHING, SCALAR, Object, Site, Value
from actors.guardian.covenant.reading.arguments import Arguments

_FOR_NUMBERS: Final = (ast.Sub, ast.Div, ast.FloorDiv, ast.Pow, ast.LShift, ast.RShift, ast.BitAnd, ast.BitXor)
"""Operators that no list or dict takes on either side. (Sets take some of them, but only with sets.)"""
_TAKES_NUMBERS: Final = frozenset("round abs int float range chr hex bin oct divmod complex".split())  # noqa: SIM905


def number(read: Frame, state: State, node: ast.AugAssign, base: Value) -> State | None:
    """The way on which the target of `node`, an item of `base` or a variable, is a number; None where that is no help."""
    target = node.target
    if not isinstance(node.op, (ast.Add, ast.Mult, ast.BitOr)) or is_container(read, state, target):
        return None
    way = state.copy()
    match target:
        case ast.Name(id=name):
            read.bind(way, name, NOTHING, Fact(lacks=CONTAINERS))
        case ast.Subscript() if not state.touches_state(base):
            read.mutate(way, base, NOTHING, node.lineno, place=known.literal(target.slice), replaces=True, grows=True)
        case _:
            return None
    return way


def container(read: Frame, state: State, target: ast.expr, base: Value) -> None:
    """Go on in `state` where `target` is a list or a dict."""
    match target:
        case ast.Name(id=name):
            key = read.key(name)
            if key[0] == read.root:
                state.facts.refine(key, replace(state.facts.of(key), container=True))
        case ast.Subscript():
            place = known.literal(target.slice)
            if place is not None and len(base) == 1:
                state.boxes |= {(thing, place) for thing in base if _single(thing, state)}


def is_container(read: Frame, state: State, node: ast.expr) -> bool:
    """Whether `node` is a list or a dict beyond doubt."""
    match node:
        case ast.Name(id=name):
            return state.facts.of(read.key(name)).container
        case ast.Subscript(value=ast.Name(id=name)):
            base = state.env.get(read.key(name), NOTHING)
            place = known.literal(node.slice)
            return len(base) == 1 and all(_single(thing, state) and (thing, place) in state.boxes for thing in base)
        case _:
            return False


def operated(read: Frame, state: State, node: ast.BinOp | ast.AugAssign, left: Value, right: Value) -> None:
    """`node` has been evaluated, or has failed: its operands were `left` and `right`."""
    one, other = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.target, node.value)
    lists = is_container(read, state, one), is_container(read, state, other)
    match node.op:
        case ast.Add() | ast.BitOr():
            fails = (lists[0] and _plain(right)) or (lists[1] and _plain(left))
        case ast.Mult():
            fails = all(lists) or (any(lists) and (known.fractional(one) or known.fractional(other)))
        case ast.Mod():
            fails = lists[0]
        case operator:
            fails = any(lists) and isinstance(operator, _FOR_NUMBERS)
    state.dead = state.dead or fails


def compared(read: Frame, state: State, node: ast.Compare, values: list[Value]) -> None:
    """`node` has been evaluated, or has failed. (What stands behind a first comparison is perhaps not reached.)"""
    if isinstance(node.ops[0], (ast.Lt, ast.LtE, ast.Gt, ast.GtE)):
        for operand, beside in ((node.left, values[1]), (node.comparators[0], values[0])):
            state.dead = state.dead or (_plain(beside) and is_container(read, state, operand))


def read_as_number(read: Frame, state: State, node: ast.expr) -> None:
    """`-x` and `f"{x:.2f}"` have been evaluated, or have failed."""
    match node:
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() | ast.Invert(), operand=operand):
            state.dead = state.dead or is_container(read, state, operand)
        case ast.FormattedValue(value=value, format_spec=ast.JoinedStr(values=[ast.Constant(), *_])):
            state.dead = state.dead or is_container(read, state, value)
        case _:
            pass


def called(read: Frame, state: State, name: str, node: ast.Call, arguments: Arguments) -> None:
    """A built-in function, or one of a module of numbers, has been called."""
    owner, _, function = name.rpartition(".")
    match node.func:
        case ast.Name(id=spelt) if spelt == name:
            pass
        case ast.Attribute(attr=spelt) if owner and spelt == function:
            pass
        case _:
            # A callback of what `node` calls, or one by another name.
            return
    first = node.args[:1]
    if owner in known.NUMERIC_MODULES or (not owner and function in _TAKES_NUMBERS):
        given = first
    elif name in ("min", "max") and not node.keywords and len(arguments.placed) == len(node.args) > 1:
        given = node.args if any(map(_plain, arguments.placed)) else []
    else:
        return
    state.dead = state.dead or any(is_container(read, state, argument) for argument in given)


def _plain(value: Value) -> bool:
    """Whether `value` is a number or a text beyond doubt."""
    return value <= {SCALAR}


def _single(thing: Object, state: State) -> TypeGuard[Site]:
    return isinstance(thing, Site) and thing not in state.many and thing not in state.owned
