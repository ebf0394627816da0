"""The covenant's reading of loops: they are followed until nothing new is true at their head.

Standard library only, as all of the covenant.
"""

from __future__ import annotations

import ast
from typing import Final, Protocol

from actors.guardian.covenant import conditions, targets
from actors.guardian.covenant.frame import Frame
from actors.guardian.covenant.knowledge import failing, recency
from actors.guardian.covenant.knowledge.aliasing import State, TooComplexError
from actors.guardian.covenant.knowledge.objects import Object, Value
from actors.guardian.covenant.knowledge.ways import Exits, Ways, knows, merged

MAX_TURNS: Final = 8


class Walker(Protocol):
    """What a loop needs of the walk through its method."""

    @property
    def read(self) -> Frame: ...

    def branch(self, test: ast.expr, ways: Ways, line: int) -> tuple[Ways, Ways]:
        """Where `test` is true, and where it is false."""

    def block(self, body: list[ast.stmt], ways: Ways, exits: Exits) -> Ways:
        """The states after `body`, none where its end is never reached."""


def while_(walk: Walker, node: ast.While, ways: Ways, exits: Exits) -> Ways:
    """A `while` loop, until its head learns nothing new."""
    made_at = _made_at(walk, node)
    ways = [recency.turn(state.copy(), made_at) for state in ways]
    for _ in range(MAX_TURNS):
        inner = Exits(returns=exits.returns)
        turn, left = walk.branch(node.test, [state.copy() for state in ways], node.lineno)
        after_turn = walk.block(node.body, turn, inner)
        back = [recency.turn(state, made_at) for state in merged([*inner.continues, *after_turn])]
        if knows(ways, back):
            return merged([*inner.breaks, *walk.block(node.orelse, left, exits)])
        ways = merged([*ways, *back])
    raise TooComplexError


def for_(walk: Walker, node: ast.For | ast.AsyncFor, ways: Ways, exits: Exits) -> Ways:
    """A `for` loop. It may turn not at all, which tells something of what it turns over."""
    read = walk.read
    source = frozenset[Object]().union(*(read.value(node.iter, state) for state in ways))
    after_turn: Ways = []
    made_at = _made_at(walk, node)
    for _ in range(MAX_TURNS):
        inner = Exits(returns=exits.returns)
        # Asking for the next item may run a generator, on the last turn too.
        first, later = (_ask(read, node, one, source, made_at) for one in (ways, after_turn))
        turns = []
        for state, items in [*first, *later]:
            turn = state.copy()
            if conditions.entered(read, turn, node.iter, source, value=True):
                targets.assign(read, turn, node.target, items)
                turns.append(turn)
        back = merged([*after_turn, *walk.block(node.body, merged(turns), inner), *inner.continues])
        if knows(after_turn, back):
            ends = [state for state, _ in first if conditions.entered(read, state, node.iter, source, value=False)]
            after = walk.block(node.orelse, merged([*ends, *(state for state, _ in later)]), exits)
            return merged([*inner.breaks, *after])
        after_turn = back
    raise TooComplexError


def _made_at(walk: Walker, node: recency.Loop) -> frozenset[int]:
    """Where a turn makes objects. In a closure they are not told apart by turns: its caller may hold some, out of sight."""
    return walk.read.once(_places, node) if walk.read.scope.id == walk.read.root else frozenset()


def _places(read: Frame, node: recency.Loop) -> frozenset[int]:
    return recency.places(read.functions, node)


def _ask(
    read: Frame, node: ast.For | ast.AsyncFor, ways: Ways, source: Value, made_at: frozenset[int]
) -> list[tuple[State, Value]]:
    """Each state after the loop has asked for an item, and what the item may be."""
    found = []
    for way in ways:
        state = way.copy()
        recency.turn(state, made_at)
        items = read.items(state, recency.with_earlier(state, source))
        read.may_raise(state, failing.iteration(source))
        if isinstance(node, ast.AsyncFor):
            read.suspend(state, node.lineno)
        found.append((state.pass_by(node.lineno), items))
    return found
