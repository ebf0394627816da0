"""The labelled sets that the guardian is measured on, and the peers that judge them beside it.

The corpus lies beside the checkout (`../shared/corpus`) where there is one; otherwise the page of the rules serves as a
small one: each rule's refused and accepted example.
"""

from __future__ import annotations

import ast
import json
import warnings
from pathlib import Path
from typing import Any, Final

from RestrictedPython.compile import compile_restricted

from actors.guardian.command import rules

FOLDER: Final = Path(__file__).parents[3] / "shared" / "corpus"
QUOTED: Final = {"bad accepted": 104 / 144, "good rejected": 25 / 106, "benign refused": 15 / 214}
"""The seed's guardian as written, as FACTS.md has it, on the whole of the sets: its text is not here to be run."""
QUOTED_NATIVE: Final = {"rlimits and nobody (quoted, of 24)": 13 / 24, "without seccomp (quoted, of 24)": 8 / 24}

Row = dict[str, Any]


def rows(name: str) -> list[Row]:
    """One of `covenant`, `escapes`, `benign`."""
    path = FOLDER / f"{name}.jsonl"
    if path.exists():
        return [json.loads(line) for line in path.read_text().splitlines()]
    return _own(name)


def place() -> str:
    return "../shared/corpus" if FOLDER.exists() else "the examples of docs/rules.md"


def _own(name: str) -> list[Row]:
    found = rules.rules()
    match name:
        case "covenant":
            bad = [
                {"id": rule.id, "code": rule.refused, "label": "reject", "policy": None} for rule in found["Covenant"]
            ]
            good = [
                {"id": f"{rule.id}+", "code": rule.accepted, "label": "accept", "policy": None}
                for rule in found["Covenant"]
            ]
            return bad + good
        case "escapes":
            static = [*found["Bounds"], *found["Policy"]]
            return [
                *(
                    {"id": rule.id, "code": rule.refused, "must": "reject_static", "scope": "generic"}
                    for rule in static
                ),
                *({"id": f"abuse {n}", "code": code, "must": "contain_at_runtime"} for n, code in enumerate(_ABUSES)),
            ]
        case _:
            every = [rule for gate, one in found.items() if gate != "Trial" for rule in one]
            return [{"id": rule.id, "code": rule.accepted, "needs_import": False} for rule in every]


_ABUSES: Final = (
    "def m(self):\n    while True:\n        pass\n",
    "def m(self):\n    return 'a' * (10 ** 10)\n",
    "def m(self):\n    return sum(range(10 ** 12))\n",
    "def m(self):\n    def f(n):\n        return f(n + 1)\n    return f(0)\n",
    "def m(self):\n    return ['y' * 1000000] * 50\n",
)


def last_statement(source: str) -> bool:
    """The literal rule: what sets something of `self` has the signal as its very last statement."""
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    functions = [node for node in module.body if isinstance(node, ast.FunctionDef)]
    return bool(functions) and all(_signals_last(function) or not _sets(function) for function in functions)


def _sets(function: ast.FunctionDef) -> bool:
    stores = (
        node
        for node in ast.walk(function)
        if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load)
    )
    return any(isinstance(part, ast.Name) and part.id == "self" for node in stores for part in ast.walk(node))


def _signals_last(function: ast.FunctionDef) -> bool:
    match function.body[-1]:
        case ast.Assign(targets=[ast.Attribute(attr="_p_changed")], value=ast.Constant(value=True)):
            return True
        case _:
            return False


def restricted(source: str) -> bool:
    """Whether RestrictedPython, as it comes, compiles `source`. (Only for what cannot hurt a parser.)"""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile_restricted(source, "<method>", "exec")
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return False
    return True
