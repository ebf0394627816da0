"""What a person has written into the world, as text at 80 columns."""

from __future__ import annotations

from collections.abc import Sequence

from cli.render.render import HASH
from cli.values import printable
from protocol.messages import Defined, Violation


def defined(made: Defined) -> str:
    if made.tid is None:
        return f"{made.name} has that already: nothing has changed"
    return "\n".join(f"{made.name}.{method.selector} is defined ({method.sha256[:HASH]})" for method in made.methods)


def refused(file: str, found: Sequence[Violation]) -> str:
    """Each broken rule, as compilers say it."""
    return "\n".join(printable(f"{file}:{one.line}: {one.rule} {one.message}") for one in found)
