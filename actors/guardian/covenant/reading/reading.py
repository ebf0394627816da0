"""The covenant's reading of expressions: what they may be, what they change, and where they may break off.

`Reader.value` walks one expression in Python's order of evaluation, on a state that it changes as it goes. Calls are
where everything happens: mutating methods, closures (followed into their bodies), callbacks, generators (run where
they are consumed), and sends, which change nothing here, because the callee answers for its own signal.

Standard library only, as all of the covenant.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

from actors.guardian.covenant import conditions, targets
from actors.guardian.covenant.knowledge import aliasing, failing, known
from actors.guardian.covenant.knowledge.aliasing import (
    CLASS,
    NOTHING,
    RECEIVER,
    STATE,
    Object,
    State,
    TooComplexError,
    Value,
)
from actors.guardian.covenant.knowledge.facts import UNKNOWN, Fact
from actors.guardian.covenant.knowledge.scopes import OUTSIDE, Comprehension, Function, Scope
from actors.guardian.covenant.reading import closures, comprehensions, displays, doubts, lazies, outside
from actors.guardian.covenant.reading.arguments import Arguments, anything

T = TypeVar("T")
Node = TypeVar("Node", bound=ast.AST)
MAX_STEPS: Final = 60_000


class Reader:
    """Reads the expressions of one method. `run_body` follows a closure's statements; `report` takes violations."""

    def __init__(
        self,
        run_body: Callable[[Function, State], Value],
        report: Callable[[str, int, str], None],
    ) -> None:
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
        self._busy: list[Object] = []
        self.hints: dict[int, str] = {}
        self.lazies: dict[int, ast.AST] = {}
        self._said: dict[tuple[object, ast.AST, int], Any] = {}
        self.calls: dict[int, closures.ClosureCall] = {}

    def once(self, function: Callable[[Reader, Node], T], node: Node) -> T:
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
        foreign = any(thing[0] == "foreign" for thing in base)

        def touched(things: Iterable[Object]) -> bool:
            return any(
                thing in base or (of_state and state.is_state(thing)) or (foreign and thing[0] == "foreign")
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
            elif thing == CLASS:
                self.report("COV003", line, "")
            elif thing[0] == "foreign":
                state.hold(thing, put)
            if thing[0] == "site":
                state.put(thing, put, place, alone=replaces and len(base) == 1)

    def own(self, state: State, value: Value, line: int) -> None:
        """`value` was put into the receiver's state. A function there is out of sight, whoever calls it."""
        state.own(value)
        self.escape(state, value, None, line)

    def hint(self, line: int, text: str) -> None:
        """What to write instead, should `line` be where a change was left without signal."""
        self.hints.setdefault(line, text)

    def key(self, name: str) -> tuple[int, str]:
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

    # Expressions -----------------------------------------------------------------------------------------------

    def value(self, node: ast.expr | None, state: State) -> Value:
        """What `node` may be; its effects are on `state`."""
        self.step()
        match node:
            case None | ast.Constant():
                return NOTHING
            case ast.Name(id=name):
                key = self.key(name)
                if key not in state.certain and name not in known.BUILT_IN:
                    self.may_raise(state, failing.NAME)
                # What `global` has bound is found in scope 0 too.
                found = state.env.get(key, NOTHING if key[0] else frozenset({("outside", name)}))
                return conditions.narrowed(state, key, found)
            case ast.Attribute():
                base = self.value(node.value, state)
                self.may_raise(state, failing.ATTRIBUTE)
                return self.attribute(state, base, node.attr)
            case ast.Subscript():
                base = self.value(node.value, state)
                self.value(node.slice, state)
                self.may_raise(state, failing.ITEM)
                if isinstance(node.slice, ast.Slice):
                    return state.make(node, self.items(state, base))
                return state.part(base, known.literal(node.slice))
            case ast.Call():
                return self._call(node, state)
            case ast.Lambda():
                return self.closure(node, state)
            case ast.BoolOp():
                return displays.boolean(self, node, state)
            case ast.IfExp():
                return displays.choice(self, node, state)
            case ast.NamedExpr():
                found = self.value(node.value, state)
                targets.assign(self, state, node.target, found, conditions.fact(self, state, node.value))
                return found
            case ast.List() | ast.Tuple() | ast.Set() | ast.Dict():
                return displays.display(self, node, state)
            case ast.GeneratorExp():
                self._remember(node, self.value(node.generators[0].iter, state))
                return frozenset({("generator", id(node))})
            case ast.ListComp() | ast.SetComp() | ast.DictComp():
                first = self.value(node.generators[0].iter, state)
                return state.make(node, comprehensions.run(self, node, self.scope, first, state))
            case ast.BinOp():
                return displays.operation(self, node, state)
            case ast.Await() | ast.Yield() | ast.YieldFrom():
                found = self.value(node.value, state)
                self.suspend(state, node.lineno)
                self.invoke_all(state, found, NOTHING, node)
                return found | {aliasing.parameter("resumed")}
            case ast.Compare():
                return displays.comparison(self, node, state)
            case ast.Starred():
                found = self.value(node.value, state)
                self.may_raise(state, failing.iteration(found))
                return self.items(state, found)
            case _:
                # Operators, comparisons, f-strings, slices: they read their parts, and make numbers and texts.
                for part in ast.iter_child_nodes(node):
                    if isinstance(part, ast.expr):
                        self.value(part, state)
                self.may_raise(state, failing.ARITHMETIC)
                doubts.read_as_number(self, state, node)
                return NOTHING

    def items(self, state: State, value: Value) -> Value:
        """What an item of `value` may be; generators among them run for it."""
        found = state.contents(value)
        for thing in value:
            if thing[0] == "generator":
                found |= comprehensions.consume(self, state, thing)
            elif thing[0] == "lazy":
                if thing in self._busy:
                    raise TooComplexError
                self._busy.append(thing)
                found |= lazies.pull(self, state, thing)
                self._busy.pop()
        return found

    def closure(self, node: Function, state: State) -> Value:
        """The function object of a nested `def` or lambda; defaults are evaluated now."""
        defaults = NOTHING
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            defaults |= self.value(default, state)
        self._remember(node, defaults)
        return frozenset({("function", id(node))})

    def _remember(self, node: Function | ast.GeneratorExp, held: Value) -> None:
        """One text may make many closures: what any of them holds, each may."""
        known_as = self.closures.get(id(node))
        self.closures[id(node)] = (node, self.scope, held | known_as[2] if known_as else held)

    def escape(self, state: State, value: Value, node: ast.AST | None, line: int) -> None:
        """`value` leaves the method: a closure in it may be called later, when nobody signals any more."""
        for thing in state.reach(value):
            if thing[0] in aliasing.INVOKABLE:
                later = state.cleaned()
                self._invoke(later, thing, Arguments(), node or ast.Pass(lineno=line))
                if later.dirty is not None:
                    self.report("COV005", line, f"a change on line {later.dirty[0]}")

    def attribute(self, state: State, base: Value, name: str) -> Value:
        """`base.name`, read and not called."""
        found: set[Object] = set()
        for thing in base:
            if thing == RECEIVER and name == "__class__":
                found.add(CLASS)
            elif thing == RECEIVER and known.is_message(name):
                found.add(("bound", name, frozenset({RECEIVER})))
            elif thing == RECEIVER:
                found.add(STATE)
            elif known.is_method(name) and (state.is_state(thing) or thing[0] == "foreign"):
                # A list's or dict's `get` is its method, and a slot of that name on another object is read as a copy.
                continue
            elif thing == STATE or thing in state.owned:
                found.add(STATE)
            elif thing[0] == "foreign" or thing == CLASS:
                found.add(thing)
            elif thing[0] == "outside":
                found.add(("outside", f"{thing[1]}.{name}"))
            elif name == "args":
                # Of an exception: what it was made of.
                found.add(thing)
        if name == "args" and not base:
            found.add(aliasing.parameter("args"))
        if name in known.MUTATORS:
            found.add(("bound", name, base))
        elif name in known.METHODS or name.startswith("__"):
            own = base - {RECEIVER}
            if own or not base:
                found.add(("bound", name, own))
        return frozenset(found)

    # Calls -----------------------------------------------------------------------------------------------------

    def _call(self, node: ast.Call, state: State) -> Value:
        function = node.func
        if isinstance(function, ast.Attribute):
            base = self.value(function.value, state)
            arguments = self._arguments(node, state)
            self.may_raise(state, failing.method(function.attr, base))
            return outside.method(self, state, function.attr, base, arguments=arguments, node=node)
        called = self.value(function, state)
        arguments = self._arguments(node, state)
        self.may_raise(state, failing.function(called))
        found = NOTHING
        if not called:  # a number, a text: nothing that could run
            outside.hand_over(self, state, arguments, node)
        for thing in called:
            if (
                thing == ("outside", "getattr")
                and len(node.args) > 1
                and isinstance(name := known.literal(node.args[1]), str)
            ):
                found |= self.attribute(state, arguments.placed[0], name).union(*arguments.placed[2:])
            else:
                found |= self._invoke(state, thing, arguments, node)
        return found

    def _arguments(self, node: ast.Call, state: State) -> Arguments:
        placed: list[Value] = []
        named: dict[str, Value] = {}
        spread, starred = NOTHING, False
        for argument in node.args:
            value = self.value(argument, state)
            starred = starred or isinstance(argument, ast.Starred)
            if starred:
                spread |= value
            else:
                placed.append(value)
        for keyword in node.keywords:
            value = self.value(keyword.value, state)
            if keyword.arg:
                named[keyword.arg] = value
            else:
                spread |= self.items(state, value)
        first = known.literal(node.args[0]) if placed else None
        return Arguments(tuple(placed), named, spread, first)

    def _invoke(self, state: State, thing: Object, arguments: Arguments, node: ast.AST) -> Value:
        """Call one object."""
        match thing[0]:
            case "function":
                return closures.follow(self, state, thing, arguments)
            case "generator" | "lazy":
                return self.items(state, frozenset({thing}))
            case "bound":
                if thing in self._busy:
                    # A callback that is handed to itself changes nothing more.
                    return NOTHING
                self._busy.append(thing)
                found = outside.method(self, state, thing[1], thing[2], arguments=arguments, node=node)
                self._busy.pop()
                return found
            case "outside":
                return outside.call(self, state, thing[1], arguments, node)
            case _:
                return outside.hand_over(self, state, arguments, node)

    def invoke_all(self, state: State, value: Value, unknown: Value, node: ast.AST) -> Value:
        """Callbacks in `value` may be called, any number of times."""
        return self._repeat(state, [thing for thing in value if thing[0] in aliasing.INVOKABLE], unknown, node)

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
                found |= self._invoke(once, thing, anything(unknown), node)
            settled = state.knows(once)
            # Not at all, once, and again after what it did itself.
            state.absorb(once)
            if settled and found == before:
                return found
        raise TooComplexError

    # Closures and comprehensions -------------------------------------------------------------------------------

    def inner(self, node: Function | Comprehension, outer: Scope) -> Scope:
        if id(node) not in self._scopes:
            self._scopes[id(node)] = Scope(node, outer)
        return self._scopes[id(node)]
