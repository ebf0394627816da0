"""Parsing, inside the jail: text that passed the bounds becomes a syntax tree of bounded depth, or a violation.

For the words of a syntax error Python's parser and compiler read the line at fault from the file that they are told
the source is from; in the jail the mere attempt to open one is deadly. So they are told a name that no file can have.
What only the compiler refuses (`return` outside of a function, an argument twice) is no Python either, and is asked
for here, before the gates rewrite the tree.
"""

from __future__ import annotations

import ast
import re
import unicodedata
import warnings
from collections.abc import Iterator
from typing import Final

from actors.guardian.policy import bounds
from protocol.messages import Violation

_NO_FILE: Final = "<method>\ud800"
"""A lone surrogate has no bytes in any file system, so this is never asked of the system."""
_RUN: Final = re.compile(r"(?:\w|[^\x00-\x7f])+")


def parse(source: str) -> ast.Module | Violation:
    """The tree of `source`, or the one reason why there is none. Call it in a process that may die of it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = ast.parse(source, _NO_FILE)
            if not _shallow(module):
                message = f"{bounds.RULES['BND003']}: more than {bounds.MAX_DEPTH} levels"
                return Violation(rule="BND003", line=0, message=message)
            compile(module, _NO_FILE, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        return bounds.unparsed(error)
    return _disguised(source, module) or module


def _shallow(module: ast.Module) -> bool:
    level: list[ast.AST] = [module]
    for _ in range(bounds.MAX_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return True
    return False


def _disguised(source: str, module: ast.Module) -> Violation | None:
    """A name within an f-string that reads as another: to the bounds, all of an f-string is text."""
    if source.isascii():
        return None
    odd = (run for run in _RUN.findall(source) if bounds.plain_name(run) != run)
    runs = {unicodedata.normalize("NFKC", run): run for run in odd}
    for node in ast.walk(module):
        if isinstance(node, ast.JoinedStr):
            for name in _names(node):
                if name in runs:
                    return bounds.disguised(node.lineno, runs[name])
    return None


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        for field in ("id", "attr", "arg"):
            name = getattr(node, field, None)
            if isinstance(name, str):
                yield name
