"""The covenant's reading of expressions: what they may be, what they change, and where they may break off.

`Reader.value` walks one expression in Python's order of evaluation, on a state that it changes as it goes. Calls are
where everything happens: mutating methods, closures (followed into their bodies), callbacks, generators (run where
they are consumed), and sends, which change nothing here, because the callee answers for its own signal.

Standard library only, as all of the covenant.
"""

from __future__ import annotations

import ast
from typing import Final

from actors.guardian.covenant import conditions, targets
from actors.guardian.covenant.frame import Frame
from actors.guardian.covenant.knowledge import failing, known
from actors.guardian.covenant.knowledge.aliasing import State, TooComplexError
from actors.guardian.covenant.knowledge.objects import (
    CLASS,
    NOTHING,
    RECEIVER,
    STATE,
    Bound,
    Closure,
    Foreign,
    GeneratorObject,
    Lazy,
    Object,
    Outside,
    Value,
)
from actors.guardian.covenant.knowledge.scopes import Function
from actors.guardian.covenant.reading import closures, comprehensions, displays, doubts, lazies, outside
from actors.guardian.covenant.reading.arguments import Arguments

_GETATTR: Final = Outside("getattr")


class Reader(Frame):
    """Reads the expressions of one method."""

    # Expressions -----------------------------------------------------------------------------------------------

    def value(self, node: ast.expr | None, state: State) -> Value:
        """What `node` may be; its effects are on `state`."""
        self.step()
        match node:
            case None | ast.Constant():
                return NOTHING
            case ast.Name(id=name):
                return self._variable(name, state)
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
                return frozenset({GeneratorObject(id(node))})
            case ast.ListComp() | ast.SetComp() | ast.DictComp():
                first = self.value(node.generators[0].iter, state)
                return state.make(node, comprehensions.run(self, node, self.scope, first, state))
            case ast.BinOp():
                return displays.operation(self, node, state)
            case ast.Await() | ast.Yield() | ast.YieldFrom():
                found = self.value(node.value, state)
                self.suspend(state, node.lineno)
                self.invoke_all(state, found, NOTHING, node)
                return found | {Foreign("resumed")}
            case ast.Compare():
                return displays.comparison(self, node, state)
            case ast.Starred():
                found = self.value(node.value, state)
                self.may_raise(state, failing.iteration(found))
                return self.items(state, found)
            case _:
                return self._plain(node, state)

    def _variable(self, name: str, state: State) -> Value:
        key = self.key(name)
        if key not in state.certain and name not in known.BUILT_IN:
            self.may_raise(state, failing.NAME)
        # What `global` has bound is found in scope 0 too.
        found = state.env.get(key, NOTHING if key[0] else frozenset({Outside(name)}))
        return conditions.narrowed(state, key, found)

    def _plain(self, node: ast.expr, state: State) -> Value:
        """Operators, f-strings, slices: they read their parts, and make numbers and texts."""
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
            if isinstance(thing, GeneratorObject):
                found |= comprehensions.consume(self, state, thing)
            elif isinstance(thing, Lazy):
                if thing in self.busy:
                    raise TooComplexError
                self.busy.append(thing)
                found |= lazies.pull(self, state, thing)
                self.busy.pop()
        return found

    def closure(self, node: Function, state: State) -> Value:
        """The function object of a nested `def` or lambda; defaults are evaluated now."""
        defaults = NOTHING
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            defaults |= self.value(default, state)
        self._remember(node, defaults)
        return frozenset({Closure(id(node))})

    def _remember(self, node: Function | ast.GeneratorExp, held: Value) -> None:
        """One text may make many closures: what any of them holds, each may."""
        known_as = self.closures.get(id(node))
        self.closures[id(node)] = (node, self.scope, held | known_as[2] if known_as else held)

    def attribute(self, state: State, base: Value, name: str) -> Value:
        """`base.name`, read and not called."""
        found: set[Object] = set()
        for thing in base:
            if thing is RECEIVER and name == "__class__":
                found.add(CLASS)
            elif thing is RECEIVER and known.is_message(name):
                found.add(Bound(name, frozenset({RECEIVER})))
            elif thing is RECEIVER:
                found.add(STATE)
            elif known.is_method(name) and (state.is_state(thing) or isinstance(thing, Foreign)):
                # A list's or dict's `get` is its method, and a slot of that name on another object is read as a copy.
                continue
            elif thing is STATE or thing in state.owned:
                found.add(STATE)
            elif isinstance(thing, Foreign) or thing is CLASS:
                found.add(thing)
            elif isinstance(thing, Outside):
                found.add(Outside(f"{thing.path}.{name}"))
            elif name == "args":
                # Of an exception: what it was made of.
                found.add(thing)
        if name == "args" and not base:
            found.add(Foreign("args"))
        if name in known.MUTATORS:
            found.add(Bound(name, base))
        elif name in known.METHODS or name.startswith("__"):
            own = base - {RECEIVER}
            if own or not base:
                found.add(Bound(name, own))
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
            if thing == _GETATTR and len(node.args) > 1 and isinstance(name := known.literal(node.args[1]), str):
                found |= self.attribute(state, arguments.placed[0], name).union(*arguments.placed[2:])
            else:
                found |= self.invoke(state, thing, arguments, node)
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

    def invoke(self, state: State, thing: Object, arguments: Arguments, node: ast.AST) -> Value:
        """Call one object."""
        match thing:
            case Closure():
                return closures.follow(self, state, thing, arguments)
            case GeneratorObject() | Lazy():
                return self.items(state, frozenset({thing}))
            case Bound():
                if thing in self.busy:
                    # A callback that is handed to itself changes nothing more.
                    return NOTHING
                self.busy.append(thing)
                found = outside.method(self, state, thing.name, thing.base, arguments=arguments, node=node)
                self.busy.pop()
                return found
            case Outside():
                return outside.call(self, state, thing.path, arguments, node)
            case _:
                return outside.hand_over(self, state, arguments, node)
