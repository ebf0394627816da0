"""The objects of this turn of a loop, and those of its earlier turns.

What is made at one place of a loop's body is another object in each turn. At the head of a turn all that has been made
in the body so far becomes *earlier*: one abstract object for all of them, wherever it is named. So what the turn makes
is one object, fresh beyond doubt, whatever became of those before it. (Recency abstraction: Balakrishnan and Reps,
"Recency-Abstraction for Heap-Allocated Storage", SAS 2006.)

Standard library only, as all of the covenant.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from actors.guardian.covenant.knowledge.aliasing import Parts, State, either
from actors.guardian.covenant.knowledge.objects import NOTHING, Bound, Lazy, Object, Site, Value, earlier

Loop = ast.While | ast.For | ast.AsyncFor


def places(closures: Mapping[str, Sequence[ast.AST]], loop: Loop) -> frozenset[int]:
    """The ids of all places at which a turn of `loop` may make an object, those of `closures` that it names among them."""
    todo: list[ast.AST] = [loop.test if isinstance(loop, ast.While) else loop.target, *loop.body]
    functions = dict(closures)
    found: set[int] = set()
    while todo:
        for part in ast.walk(todo.pop()):
            found.add(id(part))
            if isinstance(part, ast.Name) and part.id in functions:
                todo += functions.pop(part.id)
    return frozenset(found)


def within(_: object, node: ast.AST) -> frozenset[int]:
    """The ids of all places in `node`."""
    return frozenset(map(id, ast.walk(node)))


def made(state: State, made_at: frozenset[int]) -> Mapping[Object, Site]:
    """The objects of this turn that were made at `made_at`, and what they are called in the next one."""
    return {thing: earlier(thing) for thing in state.parts if thing.made_at in made_at and not thing.earlier}


def renamed(state: State, made_at: frozenset[int], value: Value) -> Value:
    """What `value` is called when the next turn has begun."""
    return _renamed(value, made(state, made_at))


def turn(state: State, made_at: frozenset[int]) -> State:
    """`state`, at the head of a turn of the loop that makes objects at `made_at`."""
    new = made(state, made_at) if made_at else {}
    if not new:
        return state
    state.env = {key: _renamed(value, new) for key, value in state.env.items()}
    held: dict[Object, Value] = {}
    for owner, value in state.held.items():
        now = new.get(owner, owner)
        held[now] = held.get(now, NOTHING) | _renamed(value, new)
    parts: dict[Site, Parts | None] = {}
    for thing, old in state.parts.items():
        now = new.get(thing, thing)
        mine = None if old is None else {place: _renamed(value, new) for place, value in old.items()}
        parts[now] = either(now, parts[now], mine) if now in parts else mine
    state.held, state.parts = held, parts
    state.owned = frozenset(new.get(thing, thing) for thing in state.owned)
    state.many = frozenset(thing for thing in state.many if thing not in new).union(new.values())
    state.boxes = frozenset(box for box in state.boxes if box[0] not in new)
    return state


def with_earlier(state: State, value: Value) -> Value:
    """`value`, kept outside of the state while turns may have begun."""
    if not value:
        return value
    new: Mapping[Object, Site] = {
        Site(thing.made_at, thing.kind, thing.role): thing for thing in state.parts if thing.earlier
    }
    return value | _renamed(value, new) if new else value


def _renamed(value: Value, new: Mapping[Object, Site]) -> Value:
    if not value or not any(thing in new or isinstance(thing, (Bound, Lazy)) for thing in value):
        return value
    return frozenset(_named(thing, new) for thing in value)


def _named(thing: Object, new: Mapping[Object, Site]) -> Object:
    match thing:
        case Bound(name, base):
            return Bound(name, _renamed(base, new))
        case Lazy(made_at, name, placed, spread):
            return Lazy(made_at, name, tuple(_renamed(one, new) for one in placed), _renamed(spread, new))
        case _:
            return new.get(thing, thing)
