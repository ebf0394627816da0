"""The covenant's reading of `match`: what a pattern captures, and what is known where it did not match.

Standard library only, as all of the covenant.
"""

from __future__ import annotations

import ast

from actors.guardian.covenant import conditions
from actors.guardian.covenant.frame import Frame
from actors.guardian.covenant.knowledge import failing
from actors.guardian.covenant.knowledge.aliasing import State
from actors.guardian.covenant.knowledge.objects import Value
from actors.guardian.covenant.knowledge.scopes import OUTSIDE


def meet(
    read: Frame, state: State, asked: ast.expr, subject: Value, case: ast.match_case
) -> tuple[list[State], list[State]]:
    """The states in which `case` takes `subject`, the value of `asked`; and those in which it does not."""
    taken, left = state.copy().pass_by(case.pattern.lineno), [state]
    kinds = _kinds(read, case.pattern)
    if kinds and isinstance(asked, ast.Name):
        conditions.of_kinds(read, taken, asked.id, kinds, value=True)
        subject = conditions.again(read, taken, asked, subject)
    parts = subject | read.items(taken, subject)
    for pattern in ast.walk(case.pattern):
        if isinstance(pattern, (ast.MatchAs, ast.MatchStar)) and pattern.name:
            whole = pattern is case.pattern
            read.bind(taken, pattern.name, subject if whole else parts | read.items(taken, parts))
        elif isinstance(pattern, ast.MatchMapping) and pattern.rest:
            read.bind(taken, pattern.rest, taken.make(pattern, parts, "dict"))
    if case.guard is None:
        if _matches_all(case.pattern):
            left = []
        elif kinds and isinstance(asked, ast.Name):
            conditions.of_kinds(read, state, asked.id, kinds, value=False)
        return [taken], left
    read.value(case.guard, taken)
    read.may_raise(taken, failing.KIND)
    passed = taken.copy()
    conditions.assume(read, taken, case.guard, value=False)
    return ([passed] if conditions.assume(read, passed, case.guard, value=True) else []), [*left, taken]


def _kinds(read: Frame, pattern: ast.pattern) -> frozenset[str]:
    """The types whose values all match `pattern`, and no others do; empty where it asks for more than a type."""
    match pattern:
        case ast.MatchClass(cls=ast.Name(id=name), patterns=[], kwd_patterns=[]):
            return frozenset({name if read.key(name)[0] == OUTSIDE else "?"})
        case ast.MatchAs(pattern=ast.pattern() as inner):
            return _kinds(read, inner)
        case ast.MatchOr(patterns=patterns):
            found = [_kinds(read, one) for one in patterns]
            return frozenset[str]().union(*found) if all(found) else frozenset()
        case _:
            return frozenset()


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
