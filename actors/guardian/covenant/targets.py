"""The covenant's reading of targets: what an assignment, a loop, a `del`, an augmented assignment changes.

Standard library only, as all of the covenant.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from actors.guardian.covenant import conditions
from actors.guardian.covenant.frame import Frame
from actors.guardian.covenant.knowledge import failing, known
from actors.guardian.covenant.knowledge.aliasing import State, TooComplexError
from actors.guardian.covenant.knowledge.facts import UNKNOWN, Fact
from actors.guardian.covenant.knowledge.objects import (
    CLASS,
    INVOKABLE,
    NOTHING,
    RECEIVER,
    REST,
    SCALAR,
    SLICE,
    Foreign,
    Site,
    Value,
)
from actors.guardian.covenant.reading import doubts

_SIGNS: Final[dict[type[ast.operator], str]] = {
    ast.Add: "+",
    ast.Mult: "*",
    ast.BitOr: "|",
    ast.Sub: "-",
    ast.BitAnd: "&",
    ast.BitXor: "^",
}
_HINT: Final = "`x {op}= y` may change a list or dict of the state in place; a new value is `x = x {op} y`"


def assign(read: Frame, state: State, target: ast.expr, value: Value, fact: Fact = UNKNOWN) -> None:
    """`value` goes into `target`; `fact` is what else is known of it."""
    read.step()
    match target:
        case ast.Name(id=name):
            read.bind(state, name, value, fact)
        case ast.Attribute():
            write(read, state, read.value(target.value, state), target.attr, value, line=target.lineno)
        case ast.Subscript():
            base = read.value(target.value, state)
            index = read.value(target.slice, state)
            many = isinstance(target.slice, ast.Slice) or SLICE in index
            if many:
                value = value | read.items(state, value)
            read.may_raise(state, failing.ITEM)
            put = value | known.hashable([index])
            read.mutate(
                state, base, put, target.lineno, place=known.literal(target.slice), replaces=not many, grows=not many
            )
            conditions.grown(read, state, target)
        case ast.Tuple() | ast.List():
            read.may_raise(state, failing.iteration(value))
            _unpack(read, state, target.elts, value)
        case ast.Starred():
            assign(read, state, target.value, state.make(target, value, "list"))
        case _:
            raise TooComplexError


def _unpack(read: Frame, state: State, targets: list[ast.expr], value: Value) -> None:
    """Each target gets what stands at its place, counted from the end behind a starred one."""
    items = read.items(state, value)
    starred = next((n for n, part in enumerate(targets) if isinstance(part, ast.Starred)), len(targets))
    known_ones = frozenset(thing for thing in value if not isinstance(thing, INVOKABLE))
    called = items if known_ones != value else NOTHING
    parts = []
    for n, part in enumerate(targets):
        place = n if n < starred else n - len(targets)
        parts.append(items if isinstance(part, ast.Starred) else called | state.part(known_ones, place))
    for part, found in zip(targets, parts, strict=True):
        assign(read, state, part, found)


def values(read: Frame, state: State, node: ast.Assign) -> None:
    """`a = b = value`, and `a, b = x, y` one by one."""
    value = read.value(node.value, state)
    fact = conditions.fact(read, state, node.value)
    sources = node.value.elts if isinstance(node.value, (ast.Tuple, ast.List)) else []
    facts = [conditions.fact(read, state, source) for source in sources]
    if not conditions.quiet(read, node.value):
        facts = [UNKNOWN for _ in sources]
    for target in node.targets:
        parts = target.elts if isinstance(target, (ast.Tuple, ast.List)) else []
        starred = any(isinstance(part, ast.Starred) for part in [*parts, *sources])
        if parts and len(parts) == len(sources) and not starred:
            for n, part in enumerate(parts):
                assign(read, state, part, state.part(value, n), facts[n])
        else:
            assign(read, state, target, value, fact)


def write(read: Frame, state: State, base: Value, name: str, value: Value, *, line: int) -> None:
    """An attribute of `base` is set or deleted."""
    for thing in base:
        if thing is RECEIVER:
            state.change(line)
            read.own(state, value, line)
        elif thing is CLASS:
            read.report("COV003", line, "")
        elif state.is_state(thing) or isinstance(thing, Foreign):
            read.report("COV002", line, f"the attribute {name!r}")


def augment(read: Frame, state: State, node: ast.AugAssign) -> Iterator[State]:
    """`target += value`: what is a container may take it in place; a number or a text is made anew. The ways from here."""
    target = node.target
    base, old = _old(read, state, target)
    before = conditions.fact(read, state, target) if isinstance(target, ast.Name) else UNKNOWN
    new = read.value(node.value, state)
    after = conditions.fact(read, state, node.value)
    read.may_raise(state, failing.FORMAT)
    doubts.operated(read, state, node, old, new)
    changed = NOTHING if _is_field(node, base, state) else _in_place(node, old - {SCALAR}, new - {SCALAR})
    items = read.items(state, new) if changed else NOTHING
    result = NOTHING
    doubtful = state.touches_state(changed)
    if doubtful:
        way = doubts.number(read, state, node, base)
        if way is not None:
            yield way
    if changed:
        if doubtful:
            read.hint(node.lineno, _HINT.format(op=_SIGNS[type(node.op)]))
        read.mutate(state, changed, items, node.lineno, grows=isinstance(node.op, (ast.Add, ast.BitOr)))
        if any(map(known.may_break_off, new)) or not isinstance(node.op, ast.Add):
            # Items are taken one by one: one that fails finds the others taken.
            read.may_raise(state, failing.iteration(new))
        result = changed | state.make(node, state.contents(old) | items)
    match target:
        case ast.Name(id=name):
            found = {ast.Add: conditions.summed, ast.BitOr: conditions.either}.get(type(node.op))
            read.bind(state, name, result, found(before, after) if found else UNKNOWN)
        case ast.Attribute():
            write(read, state, base, target.attr, result | items, line=node.lineno)
        case _:
            place = known.literal(target.slice)
            read.mutate(state, base, result | items, node.lineno, place=place, replaces=True, grows=True)
    if doubtful:
        doubts.container(read, state, target, base)
    yield state


def _old(read: Frame, state: State, target: ast.Name | ast.Attribute | ast.Subscript) -> tuple[Value, Value]:
    """The object that `target` is an attribute or item of, and its value so far."""
    match target:
        case ast.Name(id=name):
            key = read.key(name)
            return NOTHING, conditions.narrowed(state, key, state.env.get(key, NOTHING))
        case ast.Attribute():
            base = read.value(target.value, state)
            return base, read.attribute(state, base, target.attr)
        case ast.Subscript():
            base = read.value(target.value, state)
            index = read.value(target.slice, state)
            if isinstance(target.slice, ast.Slice) or SLICE in index:
                # What is put back is a new list of the items.
                return base, state.make(target, read.items(state, base))
            return base, state.part(base, known.literal(target.slice))


def _is_field(node: ast.AugAssign, base: Value, state: State) -> bool:
    """Whether this is `record["key"] *= y`, which repeats no list (that is what `policy` sees to). A list that the
    method itself has put there is taken for one that is to be repeated all the same.
    """
    match node:
        case ast.AugAssign(op=ast.Mult(), target=ast.Subscript(slice=ast.Constant(value=str(key)))):
            known_parts = [state.parts.get(thing) or {} for thing in base if isinstance(thing, Site)]
            return all(parts.get(key, NOTHING) <= parts.get(REST, NOTHING) for parts in known_parts)
        case _:
            return False


def _in_place(node: ast.AugAssign, old: Value, new: Value) -> Value:
    """What of `old` may be changed in place by `node`; `new` is empty for a number or a text.

    A list takes `+=` of what has items (but never of a text: that is what `policy` sees to) and `*=` of a whole number,
    a dict takes `|=` of what has items. Only sets know `-=`, `&=` and `^=`, and no value of the world is one: it would
    have been made here, as one of the two. No container knows any other operator.
    """
    match node.op:
        case ast.Add() | ast.BitOr():
            return old if new else NOTHING
        case ast.Mult():
            return NOTHING if known.fractional(node.value) else old
        case ast.Sub() | ast.BitAnd() | ast.BitXor():
            made = any(isinstance(thing, Site) for thing in new)
            return frozenset(thing for thing in old if made or isinstance(thing, Site))
        case _:
            return NOTHING


def delete(read: Frame, state: State, target: ast.expr) -> None:
    read.may_raise(state, failing.ATTRIBUTE | failing.ITEM | failing.NAME)
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
