"""Parsing, inside the jail: text that passed the bounds becomes a syntax tree of bounded depth, or a violation."""

from __future__ import annotations

import ast
import warnings

from actors.guardian import bounds
from protocol.messages import Violation


def parse(source: str) -> ast.Module | Violation:
    """The tree of `source`, or the one reason why there is none. Call it in a process that may die of it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = ast.parse(source, "<method>")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        return bounds.unparsed(error)
    level: list[ast.AST] = [module]
    for _ in range(bounds.MAX_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return module
    return Violation(rule="BND003", line=0, message=f"{bounds.RULES['BND003']}: more than {bounds.MAX_DEPTH} levels")
