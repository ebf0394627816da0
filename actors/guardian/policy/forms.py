"""Forms of the page that the policy asks for: what a node binds, and what it allows in itself and nowhere else."""

from __future__ import annotations

import ast
import string
from typing import Final

from actors.guardian.policy import bounds
from protocol import names

ATTRIBUTE_FUNCTIONS: Final = frozenset({"getattr", "hasattr"})


def is_signal(node: ast.AST) -> bool:
    """Whether `node` is the canonical statement `self._p_changed = True`."""
    return (
        isinstance(node, ast.Assign)
        and len(node.targets) == 1
        and isinstance(target := node.targets[0], ast.Attribute)
        and target.attr == names.SIGNAL
        and isinstance(target.value, ast.Name)
        and target.value.id == "self"
        and isinstance(node.value, ast.Constant)
        and node.value.value is True
    )


def plain_format(template: str) -> bool:
    """Whether every field of the format string `template` is a plain one: no attribute, no item, none nested."""
    try:
        for _, field, spec, _ in string.Formatter().parse(template):
            if field is not None and (any(c in field for c in ".[") or "{" in (spec or "")):
                return False
    except ValueError:
        return False
    return True


def _plain_name(text: str) -> bool:
    return text.isidentifier() and bounds.plain_name(text) == text


def notes(node: ast.AST) -> list[ast.expr]:
    """The annotations of `node`."""
    match node:
        case ast.arg(annotation=ast.expr() as note) | ast.AnnAssign(annotation=ast.expr() as note):
            return [note]
        case ast.FunctionDef(returns=ast.expr() as note):
            return [note]
        case _:
            return []


def receiver(function: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.arg | None:
    """The first parameter, if it is `self`."""
    first = next(iter([*function.args.posonlyargs, *function.args.args]), None)
    return first if first is not None and first.arg == "self" else None


def literal_name(node: ast.Call) -> str | None:
    """The name that `getattr` or `hasattr` is called with, if it is a literal."""
    match node:
        case ast.Call(func=ast.Name(id=function), args=[_, ast.Constant(value=str(name)), *_]):
            return name if function in ATTRIBUTE_FUNCTIONS and _plain_name(name) else None
        case _:
            return None


def is_plain(node: ast.Call) -> bool:
    """Whether what `node` calls may be called in this form, and in no other."""
    match node.func:
        case ast.Attribute(value=ast.Constant(value=str(template)), attr="format"):
            return plain_format(template)
        case _:
            return literal_name(node) is not None


def bound(node: ast.AST) -> list[str]:
    """The names that `node` itself binds."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return [name]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
            return [name]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return [name]
        case ast.MatchMapping(rest=str(name)):
            return [name]
        case ast.alias(name=name, asname=other):
            return [other or name.partition(".")[0]]
        case _:
            return []
