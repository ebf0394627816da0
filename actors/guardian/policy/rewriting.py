"""The pieces of code that the policy puts into a method: calls of the runtime (`actors.guardian.runtime.run`)."""

from __future__ import annotations

import ast


def in_item(node: ast.AugAssign, function: str) -> list[ast.stmt]:
    """`a[i] += b` with `function`; `a` and `i` are evaluated once, and first, as Python does."""
    assert isinstance(node.target, ast.Subscript)
    base, index = node.target.value, node.target.slice
    node.target.value, node.target.slice = ast.Name("_base_", ast.Load()), ast.Name("_index_", ast.Load())
    old = ast.Subscript(ast.Name("_base_", ast.Load()), ast.Name("_index_", ast.Load()), ast.Load())
    made: list[ast.stmt] = [
        ast.Assign(targets=[ast.Name("_base_", ast.Store())], value=base),
        ast.Assign(targets=[ast.Name("_index_", ast.Store())], value=index),
        ast.Assign(targets=[node.target], value=call(function, old, node.value)),
    ]
    return [ast.copy_location(one, node) for one in made]


def call(name: str, *args: ast.expr) -> ast.Call:
    return ast.Call(func=ast.Name(name, ast.Load()), args=list(args), keywords=[])


def guard(before: ast.stmt) -> ast.stmt:
    return ast.copy_location(ast.Expr(call("_guard_")), before)


def shown(value: ast.expr) -> ast.expr:
    if isinstance(value, ast.Constant):
        return value
    return ast.copy_location(call("_shown_", value), value)
