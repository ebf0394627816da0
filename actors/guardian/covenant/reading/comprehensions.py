"""The covenant's reading of comprehensions: their loops turn any number of times, until nothing new comes out.

A generator runs where its items are asked for.

Standard library only, as all of the covenant.
"""

from __future__ import annotations

import ast

from actors.guardian.covenant import conditions, targets
from actors.guardian.covenant.frame import Frame
from actors.guardian.covenant.knowledge import failing, known, recency
from actors.guardian.covenant.knowledge.aliasing import MAX_TURNS, State, TooComplexError
from actors.guardian.covenant.knowledge.objects import NOTHING, GeneratorObject, Value
from actors.guardian.covenant.knowledge.scopes import Comprehension, Scope


def consume(read: Frame, state: State, thing: GeneratorObject) -> Value:
    """What an item of the generator `thing` may be; it runs."""
    generator, outer, first = read.closures[thing.made_at]
    assert isinstance(generator, ast.GeneratorExp)
    if thing.made_at in read.active:
        return NOTHING
    read.active.append(thing.made_at)
    try:
        return run(read, generator, outer, recency.with_earlier(state, first), state)
    finally:
        read.active.pop()


def run(read: Frame, node: Comprehension, outer: Scope, first: Value, state: State) -> Value:
    """What an item of `node` may be, whose first source is `first`."""
    caller, read.scope = read.scope, read.inner(node, outer)
    found = NOTHING
    try:
        for _ in range(MAX_TURNS):
            start, before = state.copy(), found
            found |= _turn(read, node, first, state)
            if start.knows(state) and found == before:
                return found
    finally:
        read.scope = caller
    raise TooComplexError


def _turn(read: Frame, node: Comprehension, first: Value, state: State) -> Value:
    turn = state.copy()
    for n, generator in enumerate(node.generators):
        source = first if n == 0 else read.value(generator.iter, turn)
        read.may_raise(turn, failing.iteration(source))
        targets.assign(read, turn, generator.target, read.items(turn, source))
        if generator.is_async:
            read.suspend(turn, node.lineno)
        for test in generator.ifs:
            # What a failed test changed has been changed all the same.
            read.value(test, turn)
            state.absorb(turn)
            conditions.assume(read, turn, test, value=True)
    if isinstance(node, ast.DictComp):
        found = known.hashable([read.value(node.key, turn)]) | read.value(node.value, turn)
    else:
        found = read.value(node.elt, turn)
    state.absorb(turn)
    return found
