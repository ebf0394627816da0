"""The covenant's reading of conditions: whether one can be true or false here, and what is known behind it.

What is read here has been evaluated before (`actors.guardian.covenant.reading.reading`): this changes nothing but what is known.

Standard library only, as all of the covenant.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Final

from actors.guardian.covenant.frame import Frame
from actors.guardian.covenant.knowledge import known
from actors.guardian.covenant.knowledge.aliasing import State
from actors.guardian.covenant.knowledge.facts import CONTAINERS, UNKNOWN, Constant, Fact, Key, of_constant
from actors.guardian.covenant.knowledge.objects import NOTHING, SCALAR, STATE, Object, Site, Value
from actors.guardian.covenant.knowledge.scopes import OUTSIDE

_PLAIN: Final = (
    ast.Name,
    ast.Constant,
    ast.Compare,
    ast.BoolOp,
    ast.UnaryOp,
    ast.BinOp,
    ast.cmpop,
    ast.boolop,
    ast.unaryop,
    ast.operator,
    ast.expr_context,
)
_OPPOSITE: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {ast.NotEq: ast.Eq, ast.IsNot: ast.Is, ast.NotIn: ast.In}
_ABOVE: Final[dict[type[ast.cmpop], bool]] = {
    ast.Gt: True,
    ast.GtE: True,
    ast.NotEq: True,
    ast.Eq: False,
    ast.Lt: False,
    ast.LtE: False,
}
"""How a number above zero compares with zero."""
_QUIET_CALLS: Final = known.PLAIN | known.CALLING | known.FRESH
_QUIET_METHODS: Final = (known.PURE | known.LOOKUPS | known.COPIES | known.SPLITS) - known.MUTATORS
_SCALARS: Final = frozenset({"str", "int", "float", "bool", "bytes"})
_OTHERS: Final = frozenset({"tuple", "set", "frozenset"})
"""Containers of which no value of the world is one; they hold things all the same."""


def truth(read: Frame, state: State, test: ast.expr) -> bool | None:
    """What the condition `test` is here; None where it may be either."""
    test = read.once(_plainly, test)
    match test:
        case ast.Constant(value=value):
            return bool(value)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            found = truth(read, state, operand)
            return None if found is None else not found
        case ast.BoolOp() | ast.Compare() if not quiet(read, test):
            return None
        case ast.BoolOp(op=operator, values=values):
            decisive = isinstance(operator, ast.Or)
            parts = [truth(read, state, value) for value in values]
            if decisive in parts:
                return decisive
            return None if None in parts else not decisive
        case ast.Name(id=name) | ast.NamedExpr(target=ast.Name(id=name)):
            return state.facts.of(read.key(name)).truth
        case ast.List() | ast.Tuple() | ast.Set():
            return bool(test.elts) if not any(isinstance(part, ast.Starred) for part in test.elts) else None
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            found = _compared(read, state, left, operator, right)
            return _remembered(read, state, test) if found is None else found
        case _:
            return _remembered(read, state, test)


def assume(read: Frame, state: State, test: ast.expr, *, value: bool) -> bool:
    """Go on in `state` with what follows from `test` being `value`; False where it cannot be."""
    known = truth(read, state, test)
    if known is not None:
        return known is value
    test = read.once(_plainly, test)
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return assume(read, state, operand, value=not value)
        case ast.BoolOp(op=operator, values=values):
            if not quiet(read, test):
                return True
            if value is isinstance(operator, ast.And):
                return all(assume(read, state, part, value=value) for part in values)
            undecided = [part for part in values if truth(read, state, part) is None]
            if len(undecided) == 1:
                return assume(read, state, undecided[0], value=value)
        case ast.Name(id=name) | ast.NamedExpr(target=ast.Name(id=name)):
            _learn(read, state, name, truth=value, none=False if value else None)
        case ast.Compare(left=ast.Name(id=name), ops=[operator], comparators=[right]):
            if isinstance(right, ast.Constant) and right.value is None:
                if value is isinstance(operator, (ast.Is, ast.Eq)) and isinstance(operator, (ast.Is, ast.IsNot)):
                    _learn(read, state, name, truth=False, none=True, lacks=CONTAINERS)
                elif isinstance(operator, (ast.Is, ast.IsNot)):
                    _learn(read, state, name, none=False)
        case _:
            name, kinds = _kinds_asked(read, test)
            if name:
                of_kinds(read, state, name, kinds, value=value)
    _remember(read, state, test, value=value)
    return True


def of_kinds(read: Frame, state: State, name: str, kinds: frozenset[str], *, value: bool) -> None:
    """The variable `name` is of one of the `kinds`, types by name, or (`value` False) of none of them."""
    if not value:
        _learn(read, state, name, lacks=CONTAINERS & kinds)
    elif kinds <= CONTAINERS | _SCALARS or (kinds & CONTAINERS and kinds <= CONTAINERS | _SCALARS | _OTHERS):
        _learn(read, state, name, lacks=CONTAINERS - kinds)


def again(read: Frame, state: State, node: ast.expr, value: Value) -> Value:
    """`value` of `node`, where more is known of it than when it was evaluated."""
    return narrowed(state, read.key(node.id), value) if isinstance(node, ast.Name) else value


def grown(read: Frame, state: State, node: ast.expr) -> None:
    """What a statement like `x.append(y)` leaves: a container that is not empty."""
    if read.shares or not isinstance(node, (ast.Call, ast.Subscript)) or read.once(_binds, node):
        return
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append" | "add" | "insert" | "setdefault")):
            _learn(read, state, name, truth=True, none=False)
        case ast.Subscript(value=ast.Name(id=name), slice=index) if not isinstance(index, ast.Slice):
            _learn(read, state, name, truth=True, none=False)


def _binds(_: object, node: ast.expr) -> bool:
    return any(isinstance(part, ast.NamedExpr) for part in ast.walk(node))


def succeeded(read: Frame, state: State, node: ast.Compare | ast.BinOp, left: Value, right: Value) -> None:
    """What an operator leaves that has not failed: next to a number or a text it has found no container."""
    if isinstance(node, ast.Compare):
        one, other = node.left, node.comparators[0]
        strict = isinstance(node.ops[0], (ast.Lt, ast.LtE, ast.Gt, ast.GtE))
    else:
        one, other = node.left, node.right
        strict = not isinstance(node.op, ast.Mult)
    if strict:
        # A text takes anything to its right: `'%s' % x`.
        text = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod)
        for operand, beside in ((one, right), *([] if text else [(other, left)])):
            if isinstance(operand, ast.Name) and not beside:
                _learn(read, state, operand.id, lacks=CONTAINERS)


def _plainly(read: Frame, test: ast.expr) -> ast.expr:
    """`test`, or what asks the same in fewer words: `len(x) > 0` is `x`."""
    match test:
        case ast.Compare(left=ast.Call() as call, ops=[operator], comparators=[ast.Constant(value=int() as limit)]):
            some = {(ast.Gt, 0): True, (ast.NotEq, 0): True, (ast.GtE, 1): True, (ast.Eq, 0): False, (ast.Lt, 1): False}
            name, value = _measured(read, call, "len"), some.get((type(operator), limit))
            if name is None or value is None:
                return test
            return name if value else ast.UnaryOp(op=ast.Not(), operand=name)
        case ast.Call():
            return _measured(read, test, "len", "bool") or test
        case _:
            return test


def _looped(read: Frame, source: ast.expr) -> ast.expr:
    """The variable that a loop over `source` turns for, once for each item: `x` for `x.items()`, `enumerate(x)`."""
    match source:
        case ast.Call(func=ast.Attribute(value=ast.Name() as name, attr="items" | "keys" | "values" | "copy"), args=[]):
            return name
        case ast.Call(func=ast.Name(id="range"), args=[ast.Call() as size]):
            return _measured(read, size, "len") or source
        case ast.Call():
            return _measured(read, source, "list", "tuple", "sorted", "enumerate", "reversed", "set") or source
        case _:
            return source


def _measured(read: Frame, call: ast.Call, *functions: str) -> ast.Name | None:
    """The variable that one of Python's own `functions` is called with."""
    match call:
        case ast.Call(func=ast.Name(id=function), args=[ast.Name() as name, *_]) if function in functions:
            return name if read.key(function)[0] == OUTSIDE else None
        case _:
            return None


def quiet(read: Frame, node: ast.expr) -> bool:
    """Whether nothing in `node` binds or changes anything, so that its parts are the same behind it."""
    return read.once(_quiet, node)


def _quiet(read: Frame, node: ast.expr) -> bool:
    for part in ast.walk(node):
        match part:
            case ast.NamedExpr() | ast.Await() | ast.Yield() | ast.YieldFrom():
                return False
            case ast.Call(func=ast.Name(id=name)):
                if name not in _QUIET_CALLS or read.key(name)[0] != OUTSIDE:
                    return False
            case ast.Call(func=ast.Attribute(attr=name)):
                if name not in _QUIET_METHODS:
                    return False
            case ast.Call():
                return False
            case _:
                pass
    return True


def entered(read: Frame, state: State, source: ast.expr, items: Value, *, value: bool) -> bool:
    """Go on in `state` where a loop over `source` turns at least once, or (`value` False) not at all."""
    source = _looped(read, source)
    if value:
        return not isinstance(source, (ast.Name, ast.List, ast.Tuple, ast.Set)) or assume(
            read, state, source, value=True
        )
    if isinstance(source, ast.Name):
        items |= state.env.get(read.key(source.id), NOTHING)
        if any(_may_be_spent(thing) for thing in items):
            return True
    if isinstance(source, (ast.Name, ast.List, ast.Tuple, ast.Set)):
        return assume(read, state, source, value=False)
    return not (isinstance(source, ast.Constant) and source.value)


def _may_be_spent(thing: Object) -> bool:
    """Whether it may be an iterator, which is true and yet has nothing to give."""
    return known.may_break_off(thing)


def fact(read: Frame, state: State, node: ast.expr | None) -> Fact:
    """What is known of the value of `node`."""
    if isinstance(node, (ast.BoolOp, ast.UnaryOp, ast.Compare, ast.BinOp)) and not quiet(read, node):
        return UNKNOWN
    match node:
        case ast.Constant(value=value):
            return of_constant(value)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return of_constant(-value)
        case ast.Name(id=name):
            return state.facts.of(read.key(name))
        case ast.NamedExpr(value=value):
            return fact(read, state, value)
        case ast.UnaryOp(op=ast.Not()) | ast.Compare():
            return Fact(truth=truth(read, state, node), none=False, lacks=CONTAINERS)
        case ast.BoolOp():
            return Fact(truth=truth(read, state, node))
        case ast.List() | ast.Tuple() | ast.Set():
            return Fact(truth=truth(read, state, node), none=False)
        case ast.Dict(keys=keys):
            return Fact(truth=True if any(keys) else None if keys else False, none=False)
        case ast.ListComp() | ast.SetComp() | ast.DictComp():
            return Fact(none=False)
        case ast.JoinedStr():
            return Fact(none=False, lacks=CONTAINERS)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return summed(fact(read, state, left), fact(read, state, right))
        case _:
            return UNKNOWN


def summed(left: Fact, right: Fact) -> Fact:
    """What is known of the sum of two numbers."""
    if left.least is None or right.least is None:
        return UNKNOWN
    least = min(left.least + right.least, 1)
    return Fact(truth=True if least else None, none=False, least=least, lacks=CONTAINERS)


def either(old: Fact, new: Fact) -> Fact:
    """What is known of `old | new`, where both are truth values or numbers."""
    if old.lacks == new.lacks == CONTAINERS and True in (old.truth, new.truth):
        return Fact(truth=True, none=False, lacks=CONTAINERS)
    return UNKNOWN


def narrowed(state: State, name: Key, value: Value) -> Value:
    """What a variable of `value` can be, knowing of which kind it is not."""
    lacks = state.facts.of(name).lacks
    if not lacks:
        return value
    left = {thing for thing in value if not isinstance(thing, Site) or thing.kind not in lacks}
    if lacks == CONTAINERS and all(not isinstance(thing, Site) or thing.kind in CONTAINERS for thing in state.owned):
        # (A tuple that the method itself has put there would be another thing that holds things.)
        reference = {SCALAR} if any(thing is STATE for thing in left) else set()
        left = {thing for thing in left if thing is not STATE} | reference
    return frozenset(left)


def _compared(read: Frame, state: State, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> bool | None:
    """Of two things that are known, whether they are the same, or one is none, or which is more."""
    one, other = fact(read, state, left), fact(read, state, right)
    if isinstance(operator, (ast.Is, ast.IsNot)):
        for this, that in ((one, other), (other, one)):
            if that.none is True and this.none is not None:
                return this.none is isinstance(operator, ast.Is)
    if one.constant is not None and other.constant is not None:
        if isinstance(operator, (ast.Is, ast.IsNot)) and one.constant.kind is bool:
            return (one.constant == other.constant) is isinstance(operator, ast.Is)
        if isinstance(operator, (ast.Eq, ast.NotEq)):
            return (one.constant.value == other.constant.value) is isinstance(operator, ast.Eq)
    if (
        other.constant == Constant(int, 0)
        and one.least is not None
        and (one.least or isinstance(operator, (ast.Lt, ast.GtE)))
    ):
        return _ABOVE.get(type(operator))
    if one.constant is not None and one.constant.kind is int and other.constant == one.constant:
        return isinstance(operator, (ast.Eq, ast.GtE, ast.LtE))
    return None


def _learn(
    read: Frame,
    state: State,
    name: str,
    *,
    truth: bool | None = None,
    none: bool | None = None,
    lacks: frozenset[str] = frozenset(),
) -> None:
    key = read.key(name)
    if key[0] == OUTSIDE:
        return
    old = state.facts.of(key)
    more = replace(
        old,
        truth=old.truth if truth is None else truth,
        none=old.none if none is None else none,
        lacks=old.lacks | lacks,
    )
    state.facts.refine(key, more)


def _kinds_asked(read: Frame, test: ast.expr) -> tuple[str, frozenset[str]]:
    """The variable of `isinstance(variable, kinds)` and the names of those kinds; no name where it is something else."""
    match test:
        case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), kinds], keywords=[]):
            listed = kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
            names = frozenset(kind.id if isinstance(kind, ast.Name) else "" for kind in listed)
            functions = {"isinstance", *names}
            if all(read.key(one)[0] == OUTSIDE for one in functions):
                return name, names
    return "", frozenset()


def _asked(read: Frame, test: ast.expr) -> tuple[str, bool, frozenset[Key]] | None:
    """How `test` is remembered: its text, whether it stands for its opposite, its variables. None for what is not plain."""
    is_opposite = False
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and type(test.ops[0]) in _OPPOSITE:
        opposite = _OPPOSITE[type(test.ops[0])]()
        test, is_opposite = ast.Compare(left=test.left, ops=[opposite], comparators=test.comparators), True
    names = set()
    for part in ast.walk(test):
        if isinstance(part, ast.Call):
            plain = isinstance(part.func, ast.Name) and part.func.id in ("len", "isinstance", "bool", "any", "all")
            if not plain or part.keywords:
                return None
        elif not isinstance(part, _PLAIN):
            return None
        if isinstance(part, ast.Name):
            names.add(read.key(part.id))
    return ast.dump(test), is_opposite, frozenset(names)


def _remembered(read: Frame, state: State, test: ast.expr) -> bool | None:
    how = read.once(_asked, test)
    found = None if how is None else state.facts.asked(how[0])
    return None if how is None or found is None else found is not how[1]


def _remember(read: Frame, state: State, test: ast.expr, *, value: bool) -> None:
    how = read.once(_asked, test)
    if how is not None and not any(_consumable(state, name) for name in how[2]):
        state.facts.ask(how[0], value is not how[1], how[2])


def _consumable(state: State, name: Key) -> bool:
    """Whether asking for the variable's items may leave fewer of them."""
    value = state.env.get(name, NOTHING)
    return name[0] != OUTSIDE and any(_may_be_spent(thing) for thing in state.reach(value))
