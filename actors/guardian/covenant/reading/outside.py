"""The covenant's reading of calls that leave the method's own text: methods of values, built-ins, what nobody knows.

Standard library only, as all of the covenant.
"""

from __future__ import annotations

import ast

from actors.guardian.covenant.frame import Frame
from actors.guardian.covenant.knowledge import failing, known
from actors.guardian.covenant.knowledge.aliasing import State
from actors.guardian.covenant.knowledge.objects import (
    CLASS,
    NOTHING,
    RECEIVER,
    REST,
    SLICE,
    STATE,
    Bound,
    Foreign,
    Kind,
    Object,
    Outside,
    Site,
    Value,
)
from actors.guardian.covenant.reading import doubts, lazies
from actors.guardian.covenant.reading.arguments import Arguments, anything


def method(read: Frame, state: State, name: str, base: Value, *, arguments: Arguments, node: ast.AST) -> Value:
    """`base.name(…)`."""
    line = getattr(node, "lineno", 0)
    everything = arguments.everything
    named = {thing for thing in base if isinstance(thing, Outside)}
    if named:
        # `math.floor(…)`, `list.append(x, …)`; what else the object may be is followed on its own.
        found = NOTHING
        for thing in named:
            found |= _of_outside(read, state, f"{thing.path}.{name}", arguments, node)
        rest = base - named
        return found | method(read, state, name, rest, arguments=arguments, node=node) if rest else found
    if name in known.READING_DUNDERS:
        return NOTHING
    if name in known.ITEM_DUNDERS:
        return read.items(state, base)
    if name.startswith("__"):
        # `__setattr__` and its kin: whatever it is, it is not to be followed.
        if state.touches_state(base | everything) or any(thing is CLASS for thing in base):
            state.change(line)
            state.own(everything)
        read.mutate(state, base - {RECEIVER}, everything | read.items(state, everything), line)
        return base | everything
    if known.is_message(name) or (base == {RECEIVER} and name not in known.MUTATORS):
        # The answerer has its own signal; what crosses is a copy. It may change what the receiver's slots hold.
        read.invoke_all(state, everything, NOTHING, node)
        read.disturb(state, frozenset({STATE}), grows=False)
        return frozenset({Foreign(f"answer {line}")})
    base = base - {RECEIVER}
    if not (name in known.KEEPING and all(thing is STATE or isinstance(thing, Site) for thing in base)):
        read.invoke_all(state, everything, read.items(state, base), node)
    if name in known.MUTATORS:
        return _mutation(read, state, name, base, arguments=arguments, line=line)
    if name in known.LOOKUPS:
        return state.part(base, arguments.literal) | arguments.rest | arguments.spread
    if name in known.COPIES:
        return _copy(read, state, name, base, given=everything, node=node)
    if name == "fromkeys":
        return _from_keys(read, state, arguments, node)
    if name in known.SPLITS:
        return state.make(node, NOTHING)
    if name in known.PURE:
        return NOTHING
    if state.touches_state(base | everything):
        state.change(line)
    return base


def _mutation(read: Frame, state: State, name: str, base: Value, *, arguments: Arguments, line: int) -> Value:
    """A method that changes its object. One that takes its items one by one may break off half-way."""
    given = arguments.everything
    if name in known.KEYED:
        # The first argument is a key, or a place: that cannot be changed through the answer.
        given = arguments.rest | arguments.spread | known.hashable(arguments.placed[:1])
    found = state.part(base, arguments.literal if name in known.KEYED else None) | given
    put = given
    if name == "sort":
        # What its key makes of the items decides of their order alone.
        put = NOTHING
    elif name == "update":
        put = of_pairs(read, state, arguments)
    elif name in known.SPREADING:
        put = read.items(state, given)
    place = arguments.literal if name == "setdefault" else None
    read.mutate(state, base, put, line, place=place, grows=name in known.GROWING)
    if name == "update":
        for key, value in arguments.named.items():
            read.mutate(state, base, value, line, place=key, replaces=True, grows=True)
    if name in known.GRADUAL and not _at_once(name, arguments):
        read.may_raise(state, failing.WRONG if name == "sort" else failing.iteration(given))
    return found


def _at_once(name: str, arguments: Arguments) -> bool:
    """Whether a mutator that takes items has them all before it changes anything, or cannot fail on any."""
    given = arguments.spread.union(*arguments.placed)
    if name in ("extend", "extendleft"):
        return not any(known.may_break_off(thing) for thing in given)
    return name == "update" and all(isinstance(thing, Site) and thing.kind == "dict" for thing in given)


def _copy(read: Frame, state: State, name: str, base: Value, *, given: Value, node: ast.AST) -> Value:
    """A method that makes a new container of what `base` holds."""
    items = read.items(state, base)
    if name in ("items", "most_common"):
        return lazies.pairs(state, node, [known.hashable([items]), items])
    if name == "keys":
        return state.make(node, known.hashable([items]))
    kind: Kind = "any" if name in ("copy", "values", "elements") else "set"
    return state.make(node, items | read.items(state, given), kind)


def _from_keys(read: Frame, state: State, arguments: Arguments, node: ast.AST) -> Value:
    keys = read.items(state, arguments.spread.union(*arguments.placed[:1]))
    return state.make(node, known.hashable([keys]) | arguments.rest | arguments.spread, "dict")


def _of_outside(read: Frame, state: State, path: str, arguments: Arguments, node: ast.AST) -> Value:
    """A method `path` of something that the method did not make; `list.append(x, 1)` is `x.append(1)`."""
    owner, _, name = path.rpartition(".")
    if owner in known.TYPES and name in known.CLASS_METHODS:
        read.invoke_all(state, arguments.everything, arguments.everything, node)
        return _from_keys(read, state, arguments, node) if name == "fromkeys" else NOTHING
    if owner in known.TYPES:
        base = arguments.placed[0] if arguments.placed else arguments.spread
        return method(read, state, name, base, arguments=arguments.without_first(), node=node)
    return call(read, state, path, arguments, node)


def of_pairs(read: Frame, state: State, arguments: Arguments) -> Value:
    """What a dict may hold that is made of `arguments`: a mapping, or pairs; its keywords not among it."""
    given = arguments.spread.union(*arguments.placed)
    mappings = frozenset(thing for thing in given if not isinstance(thing, Site) or thing.kind in ("dict", "any"))
    listed = frozenset(thing for thing in given if not isinstance(thing, Site) or thing.kind != "dict")
    pairs = read.items(state, listed)
    return read.items(state, mappings) | read.items(state, pairs) | arguments.spread


def call(read: Frame, state: State, name: str, arguments: Arguments, node: ast.AST) -> Value:
    """Call something that the method did not make: a built-in, or what it has no business with."""
    name = name.removeprefix("collections.")
    everything = arguments.everything
    owner, _, called = name.rpartition(".")
    if owner in known.TYPES:
        return _of_outside(read, state, name, arguments, node)
    if isinstance(node, ast.Call):
        doubts.called(read, state, name, node, arguments)
    if name in known.LAZY:
        return lazies.make(read, state, name, arguments, node)
    if name in known.CALLING:
        return _calling(read, state, name, arguments, node)
    if name in known.FRESH:
        return _fresh(read, state, name, arguments, node)
    if name in known.PLAIN:
        items = read.items(state, everything)
        read.invoke_all(state, everything, items | state.contents(items), node)
        return NOTHING
    if name in known.NUMBERS:
        read.items(state, everything)
        return state.make(node, NOTHING)
    if name in known.EXCEPTIONS:
        return state.make(node, everything, "any")
    if name.partition(".")[0] in known.PURE_MODULES or (owner and called in known.PURE_CALLS):
        read.invoke_all(state, everything, state.contents(everything), node)
        read.items(state, everything)
        if owner in known.NUMERIC_MODULES:
            return NOTHING
        # What it answers may be deep, and fresh at every depth.
        made = state.make(node, NOTHING)
        read.mutate(state, made, made, getattr(node, "lineno", 0))
        return made
    return _special(read, state, name, arguments, node)


def _special(read: Frame, state: State, name: str, arguments: Arguments, node: ast.AST) -> Value:
    """Names that reach into objects and classes, and those that nobody knows."""
    everything = arguments.everything
    match name:
        case "getattr":
            return by_any_name(state, arguments)
        case "slice":
            return frozenset({SLICE})
        case "super" | "vars":
            return frozenset({RECEIVER if name == "super" else STATE})
        case "type":
            return frozenset({CLASS if RECEIVER in everything else Outside("object")})
        case "exec" | "eval" | "setattr" | "delattr" | "globals" | "locals":
            state.change(getattr(node, "lineno", 0))
            return frozenset({STATE})
        case _:
            return hand_over(read, state, arguments, node)


def by_any_name(state: State, arguments: Arguments) -> Value:
    """`getattr` with a name that is not on the page: any attribute, and any method that changes the object."""
    given = arguments.everything
    found: set[Object] = set(given)
    for thing in given:
        if isinstance(thing, Outside):
            found.add(Outside(f"{thing.path}.append"))
    found.add(Bound("append", given - {RECEIVER}))
    if state.touches_state(given):
        found.add(STATE)
    return frozenset(found)


def _fresh(read: Frame, state: State, name: str, arguments: Arguments, node: ast.AST) -> Value:
    """A new container of what the arguments hold."""
    everything = arguments.everything
    items = read.items(state, everything)
    called = read.invoke_all(state, everything, items | state.contents(items), node)
    kind = known.KINDS.get(name, "any")
    if name == "dict":
        rest = of_pairs(read, state, arguments) | called
        return state.make(
            node, rest.union(*arguments.named.values()), kind, dict[object, Value](arguments.named) | {REST: rest}
        )
    if name == "sum":
        # A sum of lists holds what those lists hold; it needs a list to begin with, for 0 takes none.
        if len(arguments.placed) == 1 and not arguments.named and not arguments.spread:
            return NOTHING
        return state.make(node, items | read.items(state, items))
    made = state.make(node, items | called, kind)
    if name == "defaultdict":
        # What it makes for a key that it lacks is as good as itself.
        state.put(next(iter(made)), made, None)
    return made


def _calling(read: Frame, state: State, name: str, arguments: Arguments, node: ast.AST) -> Value:
    """`sorted`, `min`, `max`, `next`: what takes items, and may call a `key` with each."""
    given = arguments.spread.union(*arguments.placed)
    items = read.items(state, given)
    key = arguments.named.get("key", NOTHING)
    called = read.invoke_all(state, given, items, node) | read.callback(state, key, items | given, node)
    if name == "sorted":
        return state.make(node, items | called, "list")
    return items | given | called | arguments.named.get("default", NOTHING)


def hand_over(read: Frame, state: State, arguments: Arguments, node: ast.AST) -> Value:
    """Unknown code gets the arguments: it may change what it gets, and call what it gets."""
    everything = arguments.everything
    reached = frozenset(state.reach(everything))
    read.invoke_all(state, reached, everything, node)
    read.disturb(state, reached, grows=False)
    state.boxes = frozenset()
    if state.touches_state(everything):
        state.change(getattr(node, "lineno", 0))
    return everything | {Foreign("answer")}


def unknown(read: Frame, state: State, value: Value, node: ast.AST) -> Value:
    """Unknown code gets `value`."""
    return hand_over(read, state, anything(value), node)
