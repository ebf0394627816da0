"""Lexical scopes: which function's variable a name is. Standard library only, as all of the covenant.

The covenant follows closures, and two functions may call different things by one name; so a variable is a name
together with the scope that binds it. Scope 0 is outside of the method: built-in and unknown names.
"""

from __future__ import annotations

import ast
from typing import Final

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
OUTSIDE: Final = 0
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_LASTING: Final = (*_FUNCTIONS, ast.GeneratorExp)
_COMPREHENSIONS: Final = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Scope:
    """The names that one function or comprehension binds, within the scope `outer`."""

    def __init__(self, node: ast.AST, outer: Scope | None) -> None:
        self.id = id(node)
        self.outer = outer
        self.comprehension = isinstance(node, _COMPREHENSIONS)
        self.captured = self.comprehension or (
            outer is not None and any(isinstance(part, _LASTING) and part is not node for part in ast.walk(node))
        )
        """Whether something that lasts longer than one call may hold its variables."""
        self._elsewhere: set[str] = set()
        self._bound: set[str] = set()
        if isinstance(node, _FUNCTIONS):
            self._bound |= {argument.arg for argument in parameters(node)}
            self._collect(node.body if isinstance(node.body, list) else [node.body])
        elif isinstance(node, _COMPREHENSIONS):
            for generator in node.generators:
                names = (part for part in ast.walk(generator.target) if isinstance(part, ast.Name))
                # In `for self.x in …` and `for row[i] in …` names are read, not bound.
                self._bound |= {name.id for name in names if isinstance(name.ctx, ast.Store)}
        self._bound -= self._elsewhere

    def holder(self, name: str) -> Scope | None:
        """The scope whose variable `name` is, seen from here; None outside of the method."""
        scope: Scope | None = self
        while scope is not None and name not in scope._bound:  # noqa: SLF001 - the same class
            scope = scope.outer
        return scope

    def owner(self, name: str) -> int:
        """The id of that scope."""
        scope = self.holder(name)
        return OUTSIDE if scope is None else scope.id

    def _collect(self, nodes: list[ast.stmt] | list[ast.expr]) -> None:
        todo: list[ast.AST] = list(nodes)
        while todo:
            node = todo.pop()
            if isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)):
                continue
            match node:
                case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                    self._bound.add(name)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    self._bound.add(name)
                case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                    self._bound.add(name)
                case ast.MatchMapping(rest=str(name)):
                    self._bound.add(name)
                case ast.alias(name=name, asname=other):
                    self._bound.add(other or name.partition(".")[0])
                case ast.Global(names=found) | ast.Nonlocal(names=found):
                    self._elsewhere |= set(found)
                case _:
                    pass
            if isinstance(node, _COMPREHENSIONS):
                # Of a comprehension only its walrus names are bound here.
                walrus = (part.target.id for part in ast.walk(node) if isinstance(part, ast.NamedExpr))
                self._bound |= set(walrus)
            elif not isinstance(node, _FUNCTIONS):
                todo.extend(ast.iter_child_nodes(node))


def parameters(node: Function) -> list[ast.arg]:
    """All parameters, in order: positional, *args, keyword only, **kwargs."""
    a = node.args
    extra = ([a.vararg] if a.vararg else []), ([a.kwarg] if a.kwarg else [])
    return [*a.posonlyargs, *a.args, *extra[0], *a.kwonlyargs, *extra[1]]
