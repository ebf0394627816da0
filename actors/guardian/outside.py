"""The covenant's reading of calls that leave the method's own text: methods of values, built-ins, what nobody knows.

Standard library only, as all of the covenant.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from actors.guardian import known
from actors.guardian.aliasing import CLASS, INVOKABLE, NOTHING, RECEIVER, SLICE, STATE, Object, State, Value, parameter

if TYPE_CHECKING:
    from actors.guardian.reading import Reader


def method(read: Reader, state: State, name: str, base: Value, *, arguments: Sequence[Value], node: ast.AST) -> Value:
    """`base.name(*arguments)`."""
    line = getattr(node, "lineno", 0)
    everything = frozenset[Object]().union(*arguments)
    if name in known.READING_DUNDERS:
        return NOTHING
    if name.startswith("__"):
        # `__setattr__` and its kin: whatever it is, it is not to be followed.
        if state.touches_state(base | everything) or any(thing[0] in ("outside", "class") for thing in base):
            state.change(line)
        return base | everything
    named = {thing for thing in base if thing[0] == "outside"}
    if named:
        # `math.floor(…)`, `list.append(x, …)`; what else the object may be is followed on its own.
        found = NOTHING
        for thing in named:
            found |= _of_outside(read, state, f"{thing[1]}.{name}", arguments, node)
        rest = base - named
        return found | method(read, state, name, rest, arguments=arguments, node=node) if rest else found
    if known.is_message(name) or (base == {RECEIVER} and name not in known.MUTATORS):
        # The answerer has its own signal; what crosses is a copy.
        read.invoke_all(state, everything, NOTHING, node)
        return frozenset({parameter(f"answer {line}")})
    callbacks = read.invoke_all(state, everything, read.items(state, base), node)
    base = base - {RECEIVER}
    if name in known.KEYED:
        # The first argument is a key, or a place: that cannot be changed through the answer.
        everything = frozenset[Object]().union(*arguments[1:])
    if name in known.MUTATORS:
        found = state.contents(base) | everything
        if name == "update":
            put = _of_pairs(state, everything)
        else:
            put = state.contents(everything) if name in known.SPREADING else everything
        read.mutate(state, base, put | callbacks, line)
        return found
    if name in known.LOOKUPS:
        return state.contents(base) | everything
    if name in known.COPIES:
        return fresh(read, state, [base, *arguments], node)
    if name in known.SPLITS:
        return state.make(node, NOTHING)
    if name in known.PURE:
        return NOTHING
    if state.touches_state(base | everything):
        state.change(line)
    return base


def _of_outside(read: Reader, state: State, path: str, arguments: Sequence[Value], node: ast.AST) -> Value:
    """A method `path` of something that the method did not make; `list.append(x, 1)` is `x.append(1)`."""
    owner, _, name = path.rpartition(".")
    if owner in known.TYPES and arguments:
        return method(read, state, name, arguments[0], arguments=arguments[1:], node=node)
    return call(read, state, path, arguments, node)


def fresh(read: Reader, state: State, arguments: Sequence[Value], node: ast.AST, found: Value = NOTHING) -> Value:
    """A new container of what the arguments hold, or of containers of that (`zip`, `enumerate`, `items`)."""
    for argument in arguments:
        found |= read.items(state, argument)
    made = state.make(node, found)
    (thing,) = made
    state.held[thing] = state.held.get(thing, NOTHING) | made
    return made


def _of_pairs(state: State, given: Value) -> Value:
    """What a dict may hold that is made of `given`: keywords, a mapping, or pairs."""
    items = state.contents(given)
    return given | items | state.contents(items)


def call(read: Reader, state: State, name: str, arguments: Sequence[Value], node: ast.AST) -> Value:
    """Call something that the method did not make: a built-in, or what it has no business with."""
    name = name.removeprefix("collections.")
    line = getattr(node, "lineno", 0)
    everything = frozenset[Object]().union(*arguments)
    items = NOTHING
    if name in known.LAZY and any(thing[0] in INVOKABLE for thing in everything):
        return read.lazy(node, everything)
    if name in known.FRESH or name in known.PICK or name in known.PLAIN or name == "getattr":
        for argument in arguments:
            items |= read.items(state, argument)
        called = read.invoke_all(state, everything, items | state.contents(items), node)
        if name == "sum":
            # A sum of lists holds what those lists hold; it needs a list to begin with, for 0 takes none.
            if len(arguments) == 1:
                return NOTHING
            return fresh(read, state, arguments, node, state.contents(items))
        if name == "dict":
            return fresh(read, state, arguments, node, _of_pairs(state, everything))
        if name in known.FRESH:
            return fresh(read, state, arguments, node, called)
        if name == "getattr":
            return frozenset({STATE}) | everything if state.touches_state(everything) else everything
        return items | everything if name in known.PICK else NOTHING
    if name == "slice":
        return frozenset({SLICE})
    if name in known.NUMBERS:
        return state.make(node, NOTHING)
    if name in known.EXCEPTIONS:
        return state.make(node, everything)
    if name in ("super", "vars"):
        return frozenset({RECEIVER if name == "super" else STATE})
    if name == "type":
        return frozenset({CLASS if RECEIVER in everything else ("outside", "object")})
    module, _, called_name = name.rpartition(".")
    if module.partition(".")[0] in known.PURE_MODULES or (module and called_name in known.PURE_CALLS):
        read.invoke_all(state, everything, state.contents(everything), node)
        return NOTHING if module in known.NUMERIC_MODULES else state.make(node, NOTHING)
    if name in ("exec", "eval", "setattr", "delattr"):
        state.change(line)
        return frozenset({STATE})
    return hand_over(read, state, arguments, node)


def hand_over(read: Reader, state: State, arguments: Sequence[Value], node: ast.AST) -> Value:
    """Unknown code gets the arguments: it may change what it gets, and call what it gets."""
    everything = frozenset[Object]().union(*arguments)
    read.invoke_all(state, frozenset(state.reach(everything)), everything, node)
    if state.touches_state(everything):
        state.change(getattr(node, "lineno", 0))
    return everything | {parameter("answer")}
