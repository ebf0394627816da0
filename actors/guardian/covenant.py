"""Gate 3, the covenant: no way that changes the receiver leaves the method without the signal after its last change.

The signal is the statement `self._p_changed = True`: it tells the store that the object is to be written. A method that
changes state and does not say so suffers amnesia, and the objects of this world live for years. So every method is
followed along all its ways, branches, loops that may turn zero times, handlers entered from any point, `finally` on
every exit, swallowing `with` blocks, closures and callbacks, and at each normal exit it must be clean.

What counts as a change: setting, deleting or augmenting an attribute of the receiver, or an item of anything that may
be part of its state, or calling a mutating method of such a thing, by whatever name it goes (`actors.guardian.aliasing`).
A send is no change: the method that answers it has its own signal. An exception that leaves the method undoes all of it.
What cannot be decided is refused.

Standard library only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from actors.guardian import known, targets
from actors.guardian.aliasing import CLASS, NOTHING, RECEIVER, STATE, State, TooComplexError, Value, joined, parameter
from actors.guardian.reading import Reader
from actors.guardian.scopes import Function, Scope, parameters

RULES: Final[dict[str, str]] = {
    "COV001": "state change without signal",
    "COV002": "a change of another object, which answers for itself: send it a message",
    "COV003": "a change of the class, which no signal can save",
    "COV004": "suspended between a change and its signal",
    "COV005": "a closure leaves the method and would change state without signal",
    "COV006": "too complex to be decided",
}
SIGNAL: Final = "_p_changed"
_MAX_TURNS: Final = 8

Method = ast.FunctionDef | ast.AsyncFunctionDef


def check(module: ast.Module) -> list[tuple[str, int, str]]:
    """The violations in every method of `module`: rule, line, message."""
    found: dict[tuple[str, int], str] = {}
    for method in _methods(module.body):
        try:
            _Walk(method, found).run()
        except TooComplexError:
            found.setdefault(("COV006", method.lineno), RULES["COV006"])
    return sorted((rule, line, text) for (rule, line), text in found.items())


def _methods(body: list[ast.stmt]) -> Iterator[Method]:
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from _methods(node.body)


@dataclass
class _Exits:
    """The states in which a piece of code is left, by how it is left. Returns carry their line and value."""

    breaks: list[State] = field(default_factory=list)
    continues: list[State] = field(default_factory=list)
    returns: list[tuple[State, int, Value]] = field(default_factory=list)


class _Walk:
    """One method followed along all its ways."""

    def __init__(self, method: Method, found: dict[tuple[str, int], str]) -> None:
        self._method = method
        self._found = found
        self._read = Reader(self._run_body, self._report)

    def run(self) -> None:
        method, read = self._method, self._read
        read.scope = Scope(method, None)
        state = State()
        for default in [*method.args.defaults, *method.args.kw_defaults]:
            read.value(default, state)
        for n, argument in enumerate(parameters(method)):
            value = _receiver(method, argument) if n == 0 else frozenset({parameter(argument.arg)})
            read.bind(state, argument.arg, value)
        exits = _Exits()
        end = self._block(method.body, state, exits)
        for left, line, value in exits.returns:
            self._leave(left, line, "return")
            read.escape(left, value, method, line)
        if end is not None:
            self._leave(end, 0, "end")

    def _leave(self, state: State, line: int, how: str) -> None:
        if state.dirty is None:
            return
        lines = state.pass_by(line).dirty if line else state.dirty
        assert lines is not None
        self._report("COV001", lines[0], f"line {' → '.join([*map(str, lines), how])}")

    def _report(self, rule: str, line: int, detail: str) -> None:
        text = f"{RULES[rule]}: {detail}" if detail else RULES[rule]
        self._found.setdefault((rule, line), text)

    # Statements ------------------------------------------------------------------------------------------------

    def _block(self, body: list[ast.stmt], state: State | None, exits: _Exits) -> State | None:
        """The state after `body`, None where its end is never reached."""
        for statement in body:
            if state is None:
                return None
            state = self._statement(statement, state, exits)
        return state

    def _statement(self, node: ast.stmt, state: State, exits: _Exits) -> State | None:
        read = self._read
        read.step()
        if not self._certain(node, state):
            read.may_raise(state)
        match node:
            case ast.Assign() if self._is_signal(node, state):
                state.dirty = None
            case ast.Assign():
                value = read.value(node.value, state)
                for target in node.targets:
                    targets.assign(read, state, target, value)
            case ast.AnnAssign():
                if node.value is not None:
                    targets.assign(read, state, node.target, read.value(node.value, state))
            case ast.AugAssign():
                targets.augment(read, state, node)
            case ast.Delete():
                for target in node.targets:
                    targets.delete(read, state, target)
            case ast.Expr():
                value = read.value(node.value, state)
            case ast.Return():
                value = read.value(node.value, state)
                exits.returns.append((state, node.lineno, value))
                return None
            case ast.Raise():
                read.value(node.exc, state)
                read.value(node.cause, state)
                read.may_raise(state)
                return None
            case ast.Assert():
                read.value(node.test, state)
                read.may_raise(state)
            case ast.Break():
                exits.breaks.append(state)
                return None
            case ast.Continue():
                exits.continues.append(state)
                return None
            case ast.If():
                return self._if(node, state, exits)
            case ast.While():
                return self._while(node, state, exits)
            case ast.For() | ast.AsyncFor():
                return self._for(node, state, exits)
            case ast.With() | ast.AsyncWith():
                return self._with(node, state, exits)
            case ast.Try() | ast.TryStar():
                return self._try(node, state, exits)
            case ast.Match():
                return self._match(node, state, exits)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                value = read.closure(node, state)
                for decorator in reversed(node.decorator_list):
                    value |= read.apply(state, read.value(decorator, state), value, node)
                read.bind(state, node.name, value)
            case ast.ClassDef():
                # Its body runs now, and its methods whenever: a class that could change state is not followed.
                state = self._block(node.body, state, exits) or state
                for inner in _methods(node.body):
                    read.escape(state, read.closure(inner, state), node, node.lineno)
            case ast.Import() | ast.ImportFrom():
                for alias in node.names:
                    named = alias.asname or alias.name.partition(".")[0]
                    path = f"{node.module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
                    read.bind(state, named, frozenset({("outside", path)}))
            case _:
                # pass, global, nonlocal
                pass
        return state

    def _is_signal(self, node: ast.Assign, state: State) -> bool:
        """`self._p_changed = True`, on what is the receiver beyond doubt."""
        target = node.targets[0]
        return (
            len(node.targets) == 1
            and isinstance(target, ast.Attribute)
            and target.attr == SIGNAL
            and isinstance(target.value, ast.Name)
            and state.env.get(self._read.key(target.value.id)) == frozenset({RECEIVER})
            and isinstance(node.value, ast.Constant)
            and node.value.value is True
        )

    def _if(self, node: ast.If, state: State, exits: _Exits) -> State | None:
        self._read.value(node.test, state)
        self._read.may_raise(state)
        truth = _truth(node.test)
        ways = []
        if truth is not False:
            ways.append(self._block(node.body, state.copy().pass_by(node.lineno), exits))
        if truth is not True:
            ways.append(self._block(node.orelse, state.pass_by(node.lineno), exits))
        return joined(way for way in ways if way is not None)

    def _while(self, node: ast.While, state: State, exits: _Exits) -> State | None:
        truth = _truth(node.test)
        for _ in range(_MAX_TURNS):
            inner = _Exits(returns=exits.returns)
            test = state.copy().pass_by(node.lineno)
            self._read.value(node.test, test)
            self._read.may_raise(test)
            turned = self._block(node.body, test.copy(), inner) if truth is not False else None
            back = joined([*inner.continues, *([turned] if turned else [])])
            if back is None or state.knows(back):
                after = self._block(node.orelse, test, exits) if truth is not True else None
                return joined([*inner.breaks, *([after] if after else [])])
            state.absorb(back)
        raise TooComplexError

    def _for(self, node: ast.For | ast.AsyncFor, state: State, exits: _Exits) -> State | None:
        read = self._read
        source = read.value(node.iter, state)
        for _ in range(_MAX_TURNS):
            inner = _Exits(returns=exits.returns)
            # Asking for the next item may run a generator, on the last turn too.
            items = read.items(state, source)
            read.may_raise(state)
            if isinstance(node, ast.AsyncFor):
                read.suspend(state, node.lineno)
            state.pass_by(node.lineno)
            turn = state.copy()
            targets.assign(read, turn, node.target, items)
            turned = self._block(node.body, turn, inner)
            back = joined([*inner.continues, *([turned] if turned else [])])
            if back is None or state.knows(back):
                after = self._block(node.orelse, state, exits)
                return joined([*inner.breaks, *([after] if after else [])])
            state.absorb(back)
        raise TooComplexError

    def _with(self, node: ast.With | ast.AsyncWith, state: State, exits: _Exits) -> State | None:
        read = self._read
        for item in node.items:
            value = read.value(item.context_expr, state)
            if isinstance(node, ast.AsyncWith):
                read.suspend(state, node.lineno)
            if item.optional_vars is not None:
                targets.assign(read, state, item.optional_vars, value)
        outer, read.raises = read.raises, []
        end = self._block(node.body, state, exits)
        if end is not None:
            # Leaving the block runs code of the context manager.
            read.may_raise(end)
        swallowed, read.raises = read.raises, outer
        if outer is not None:
            outer.extend(swallowed)
        # A context manager may swallow what was raised in its block: then the method goes on after it.
        return joined([*swallowed, *([end] if end else [])])

    def _try(self, node: ast.Try | ast.TryStar, state: State, exits: _Exits) -> State | None:
        read = self._read
        outer, read.raises = read.raises, []
        inner = _Exits() if node.finalbody else exits
        end = self._block(node.body, state, inner)
        raised = joined(read.raises)
        # From here on what is raised is not caught here any more.
        read.raises = [raised] if raised is not None else []
        ends = [self._block(node.orelse, end, inner)]
        for handler in node.handlers:
            if raised is None:
                break
            entered = raised.copy().pass_by(handler.lineno)
            read.value(handler.type, entered)
            if handler.name:
                # An exception may carry a part of the state to its handler.
                carried = frozenset({STATE}) if known.raises_things(self._method) else NOTHING
                read.bind(entered, handler.name, carried)
            left = self._block(handler.body, entered, inner)
            if left is not None and handler.name:
                read.unbind(left, handler.name)
            ends.append(left)
        uncaught, read.raises = read.raises, outer
        after = joined(way for way in ends if way is not None)
        if node.finalbody:
            after = self._finally(node.finalbody, after, inner, uncaught, exits)
        elif outer is not None:
            outer.extend(uncaught)
        return after

    def _finally(
        self, body: list[ast.stmt], after: State | None, inner: _Exits, uncaught: list[State], exits: _Exits
    ) -> State | None:
        """`finally` stands on every way out; one that leaves by itself overrides the way that it stands on."""
        for source, target in ((inner.breaks, exits.breaks), (inner.continues, exits.continues)):
            meeting = joined(source)
            left = self._block(body, meeting, exits) if meeting else None
            if left is not None:
                target.append(left)
        for state, line, value in inner.returns:
            left = self._block(body, state.copy(), exits)
            if left is not None:
                exits.returns.append((left, line, value))
        meeting = joined(uncaught)
        left = self._block(body, meeting, exits) if meeting else None
        if left is not None and self._read.raises is not None:
            self._read.raises.append(left)
        return self._block(body, after, exits) if after is not None else None

    def _match(self, node: ast.Match, state: State, exits: _Exits) -> State | None:
        read = self._read
        subject = read.value(node.subject, state)
        parts = subject | read.items(state, subject)
        ways: list[State | None] = []
        for case in node.cases:
            taken = state.copy().pass_by(case.pattern.lineno)
            for pattern in ast.walk(case.pattern):
                if isinstance(pattern, (ast.MatchAs, ast.MatchStar)) and pattern.name:
                    whole = pattern is case.pattern
                    read.bind(taken, pattern.name, subject if whole else parts | read.items(taken, parts))
                elif isinstance(pattern, ast.MatchMapping) and pattern.rest:
                    read.bind(taken, pattern.rest, taken.make(pattern, parts))
            if case.guard is not None:
                read.value(case.guard, taken)
                state.absorb(taken)
            ways.append(self._block(case.body, taken, exits))
            if case.guard is None and _matches_all(case.pattern):
                return joined(way for way in ways if way is not None)
        return joined(way for way in [*ways, state] if way is not None)

    def _certain(self, node: ast.stmt, state: State) -> bool:
        """Whether the statement cannot raise before it has had its effect: names and constants into names and slots."""
        match node:
            case ast.Assign(targets=[ast.Name() | ast.Attribute(value=ast.Name()) as target], value=value):
                parts = [value, target.value] if isinstance(target, ast.Attribute) else [value]
            case ast.Return(value=value):
                parts = [value] if value is not None else []
            case ast.Pass() | ast.Break() | ast.Continue():
                return True
            case _:
                return False
        return all(
            isinstance(part, ast.Constant) or (isinstance(part, ast.Name) and self._read.has(state, part.id))
            for part in parts
        )

    # Closures --------------------------------------------------------------------------------------------------

    def _run_body(self, function: Function, state: State) -> Value:
        """A closure is called: follow its body on the caller's state. Its value is what it returns."""
        if isinstance(function, ast.Lambda):
            return self._read.value(function.body, state)
        exits = _Exits()
        end = self._block(function.body, state.copy(), exits)
        meeting = joined([*(left for left, _, _ in exits.returns), *([end] if end else [])])
        if meeting is not None:
            state.become(meeting)
        return frozenset[tuple[object, ...]]().union(*(value for _, _, value in exits.returns))


def _receiver(method: Method, argument: ast.arg) -> Value:
    """What the first parameter is: the receiver, but for static and class methods, and for `*args`."""
    decorators = {name.id for name in method.decorator_list if isinstance(name, ast.Name)}
    if "staticmethod" in decorators or argument is method.args.vararg:
        return frozenset({parameter(argument.arg)})
    return frozenset({CLASS if "classmethod" in decorators else RECEIVER})


def _truth(test: ast.expr) -> bool | None:
    """What a constant condition is; None for one that has to be evaluated."""
    match test:
        case ast.Constant(value=value):
            return bool(value)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            truth = _truth(operand)
            return None if truth is None else not truth
        case _:
            return None


def _matches_all(pattern: ast.pattern) -> bool:
    match pattern:
        case ast.MatchAs(pattern=None):
            return True
        case ast.MatchAs(pattern=inner) if inner is not None:
            return _matches_all(inner)
        case ast.MatchOr(patterns=patterns):
            return any(map(_matches_all, patterns))
        case _:
            return False
