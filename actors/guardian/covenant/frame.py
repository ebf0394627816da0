"""What every part of the covenant's reading needs: the scope it reads in, and what can happen to the state.

The parts (closures, comprehensions, displays, targets, conditions, …) are handed a `Frame` and import nothing of the
reader, which imports them. What only the reader can do, because it needs all of them, are the abstract methods.

Standard library only, as all of the covenant.
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from actors.guardian.covenant.knowledge import aliasing, failing
from actors.guardian.covenant.knowledge.aliasing import State, TooComplexError
from actors.guardian.covenant.knowledge.facts import UNKNOWN, Fact, Key
from actors.guardian.covenant.knowledge.objects import CLASS, INVOKABLE, NOTHING, Foreign, Object, Site, Value
from actors.guardian.covenant.knowledge.scopes import OUTSIDE, Comprehension, Function, Scope
from actors.guardian.covenant.reading.arguments import Arguments, anything

T = TypeVar("T")
Node = TypeVar("Node", bound=ast.AST)
MAX_STEPS: Final = 60_000


@dataclass
class ClosureCall:
    """A closure under way: the states in which its body may begin and end, and what it may return."""

    begin: State
    end: State | None = None
    value: Value = NOTHING
    inner: bool = False
    """Whether it has called itself in this turn."""
    grown: bool = False
    """Whether that inner call began in a state that is new."""


class Frame(ABC):
    """The method under way. `run_body` follows a closure's statements; `report` takes violations."""

    def __init__(self, run_body: Callable[[Function, State], Value], report: Callable[[str, int, str], None]) -> None:
        self.run_body = run_body
        self.report = report
        self.scope: Scope
        self.root = OUTSIDE
        """The method's own scope, whose variables are there once."""
        self.functions: dict[str, list[ast.AST]] = {}
        """The closures of the method that have a name."""
        self.again = False
        """Whether a closure is being called that is under way."""
        self.shares = False
        """Whether a closure may bind them (`nonlocal`)."""
        self.raises: failing.Raised | None = None
        self._steps = 0
        self.closures: dict[int, tuple[Function | ast.GeneratorExp, Scope, Value]] = {}
        self._scopes: dict[int, Scope] = {}
        self.active: list[int] = []
        self.busy: list[Object] = []
        self.hints: dict[int, str] = {}
        self.lazies: dict[int, ast.AST] = {}
        self._said: dict[tuple[object, ast.AST, int], Any] = {}
        self.calls: dict[int, ClosureCall] = {}

    def once(self, function: Callable[[Frame, Node], T], node: Node) -> T:
        """What `function` says of `node` in this scope, where it always says the same."""
        key = (function, node, self.scope.id)
        if key not in self._said:
            self._said[key] = function(self, node)
        return self._said[key]  # type: ignore[no-any-return]

    # What can happen to the state ------------------------------------------------------------------------------

    def step(self) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise TooComplexError

    def may_raise(self, state: State, kinds: failing.Kinds = None) -> None:
        """Here the method may break off, in this state, into a handler of one of the `kinds`; None for any."""
        if self.raises is not None and not state.dead:
            self.raises.append((state.copy(), kinds))

    def suspend(self, state: State, line: int) -> None:
        if state.dirty is not None:
            self.report("COV004", line, f"changed on line {state.dirty[0]}")

    def disturb(self, state: State, base: Value, *, grows: bool) -> None:
        """What has been asked of `base`, or of what holds it, may be otherwise now."""
        of_state = any(state.is_state(thing) for thing in base)
        foreign = any(isinstance(thing, Foreign) for thing in base)

        def touched(things: Iterable[Object]) -> bool:
            return any(
                thing in base or (of_state and state.is_state(thing)) or (foreign and isinstance(thing, Foreign))
                for thing in things
            )

        state.facts.disturb(
            lambda name: touched(state.env.get(name, NOTHING)),
            lambda name: touched(state.reach(state.env.get(name, NOTHING))),
            grows=grows,
        )

    def mutate(
        self,
        state: State,
        base: Value,
        put: Value,
        line: int,
        *,
        place: object | None = None,
        replaces: bool = False,
        grows: bool = False,
    ) -> None:
        """`base` was changed in place, and may hold `put` now: at `place`, where that is known, and, if it `replaces`,
        nothing else there.
        """
        self.disturb(state, base, grows=grows)
        for thing in base:
            if state.is_state(thing):
                state.change(line)
                self.own(state, put, line)
            elif thing is CLASS:
                self.report("COV003", line, "")
            elif isinstance(thing, Foreign):
                state.hold(thing, put)
            if isinstance(thing, Site):
                state.put(thing, put, place, alone=replaces and len(base) == 1)

    def own(self, state: State, value: Value, line: int) -> None:
        """`value` was put into the receiver's state. A function there is out of sight, whoever calls it."""
        state.own(value)
        self.escape(state, value, None, line)

    def hint(self, line: int, text: str) -> None:
        """What to write instead, should `line` be where a change was left without signal."""
        self.hints.setdefault(line, text)

    def key(self, name: str) -> Key:
        return (self.scope.owner(name), name)

    def bind(self, state: State, name: str, value: Value, fact: Fact = UNKNOWN) -> None:
        holder = self.scope.holder(name)
        key = (holder.id if holder else OUTSIDE, name)
        if holder is not None and holder.outer is not None:
            if self.again or holder.captured:
                # Each call of a closure has variables of its own, which what it made may still hold.
                value |= state.env.get(key, NOTHING)
            fact = UNKNOWN
        state.env[key] = value
        state.facts.bind(key, fact)
        state.certain |= {key}

    def unbind(self, state: State, name: str) -> None:
        state.certain -= {self.key(name)}
        state.facts.bind(self.key(name))

    def has(self, state: State, name: str) -> bool:
        """Whether reading the variable `name` cannot fail here."""
        return self.key(name) in state.certain

    def inner(self, node: Function | Comprehension, outer: Scope) -> Scope:
        if id(node) not in self._scopes:
            self._scopes[id(node)] = Scope(node, outer)
        return self._scopes[id(node)]

    # What leaves the method, and what is called by others -------------------------------------------------------

    def escape(self, state: State, value: Value, node: ast.AST | None, line: int) -> None:
        """`value` leaves the method: a closure in it may be called later, and nobody would signal what it changes then."""
        for thing in state.reach(value):
            if isinstance(thing, INVOKABLE):
                later = state.cleaned()
                self.invoke(later, thing, Arguments(), node or ast.Pass(lineno=line))
                if later.dirty is not None:
                    self.report("COV005", line, f"a change on line {later.dirty[0]}")

    def invoke_all(self, state: State, value: Value, unknown: Value, node: ast.AST) -> Value:
        """Callbacks in `value` may be called, any number of times."""
        return self._repeat(state, [thing for thing in value if isinstance(thing, INVOKABLE)], unknown, node)

    def callback(self, state: State, function: Value, unknown: Value, node: ast.AST) -> Value:
        """`function` is called, any number of times, with what is `unknown`: nothing else can stand there."""
        return self._repeat(state, list(function), unknown, node)

    def _repeat(self, state: State, things: Sequence[Object], unknown: Value, node: ast.AST) -> Value:
        found = NOTHING
        if not things:
            return found
        for _ in range(aliasing.MAX_TURNS):
            before = found
            once = state.copy()
            for thing in things:
                self.may_raise(once, failing.function(frozenset({thing})))
                found |= self.invoke(once, thing, anything(unknown), node)
            settled = state.knows(once)
            # Not at all, once, and again after what it did itself.
            state.absorb(once)
            if settled and found == before:
                return found
        raise TooComplexError

    # What only the reader does ---------------------------------------------------------------------------------

    @abstractmethod
    def value(self, node: ast.expr | None, state: State) -> Value:
        """What `node` may be; its effects are on `state`."""

    @abstractmethod
    def items(self, state: State, value: Value) -> Value:
        """What an item of `value` may be; generators among them run for it."""

    @abstractmethod
    def attribute(self, state: State, base: Value, name: str) -> Value:
        """`base.name`, read and not called."""

    @abstractmethod
    def invoke(self, state: State, thing: Object, arguments: Arguments, node: ast.AST) -> Value:
        """Call one object."""
