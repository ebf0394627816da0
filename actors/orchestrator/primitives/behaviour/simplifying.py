"""Methods that are a little less than another one: what mutation testing puts in a method's place to see what its examples hold.

Where less of a method holds the examples as well, they do not say that the rest is meant; nor that a number is meant, where a
slot or an argument that happens to be that number would do. Only such exchanges are tried: to put one comparison in the place of
its neighbour would leave almost every right method in doubt.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

MOST: Final = 40
_SIMPLE: Final = (0, 1)
"""What stands for any other integer."""


def simpler(source: str, same: Mapping[str, Sequence[str]] | None = None) -> list[str]:
    """Methods that have one part of `source` less, or in the place of a literal an integer that is simpler or what could be meant
    by it; at most `MOST`, each once, none like it.

    `source` is one function, as the gates let it pass. `same` has by a literal, as `repr` writes it, the expressions that have its
    value in an example.
    """
    [function] = ast.parse(source).body
    itself = ast.unparse(function)
    found: dict[str, None] = {}
    nodes = list(ast.walk(function))
    # The words of an f-string stand in it bare, and no expression can take their place there.
    words = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for place, node in enumerate(nodes):
        if id(node) in words:
            continue
        for number, _ in enumerate(_less(node, same or {})):
            text = ast.unparse(_Put(function, place, number, same or {}).done)
            if text != itself:
                found[text + "\n"] = None
            if len(found) == MOST:
                return list(found)
    return list(found)


def _less(node: ast.AST, same: Mapping[str, Sequence[str]]) -> Iterator[ast.AST | list[ast.stmt]]:
    """What can stand in the place of `node`."""
    match node:
        case ast.BinOp(left=left, right=right):
            yield from (left, right)
        case ast.BoolOp(values=values):
            yield from values
        case ast.IfExp(body=body, orelse=orelse):
            yield from (body, orelse)
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.Call(func=function, args=args):
            yield from (argument for argument in args if not isinstance(argument, ast.Starred))
            if isinstance(function, ast.Attribute):
                yield function.value
        case ast.Subscript(value=value, ctx=ast.Load()):
            yield value
        case ast.comprehension(target=target, iter=iterated, ifs=[_, *_]):
            yield ast.comprehension(target, iterated, [], 0)
        case ast.JoinedStr(values=parts):
            for n, part in enumerate(parts):
                for meant in same.get(repr(part.value), ()) if isinstance(part, ast.Constant) else ():
                    said = ast.FormattedValue(ast.parse(meant, mode="eval").body, conversion=-1)
                    yield ast.JoinedStr([*parts[:n], said, *parts[n + 1 :]])
        case ast.Assign() | ast.AugAssign() | ast.Expr():
            yield ast.Pass()
        case ast.Constant(value=value):
            yield from (ast.parse(meant, mode="eval").body for meant in same.get(repr(value), ()))
            if isinstance(value, int) and not isinstance(value, bool):
                yield from (ast.Constant(number) for number in _SIMPLE if number != value)
        case ast.If(body=body, orelse=orelse):
            yield body
            yield orelse or [ast.Pass()]


class _Put(ast.NodeTransformer):
    """A copy of `function` in which the node at `place`, in the order of `ast.walk`, is the one of its lesser ones with this `number`."""

    def __init__(self, function: ast.AST, place: int, number: int, same: Mapping[str, Sequence[str]]) -> None:
        self.done = copy.deepcopy(function)
        self._target = list(ast.walk(self.done))[place]
        self._instead = list(_less(self._target, same))[number]
        self.visit(self.done)  # in place: the function itself is never exchanged

    def visit(self, node: ast.AST) -> ast.AST | list[ast.stmt]:
        if node is self._target:
            return self._instead
        return super().visit(node)  # type: ignore[no-any-return]
