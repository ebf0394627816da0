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

from actors.guardian import aliasing, known, targets
from actors.guardian.aliasing import CLASS, NOTHING, RECEIVER, STATE, Object, State, TooComplexError, Value
from actors.guardian.scopes import Comprehension, Function, Scope, parameters

MAX_STEPS: Final = 60_000
MAX_CALLS: Final = 8


class Reader:
    """Reads the expressions of one method. `run_body` follows a closure's statements; `report` takes violations."""

    def __init__(
        self,
        run_body: Callable[[Function, State], Value],
        report: Callable[[str, int, str], None],
    ) -> None:
        self._run_body = run_body
        self.report = report
        self.scope: Scope
        self.raises: list[State] | None = None
        self._steps = 0
        self._closures: dict[int, tuple[Function | ast.GeneratorExp, Scope, Value]] = {}
        self._scopes: dict[int, Scope] = {}
        self._active: list[int] = []

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
        state.env[self.key(name)] = value

    # Expressions -----------------------------------------------------------------------------------------------

    def value(self, node: ast.expr | None, state: State) -> Value:
        """What `node` may be; its effects are on `state`."""
        self.step()
        match node:
            case None | ast.Constant():
                return NOTHING
            case ast.Name(id=name):
                key = self.key(name)
                return state.env.get(key, NOTHING) if key[0] else frozenset({("outside", name)})
            case ast.Attribute():
                return self._attribute(node, state)
            case ast.Subscript():
                base = self.value(node.value, state)
                self.value(node.slice, state)
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
                self._closures[id(node)] = (node, self.scope, self.value(node.generators[0].iter, state))
                return frozenset({("generator", id(node))})
            case ast.ListComp() | ast.SetComp() | ast.DictComp():
                first = self.value(node.generators[0].iter, state)
                return state.make(node, self._comprehend(node, self.scope, first, state))
            case ast.BinOp():
                left, right = self.value(node.left, state), self.value(node.right, state)
                self.may_raise(state)
                if known.numeric(node) or not left | right:
                    return NOTHING
                return state.make(node, self.items(state, left) | self.items(state, right))
            case ast.Await() | ast.Yield() | ast.YieldFrom():
                found = self.value(node.value, state)
                self.suspend(state, node.lineno)
                self._invoke_all(state, found, NOTHING, node)
                return found | {aliasing.parameter("resumed")}
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
        return found

    def closure(self, node: Function, state: State) -> Value:
        """The function object of a nested `def` or lambda; defaults are evaluated now."""
        defaults = NOTHING
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            defaults |= self.value(default, state)
        self._closures[id(node)] = (node, self.scope, defaults)
        return frozenset({("function", id(node))})

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
            return self._method(state, function.attr, base, arguments, node)
        called = self.value(function, state)
        arguments = self._arguments(node, state)
        self.may_raise(state)
        found = NOTHING
        if not called:  # a number, a text: nothing that could run
            self._hand_over(state, arguments, node)
        for thing in called:
            found |= self._invoke(state, thing, arguments, NOTHING, node)
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
                return self._follow(state, thing, arguments, unknown, node)
            case "generator":
                return self._consume(state, thing)
            case "bound":
                return self._method(state, thing[1], thing[2], list(arguments) or [unknown], node)
            case "outside":
                return self._outside(state, thing[1], list(arguments), node)
            case _:
                return self._hand_over(state, arguments, node)

    def _invoke_all(self, state: State, value: Value, unknown: Value, node: ast.AST) -> Value:
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

    def _method(self, state: State, name: str, base: Value, arguments: list[Value], node: ast.AST) -> Value:
        line = getattr(node, "lineno", 0)
        everything = frozenset[Object]().union(*arguments)
        if name.startswith("__"):
            # `__setattr__` and its kin: whatever it is, it is not to be followed.
            if state.touches_state(base | everything) or any(thing[0] in ("outside", "class") for thing in base):
                state.change(line)
            return base | everything
        outside = next((thing[1] for thing in base if thing[0] == "outside"), None)
        if outside is not None and outside not in known.TYPES:
            return self._outside(state, f"{outside}.{name}", arguments, node)
        if outside is not None and arguments:
            base, arguments = arguments[0], arguments[1:]
            everything = frozenset[Object]().union(*arguments)
        if known.is_message(name) or (base == {RECEIVER} and name not in known.MUTATORS):
            # The answerer has its own signal; what crosses is a copy.
            self._invoke_all(state, everything, NOTHING, node)
            return frozenset({aliasing.parameter(f"answer {line}")})
        callbacks = self._invoke_all(state, everything, self.items(state, base), node)
        base = base - {RECEIVER}
        if name in known.MUTATORS:
            found = state.contents(base) | everything
            self.mutate(state, base, everything | state.contents(everything) | callbacks, line)
            return found
        if name in known.LOOKUPS:
            return state.contents(base) | everything
        if name in known.COPIES:
            return self._fresh(state, [base, *arguments], node)
        if name in known.PURE:
            return NOTHING
        if state.touches_state(base | everything):
            state.change(line)
        return base

    def _fresh(self, state: State, arguments: Sequence[Value], node: ast.AST, found: Value = NOTHING) -> Value:
        """A new container of what the arguments hold, or of containers of that (`zip`, `enumerate`, `items`)."""
        for argument in arguments:
            found |= self.items(state, argument)
        made = state.make(node, found)
        (thing,) = made
        state.held[thing] = state.held.get(thing, NOTHING) | made
        return made

    def _outside(self, state: State, name: str, arguments: list[Value], node: ast.AST) -> Value:
        """Call something that the method did not make: a built-in, or what it has no business with."""
        line = getattr(node, "lineno", 0)
        everything = frozenset[Object]().union(*arguments)
        items = NOTHING
        if name in known.FRESH or name in known.PICK or name in known.PLAIN or name == "getattr":
            for argument in arguments:
                items |= self.items(state, argument)
            called = self._invoke_all(state, everything, items | state.contents(items), node)
            if name in known.FRESH:
                return self._fresh(state, arguments, node, called)
            if name == "getattr":
                return frozenset({STATE}) | everything if state.touches_state(everything) else everything
            return items | everything if name in known.PICK else NOTHING
        if name in ("super", "vars"):
            return frozenset({RECEIVER if name == "super" else STATE})
        if name == "type":
            return frozenset({CLASS}) if RECEIVER in everything else NOTHING
        module, _, called_name = name.rpartition(".")
        if module.partition(".")[0] in known.PURE_MODULES or (module and called_name in known.PURE_CALLS):
            self._invoke_all(state, everything, state.contents(everything), node)
            return NOTHING
        if name in ("exec", "eval", "setattr", "delattr"):
            state.change(line)
            return NOTHING
        return self._hand_over(state, arguments, node)

    def _hand_over(self, state: State, arguments: Sequence[Value], node: ast.AST) -> Value:
        """Unknown code gets the arguments: it may change what it gets, and call what it gets."""
        everything = frozenset[Object]().union(*arguments)
        self._invoke_all(state, everything, everything, node)
        if state.touches_state(everything):
            state.change(getattr(node, "lineno", 0))
        return everything

    # Closures and comprehensions -------------------------------------------------------------------------------

    def _follow(self, state: State, thing: Object, arguments: Sequence[Value], unknown: Value, node: ast.AST) -> Value:
        """Run a closure's body here. One that calls itself is not followed round: if it can change, it has."""
        function, outer, defaults = self._closures[thing[1]]
        assert not isinstance(function, ast.GeneratorExp)
        if thing[1] in self._active or len(self._active) >= MAX_CALLS:
            if known.can_change(function):
                state.change(getattr(node, "lineno", 0))
            return frozenset({STATE}) if known.can_change(function) else frozenset[Object]().union(*arguments)
        scope = self._scopes.setdefault(thing[1], Scope(function, outer))
        caller, self.scope = self.scope, scope
        self._active.append(thing[1])
        try:
            everything = frozenset[Object]().union(unknown, defaults, *arguments)
            names = parameters(function)
            for n, name in enumerate(names):
                plain = (
                    n < len(arguments) and len(arguments) <= len(function.args.args) and not function.args.kwonlyargs
                )
                value = arguments[n] | defaults if plain else everything
                if name in (function.args.vararg, function.args.kwarg):
                    value = state.make(name, everything)
                self.bind(state, name.arg, value)
            return self._run_body(function, state)
        finally:
            self._active.pop()
            self.scope = caller

    def _consume(self, state: State, thing: Object) -> Value:
        generator, outer, first = self._closures[thing[1]]
        assert isinstance(generator, ast.GeneratorExp)
        if thing[1] in self._active:
            return NOTHING
        self._active.append(thing[1])
        try:
            return self._comprehend(generator, outer, first, state)
        finally:
            self._active.pop()

    def _comprehend(self, node: Comprehension, outer: Scope, first: Value, state: State) -> Value:
        """Run a comprehension: its loops turn any number of times."""
        caller, self.scope = self.scope, self._scopes.setdefault(id(node), Scope(node, outer))
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
                elements = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
                for element in elements:
                    found |= self.value(element, turn)
                if state.knows(turn):
                    break
                state.absorb(turn)
        finally:
            self.scope = caller
        return found
