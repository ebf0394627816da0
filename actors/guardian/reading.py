"""The covenant's reading of expressions: what they may be, what they change, and where they may break off.

`Reader.value` walks one expression in Python's order of evaluation, on a state that it changes as it goes. Calls are
where everything happens: mutating methods, closures (followed into their bodies), callbacks, generators (run where
they are consumed), and sends, which change nothing here, because the callee answers for its own signal.

Standard library only, as all of the covenant.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Final

from actors.guardian import aliasing, closures, known, outside, targets
from actors.guardian.aliasing import CLASS, NOTHING, RECEIVER, STATE, Object, State, TooComplexError, Value
from actors.guardian.scopes import OUTSIDE, Comprehension, Function, Scope

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
        self.raises: list[State] | None = None
        self._steps = 0
        self.closures: dict[int, tuple[Function | ast.GeneratorExp, Scope, Value]] = {}
        self._scopes: dict[int, Scope] = {}
        self.active: list[int] = []
        self._busy: list[Object] = []
        self._lazies: dict[int, ast.AST] = {}
        self.calls: dict[int, closures.Call] = {}

    # What can happen to the state ------------------------------------------------------------------------------

    def step(self) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise TooComplexError

    def may_raise(self, state: State) -> None:
        """Here the method may break off, in this state, into a handler."""
        if self.raises is not None:
            self.raises.append(state.copy())

    def suspend(self, state: State, line: int) -> None:
        if state.dirty is not None:
            self.report("COV004", line, f"changed on line {state.dirty[0]}")

    def mutate(self, state: State, base: Value, put: Value, line: int) -> None:
        """`base` was changed in place, and may hold `put` now."""
        for thing in base:
            if state.is_state(thing):
                state.change(line)
                state.own(put)
            elif thing == CLASS:
                self.report("COV003", line, "")
            elif thing[0] in ("site", "foreign"):
                state.hold(thing, put)

    def key(self, name: str) -> tuple[int, str]:
        return (self.scope.owner(name), name)

    def bind(self, state: State, name: str, value: Value) -> None:
        holder = self.scope.holder(name)
        key = (holder.id if holder else OUTSIDE, name)
        if holder is not None and holder.outer is not None:
            # Each call of a closure has variables of its own, which what it made may still hold.
            value |= state.env.get(key, NOTHING)
        state.env[key] = value
        state.certain |= {key}

    def unbind(self, state: State, name: str) -> None:
        state.certain -= {self.key(name)}

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
                    self.may_raise(state)
                # What `global` has bound is found in scope 0 too.
                return state.env.get(key, NOTHING if key[0] else frozenset({("outside", name)}))
            case ast.Attribute():
                return self._attribute(node, state)
            case ast.Subscript():
                base = self.value(node.value, state)
                self.value(node.slice, state)
                self.may_raise(state)
                items = self.items(state, base)
                return state.make(node, items) if isinstance(node.slice, ast.Slice) else items
            case ast.Call():
                return self._call(node, state)
            case ast.Lambda():
                return self.closure(node, state)
            case ast.BoolOp():
                return self._boolean(node, state)
            case ast.IfExp():
                return self._choice(node, state)
            case ast.NamedExpr():
                found = self.value(node.value, state)
                targets.assign(self, state, node.target, found)
                return found
            case ast.List() | ast.Tuple() | ast.Set() | ast.Dict():
                return self._display(node, state)
            case ast.GeneratorExp():
                self._remember(node, self.value(node.generators[0].iter, state))
                return frozenset({("generator", id(node))})
            case ast.ListComp() | ast.SetComp() | ast.DictComp():
                first = self.value(node.generators[0].iter, state)
                return state.make(node, self._comprehend(node, self.scope, first, state))
            case ast.BinOp():
                left, right = self.value(node.left, state), self.value(node.right, state)
                self.may_raise(state)
                if aliasing.arithmetic(node.op, left, right) or (
                    isinstance(node.op, ast.Mult) and known.fractional(node)
                ):
                    return NOTHING
                return state.make(node, self.items(state, left) | self.items(state, right))
            case ast.Await() | ast.Yield() | ast.YieldFrom():
                found = self.value(node.value, state)
                self.suspend(state, node.lineno)
                self.invoke_all(state, found, NOTHING, node)
                return found | {aliasing.parameter("resumed")}
            case ast.Compare():
                values = [self.value(part, state) for part in (node.left, *node.comparators)]
                for operator, value in zip(node.ops, values[1:], strict=True):
                    if isinstance(operator, (ast.In, ast.NotIn)):
                        self.items(state, value)
                self.may_raise(state)
                return NOTHING
            case ast.Starred():
                return self.items(state, self.value(node.value, state))
            case _:
                # Operators, comparisons, f-strings, slices: they read their parts, and make numbers and texts.
                for part in ast.iter_child_nodes(node):
                    if isinstance(part, ast.expr):
                        self.value(part, state)
                self.may_raise(state)
                return NOTHING

    def items(self, state: State, value: Value) -> Value:
        """What an item of `value` may be; generators among them run for it."""
        found = state.contents(value)
        for thing in value:
            if thing[0] == "generator":
                found |= self._consume(state, thing)
            elif thing[0] == "lazy":
                found |= self._pull(state, thing)
        return found

    def lazy(self, node: ast.AST, arguments: Value) -> Value:
        """A `map`, a `zip`: whoever asks it for an item runs its `arguments`."""
        self._lazies[id(node)] = node
        return frozenset({("lazy", id(node), arguments)})

    def _pull(self, state: State, thing: Object) -> Value:
        items = self.items(state, thing[2])
        functions = frozenset(part for part in thing[2] if part[0] in ("function", "bound"))
        node = self._lazies[thing[1]]
        found = items | self.invoke_all(state, functions, items | state.contents(items), node)
        return found | state.make(node, found)

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

    def apply(self, state: State, called: Value, argument: Value, node: ast.AST) -> Value:
        """Call whatever `called` may be with one argument."""
        found = NOTHING
        for thing in called:
            found |= self._invoke(state, thing, [argument], NOTHING, node)
        return found

    def escape(self, state: State, value: Value, node: ast.AST, line: int) -> None:
        """`value` leaves the method: a closure in it may be called later, when nobody signals any more."""
        for thing in state.reach(value):
            if thing[0] in aliasing.INVOKABLE:
                later = state.cleaned()
                self._invoke(later, thing, [], NOTHING, node)
                if later.dirty is not None:
                    self.report("COV005", line, f"a change on line {later.dirty[0]}")

    def _attribute(self, node: ast.Attribute, state: State) -> Value:
        base = self.value(node.value, state)
        self.may_raise(state)
        found: set[Object] = set()
        for thing in base:
            if thing == RECEIVER and node.attr == "__class__":
                found.add(CLASS)
            elif thing == RECEIVER and known.is_message(node.attr):
                found.add(("bound", node.attr, frozenset({RECEIVER})))
            elif thing in (RECEIVER, STATE) or thing in state.owned:
                found.add(STATE)
            elif thing[0] == "foreign" or thing == CLASS:
                found.add(thing)
            elif thing[0] == "outside":
                found.add(("outside", f"{thing[1]}.{node.attr}"))
            elif node.attr == "args":
                # Of an exception: what it was made of.
                found.add(thing)
        if node.attr == "args" and not base:
            found.add(aliasing.parameter("args"))
        if node.attr in known.MUTATORS:
            found.add(("bound", node.attr, base))
        return frozenset(found)

    def _boolean(self, node: ast.BoolOp, state: State) -> Value:
        found = self.value(node.values[0], state)
        for part in node.values[1:]:
            taken = state.copy()
            found |= self.value(part, taken)
            state.absorb(taken)
        return found

    def _choice(self, node: ast.IfExp, state: State) -> Value:
        self.value(node.test, state)
        other = state.copy()
        found = self.value(node.body, state) | self.value(node.orelse, other)
        state.absorb(other)
        return found

    def _display(self, node: ast.List | ast.Tuple | ast.Set | ast.Dict, state: State) -> Value:
        found = NOTHING
        if isinstance(node, ast.Dict):
            keys: Sequence[ast.expr | None] = node.keys
            for key, part in zip(keys, node.values, strict=True):
                self.value(key, state)
                value = self.value(part, state)
                found |= state.contents(value) if key is None else value
        else:
            for part in node.elts:
                found |= self.value(part, state)
        return state.make(node, found)

    # Calls -----------------------------------------------------------------------------------------------------

    def _call(self, node: ast.Call, state: State) -> Value:
        function = node.func
        if isinstance(function, ast.Attribute):
            base = self.value(function.value, state)
            arguments = self._arguments(node, state)
            self.may_raise(state)
            return outside.method(self, state, function.attr, base, arguments=arguments, node=node)
        called = self.value(function, state)
        arguments = self._arguments(node, state)
        self.may_raise(state)
        found = NOTHING
        if not called:  # a number, a text: nothing that could run
            outside.hand_over(self, state, arguments, node)
        # Which parameter gets which keyword or starred item is not followed: any may get any.
        mixed = bool(node.keywords) or any(isinstance(argument, ast.Starred) for argument in node.args)
        everything = frozenset[Object]().union(*arguments) if mixed else NOTHING
        for thing in called:
            follow = mixed and thing[0] == "function"
            found |= self._invoke(state, thing, [] if follow else arguments, everything, node)
        return found

    def _arguments(self, node: ast.Call, state: State) -> list[Value]:
        found = [self.value(argument, state) for argument in node.args]
        for keyword in node.keywords:
            value = self.value(keyword.value, state)
            found.append(value if keyword.arg else state.contents(value))
        return found

    def _invoke(self, state: State, thing: Object, arguments: Sequence[Value], unknown: Value, node: ast.AST) -> Value:
        """Call one object; parameters beyond `arguments` may be `unknown`."""
        match thing[0]:
            case "function":
                return closures.follow(self, state, thing, arguments, unknown)
            case "generator" | "lazy":
                return self.items(state, frozenset({thing}))
            case "bound":
                if thing in self._busy:
                    # A callback that is handed to itself changes nothing more.
                    return NOTHING
                self._busy.append(thing)
                found = outside.method(self, state, thing[1], thing[2], arguments=arguments or [unknown], node=node)
                self._busy.pop()
                return found
            case "outside":
                return outside.call(self, state, thing[1], arguments, node)
            case _:
                return outside.hand_over(self, state, arguments, node)

    def invoke_all(self, state: State, value: Value, unknown: Value, node: ast.AST) -> Value:
        """Callbacks in `value` may be called, any number of times."""
        found = NOTHING
        for thing in value:
            if thing[0] in aliasing.INVOKABLE:
                for _ in range(2):
                    # Not at all, once, and again after what it did itself.
                    once = state.copy()
                    found |= self._invoke(once, thing, [], unknown, node)
                    state.absorb(once)
        return found

    # Closures and comprehensions -------------------------------------------------------------------------------

    def inner(self, node: Function | Comprehension, outer: Scope) -> Scope:
        if id(node) not in self._scopes:
            self._scopes[id(node)] = Scope(node, outer)
        return self._scopes[id(node)]

    def _consume(self, state: State, thing: Object) -> Value:
        generator, outer, first = self.closures[thing[1]]
        assert isinstance(generator, ast.GeneratorExp)
        if thing[1] in self.active:
            return NOTHING
        self.active.append(thing[1])
        try:
            return self._comprehend(generator, outer, first, state)
        finally:
            self.active.pop()

    def _comprehend(self, node: Comprehension, outer: Scope, first: Value, state: State) -> Value:
        """Run a comprehension: its loops turn any number of times."""
        caller, self.scope = self.scope, self.inner(node, outer)
        found = NOTHING
        try:
            for _ in range(3):
                turn = state.copy()
                for n, generator in enumerate(node.generators):
                    source = first if n == 0 else self.value(generator.iter, turn)
                    targets.assign(self, turn, generator.target, self.items(turn, source))
                    if generator.is_async:
                        self.suspend(turn, node.lineno)
                    for test in generator.ifs:
                        # What a failed test changed has been changed all the same.
                        self.value(test, turn)
                        state.absorb(turn)
                if isinstance(node, ast.DictComp):
                    # A key cannot be changed in place.
                    self.value(node.key, turn)
                    found |= self.value(node.value, turn)
                else:
                    found |= self.value(node.elt, turn)
                if state.knows(turn):
                    break
                state.absorb(turn)
        finally:
            self.scope = caller
        return found
