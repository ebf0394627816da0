"""The covenant's reading of targets: what an assignment, a loop, a `del`, an augmented assignment changes.

Standard library only, as all of the covenant.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from actors.guardian import known
from actors.guardian.aliasing import CLASS, NOTHING, RECEIVER, SLICE, State, TooComplexError, Value, arithmetic

if TYPE_CHECKING:
    from actors.guardian.reading import Reader


def assign(read: Reader, state: State, target: ast.expr, value: Value) -> None:
    read.step()
    match target:
        case ast.Name(id=name):
            read.bind(state, name, value)
        case ast.Attribute():
            write(read, state, read.value(target.value, state), target.attr, value, line=target.lineno)
        case ast.Subscript():
            base = read.value(target.value, state)
            index = read.value(target.slice, state)
            if isinstance(target.slice, ast.Slice) or SLICE in index:
                value = value | read.items(state, value)
            read.may_raise(state)
            read.mutate(state, base, value, target.lineno)
        case ast.Tuple() | ast.List():
            read.may_raise(state)
            items = read.items(state, value)
            for part in target.elts:
                assign(read, state, part, items)
        case ast.Starred():
            assign(read, state, target.value, state.make(target, value))
        case _:
            raise TooComplexError


def write(read: Reader, state: State, base: Value, name: str, value: Value, *, line: int) -> None:
    """An attribute of `base` is set or deleted."""
    for thing in base:
        if thing == RECEIVER:
            state.change(line)
            state.own(value)
        elif thing == CLASS:
            read.report("COV003", line, "")
        elif state.is_state(thing) or thing[0] == "foreign":
            read.report("COV002", line, f"the attribute {name!r}")


def augment(read: Reader, state: State, node: ast.AugAssign) -> None:
    target = node.target
    if isinstance(target, ast.Name):
        old = state.env.get(read.key(target.id), NOTHING)
        new = read.value(node.value, state)
        if _makes_anew(node, old, new):
            result = NOTHING
        else:
            items = read.items(state, new)
            read.mutate(state, old, items, node.lineno)
            result = old | state.make(node, state.contents(old) | items)
        read.bind(state, target.id, result)
        read.may_raise(state)
        return
    base = read.value(target.value, state)
    if isinstance(target, ast.Subscript):
        read.value(target.slice, state)
    new = read.value(node.value, state)
    read.may_raise(state)
    if isinstance(target, ast.Attribute):
        write(read, state, base, target.attr, read.items(state, new), line=node.lineno)
    else:
        read.mutate(state, base, read.items(state, new), node.lineno)


def _makes_anew(node: ast.AugAssign, old: Value, new: Value) -> bool:
    """Whether this changes no container in place. (That a text extends no list is what `policy` sees to.)"""
    if isinstance(node.op, ast.Mult):
        # A list takes `*= 2`.
        return not old or known.fractional(node.value)
    if isinstance(node.op, (ast.Sub, ast.BitAnd, ast.BitXor)):
        return not any(thing[0] == "site" for thing in new)
    return arithmetic(node.op, old, new)


def delete(read: Reader, state: State, target: ast.expr) -> None:
    read.may_raise(state)
    match target:
        case ast.Name(id=name):
            read.unbind(state, name)
        case ast.Attribute():
            write(read, state, read.value(target.value, state), target.attr, NOTHING, line=target.lineno)
        case ast.Subscript():
            base = read.value(target.value, state)
            read.value(target.slice, state)
            read.mutate(state, base, NOTHING, target.lineno)
        case ast.Tuple() | ast.List():
            for part in target.elts:
                delete(read, state, part)
        case _:
            raise TooComplexError
