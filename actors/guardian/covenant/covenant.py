"""Gate 3, the covenant: no way that changes the receiver leaves the method without the signal after its last change.

The signal is the statement `self._p_changed = True`: it tells the store that the object is to be written. A method that
changes state and does not say so suffers amnesia, and the objects of this world live for years. So every method is
followed along all its ways, branches, loops that may turn zero times, handlers entered from any point, `finally` on
every exit, swallowing `with` blocks, closures and callbacks, and at each normal exit it must be clean.

What counts as a change: setting, deleting or augmenting an attribute of the receiver, or an item of anything that may
be part of its state, or calling a mutating method of such a thing, by whatever name it goes (`actors.guardian.covenant.knowledge.aliasing`).
A send is no change: the method that answers it has its own signal. An exception that leaves the method undoes all of it.
What cannot be decided is refused.

Standard library only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from actors.guardian.covenant import conditions, loops, patterns, targets
from actors.guardian.covenant.knowledge import failing, known
from actors.guardian.covenant.knowledge.aliasing import State, TooComplexError, joined
from actors.guardian.covenant.knowledge.objects import CLASS, NOTHING, RECEIVER, STATE, Foreign, Object, Outside, Value
from actors.guardian.covenant.knowledge.scopes import Function, Scope, parameters
from actors.guardian.covenant.knowledge.ways import Exits, Ways, merged
from actors.guardian.covenant.reading.reading import Reader

RULES: Final[dict[str, str]] = {
    "COV001": "state change without signal",
    "COV002": "a change of another object, which answers for itself: send it a message",
    "COV003": "a change of the class, which no signal can save",
    "COV004": "suspended between a change and its signal",
    "COV005": "a closure leaves the method and would change state without signal",
    "COV006": "too complex to be decided",
}
SIGNAL: Final = "_p_changed"

Method = ast.FunctionDef | ast.AsyncFunctionDef


def check(module: ast.Module) -> list[tuple[str, int, str]]:
    """The violations in every method of `module`: rule, line, message."""
    found: dict[tuple[str, int], str] = {}
    for method in _methods(module.body):
        try:
            Walk(method, found).run()
        except TooComplexError:
            found.setdefault(("COV006", method.lineno), RULES["COV006"])
    return sorted((rule, line, text) for (rule, line), text in found.items())


def _methods(body: list[ast.stmt]) -> Iterator[Method]:
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from _methods(node.body)


class Walk:
    """One method followed along all its ways."""

    def __init__(self, method: Method, found: dict[tuple[str, int], str]) -> None:
        self._method = method
        self._found = found
        self.read = Reader(self._run_body, self._report)

    def run(self) -> None:
        method, read = self._method, self.read
        read.scope = Scope(method, None)
        read.root = read.scope.id
        nodes = list(ast.walk(method))
        read.shares = any(isinstance(node, (ast.Global, ast.Nonlocal)) for node in nodes)
        for node in nodes:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node is not method:
                read.functions.setdefault(node.name, []).append(node)
        self._carries = known.raises_things(nodes)
        self._foreign = any(isinstance(node, failing.FOREIGN) for node in nodes)
        state = State()
        for default in [*method.args.defaults, *method.args.kw_defaults]:
            read.value(default, state)
        for n, argument in enumerate(parameters(method)):
            value = _receiver(method, argument) if n == 0 else frozenset({Foreign(argument.arg)})
            read.bind(state, argument.arg, value)
        exits = Exits()
        ends = self.block(method.body, [state], exits)
        for left, line, value in exits.returns:
            self._leave(left, line, "return")
            read.escape(left, value, method, line)
        for end in ends:
            self._leave(end, 0, "end")

    def _leave(self, state: State, line: int, how: str) -> None:
        if state.dirty is None or state.dead:
            return
        lines = state.pass_by(line).dirty if line else state.dirty
        assert lines is not None
        hint = self.read.hints.get(lines[0])
        way = f"line {' → '.join([*map(str, lines), how])}"
        self._report("COV001", lines[0], f"{way} ({hint})" if hint else way)

    def _report(self, rule: str, line: int, detail: str) -> None:
        text = f"{RULES[rule]}: {detail}" if detail else RULES[rule]
        self._found.setdefault((rule, line), text)

    # Statements ------------------------------------------------------------------------------------------------

    def block(self, body: list[ast.stmt], ways: Ways, exits: Exits) -> Ways:
        """The states after `body`, none where its end is never reached."""
        for statement in body:
            if not ways:
                break
            ways = self._statement(statement, ways, exits)
        return ways

    def _statement(self, node: ast.stmt, ways: Ways, exits: Exits) -> Ways:
        for state in ways:
            self.read.step()
            if not self._certain(node, state):
                self.read.may_raise(state, failing.statement(node) if self._foreign else failing.KIND)
        match node:
            case ast.If():
                return self._if(node, ways, exits)
            case ast.While():
                return loops.while_(self, node, ways, exits)
            case ast.For() | ast.AsyncFor():
                return loops.for_(self, node, ways, exits)
            case ast.With() | ast.AsyncWith():
                return self._with(node, ways, exits)
            case ast.Try() | ast.TryStar():
                return self._try(node, ways, exits)
            case ast.Match():
                return self._match(node, ways, exits)
            case ast.ClassDef():
                # Its body runs now, and its methods whenever: a class that could change state is not followed.
                ways = self.block(node.body, ways, exits) or ways
                for inner in _methods(node.body):
                    for state in ways:
                        self.read.escape(state, self.read.closure(inner, state), node, node.lineno)
                return ways
            case ast.AugAssign():
                return merged([way for state in ways for way in targets.augment(self.read, state, node)])
            case _:
                return merged([state for state in ways if self._simple(node, state, exits)])

    def _simple(self, node: ast.stmt, state: State, exits: Exits) -> bool:
        """A statement without a body: whether the next one is reached."""
        read = self.read
        match node:
            case ast.Assign() if self._is_signal(node, state):
                state.dirty = None
            case ast.Assign():
                targets.values(read, state, node)
            case ast.AnnAssign():
                if node.value is not None:
                    value = read.value(node.value, state)
                    targets.assign(read, state, node.target, value, conditions.fact(read, state, node.value))
            case ast.Delete():
                for target in node.targets:
                    targets.delete(read, state, target)
            case ast.Expr():
                read.value(node.value, state)
                conditions.grown(read, state, node.value)
            case ast.Return():
                value = read.value(node.value, state)
                exits.returns.append((state, node.lineno, value))
                return False
            case ast.Raise():
                read.value(node.exc, state)
                read.value(node.cause, state)
                read.may_raise(state, failing.raised(read.scope, node))
                return False
            case ast.Assert():
                return self._assert(node, state)
            case ast.Break():
                exits.breaks.append(state)
                return False
            case ast.Continue():
                exits.continues.append(state)
                return False
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                value = read.closure(node, state)
                for decorator in reversed(node.decorator_list):
                    value |= read.callback(state, read.value(decorator, state), value, node)
                read.bind(state, node.name, value)
            case ast.Import() | ast.ImportFrom():
                for alias in node.names:
                    named = alias.asname or alias.name.partition(".")[0]
                    path = f"{node.module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
                    read.bind(state, named, frozenset({Outside(path)}))
            case _:
                # pass, global, nonlocal
                pass
        return True

    def _is_signal(self, node: ast.Assign, state: State) -> bool:
        """`self._p_changed = True`, on what is the receiver beyond doubt."""
        target = node.targets[0]
        return (
            len(node.targets) == 1
            and isinstance(target, ast.Attribute)
            and target.attr == SIGNAL
            and isinstance(target.value, ast.Name)
            and state.env.get(self.read.key(target.value.id)) == frozenset({RECEIVER})
            and isinstance(node.value, ast.Constant)
            and node.value.value is True
        )

    def _assert(self, node: ast.Assert, state: State) -> bool:
        read = self.read
        read.value(node.test, state)
        failed = state.copy()
        if conditions.assume(read, failed, node.test, value=False):
            read.value(node.msg, failed)
            read.may_raise(failed, frozenset({"AssertionError"}))
        return conditions.assume(read, state, node.test, value=True)

    def branch(self, test: ast.expr, ways: Ways, line: int) -> tuple[Ways, Ways]:
        """Where `test` is true, and where it is false."""
        read = self.read
        yes: Ways = []
        no: Ways = []
        for state in ways:
            read.value(test, state)
            read.may_raise(state, failing.KIND)
            for value, found in ((True, yes), (False, no)):
                way = state.copy()
                if conditions.assume(read, way, test, value=value):
                    found.append(way.pass_by(line))
        return merged(yes), merged(no)

    def _if(self, node: ast.If, ways: Ways, exits: Exits) -> Ways:
        yes, no = self.branch(node.test, ways, node.lineno)
        return merged([*self.block(node.body, yes, exits), *self.block(node.orelse, no, exits)])

    def _with(self, node: ast.With | ast.AsyncWith, ways: Ways, exits: Exits) -> Ways:
        read = self.read
        for item in node.items:
            for state in ways:
                value = read.value(item.context_expr, state)
                if isinstance(node, ast.AsyncWith):
                    read.suspend(state, node.lineno)
                if item.optional_vars is not None:
                    targets.assign(read, state, item.optional_vars, value)
        outer, read.raises = read.raises, []
        ways = self.block(node.body, ways, exits)
        for state in ways:
            # Leaving the block runs code of the context manager.
            read.may_raise(state)
        swallowed, read.raises = read.raises, outer
        if outer is not None:
            outer.extend(swallowed)
        # A context manager may swallow what was raised in its block: then the method goes on after it.
        return merged([*(state for state, _ in swallowed), *ways])

    def _try(self, node: ast.Try | ast.TryStar, ways: Ways, exits: Exits) -> Ways:
        read = self.read
        outer, read.raises = read.raises, []
        inner = Exits() if node.finalbody else exits
        end = self.block(node.body, ways, inner)
        raised = failing.together(read.raises)
        # From here on what is raised is not caught here any more.
        read.raises = [(state.copy(), kinds) for state, kinds in raised]
        ends = self.block(node.orelse, end, inner)
        for handler in node.handlers:
            entered = [state.pass_by(handler.lineno) for state in failing.caught(read.scope, node, handler, raised)]
            for state in entered:
                read.value(handler.type, state)
                if handler.name:
                    # An exception may carry a part of the state to its handler.
                    carried = frozenset({STATE}) if self._carries else NOTHING
                    read.bind(state, handler.name, carried)
            left = self.block(handler.body, entered, inner)
            for state in left:
                if handler.name:
                    read.unbind(state, handler.name)
            ends = [*ends, *left]
        uncaught, read.raises = read.raises, outer
        after = merged(ends)
        if node.finalbody:
            after = self._finally(node.finalbody, after, inner, uncaught, exits)
        elif outer is not None:
            outer.extend(uncaught)
        return after

    def _finally(self, body: list[ast.stmt], after: Ways, inner: Exits, uncaught: failing.Raised, exits: Exits) -> Ways:
        """`finally` stands on every way out; one that leaves by itself overrides the way that it stands on."""
        for source, target in ((inner.breaks, exits.breaks), (inner.continues, exits.continues)):
            target.extend(self.block(body, merged(source), exits))
        for state, line, value in inner.returns:
            left = self.block(body, [state.copy()], exits)
            exits.returns.extend((one, line, value) for one in left)
        left = self.block(body, merged(state for state, _ in uncaught), exits)
        if self.read.raises is not None:
            kinds = [kinds for _, kinds in uncaught]
            every = None if None in kinds else frozenset[str]().union(*(some for some in kinds if some))
            self.read.raises.extend((state, every) for state in left)
        return self.block(body, after, exits)

    def _match(self, node: ast.Match, ways: Ways, exits: Exits) -> Ways:
        found: list[State] = []
        subjects = [(state, self.read.value(node.subject, state)) for state in ways]
        for case in node.cases:
            taken, left = [], []
            for state, subject in subjects:
                yes, no = patterns.meet(self.read, state, node.subject, subject, case)
                taken += yes
                left += [(state, conditions.again(self.read, state, node.subject, subject)) for state in no]
            found += self.block(case.body, merged(taken), exits)
            subjects = left
        return merged([*found, *(state for state, _ in subjects)])

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
            isinstance(part, ast.Constant) or (isinstance(part, ast.Name) and self.read.has(state, part.id))
            for part in parts
        )

    # Closures --------------------------------------------------------------------------------------------------

    def _run_body(self, function: Function, state: State) -> Value:
        """A closure is called: follow its body on the caller's state. Its value is what it returns."""
        if isinstance(function, ast.Lambda):
            return self.read.value(function.body, state)
        exits = Exits()
        ways = self.block(function.body, [state.copy()], exits)
        meeting = joined([*(left for left, _, _ in exits.returns), *ways])
        if meeting is not None:
            state.become(meeting)
        return frozenset[Object]().union(*(value for _, _, value in exits.returns))


def _receiver(method: Method, argument: ast.arg) -> Value:
    """What the first parameter is: the receiver, but for static and class methods, and for `*args`."""
    decorators = {name.id for name in method.decorator_list if isinstance(name, ast.Name)}
    if "staticmethod" in decorators or argument is method.args.vararg:
        return frozenset({Foreign(argument.arg)})
    return frozenset({CLASS if "classmethod" in decorators else RECEIVER})
