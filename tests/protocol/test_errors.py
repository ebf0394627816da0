"""The closed list of codes is the one that the tree uses."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from protocol.errors import EXIT_CODES, BatosError

ROOT = Path(__file__).parents[2]
PACKAGES = ("protocol", "bus", "world", "actors", "cli", "ops", "bench", "experts")


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "image" not in path.parts:
                yield path, ast.parse(path.read_text(), str(path))


def first_literals(call: ast.Call) -> list[str]:
    """The codes that a call's first argument can be, as far as they stand there: `"A"`, `"A" if x else "B"`."""
    if not call.args:
        return []
    return [
        node.value for node in _choices(call.args[0]) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def _choices(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.IfExp):
        return [*_choices(node.body), *_choices(node.orelse)]
    return [node]


def raised_codes() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                if name in ("BatosError", "Failure"):
                    for code in first_literals(node):
                        found.setdefault(code, set()).add(str(path.relative_to(ROOT)))
    return found


def test_every_code_that_is_raised_is_in_the_list() -> None:
    raised = raised_codes()
    assert len(raised) > 10, "the search itself must find something"
    assert {code: places for code, places in raised.items() if code not in EXIT_CODES} == {}


def test_every_code_has_an_exit_code_that_is_documented() -> None:
    assert all(code.isupper() and code.isidentifier() for code in EXIT_CODES)
    assert set(EXIT_CODES.values()) <= {1, 2, 3, 4, 5, 6, 7, 130}
    for code, exit_code in EXIT_CODES.items():
        assert BatosError(code, "x").exit_code == exit_code
    assert BatosError("FROM_A_NEWER_PEER", "x").exit_code == 1
