"""What a person writes into the world: methods, slots and names, read from the words of a command line and checked.

Each is done once for its key, however often its answer is lost.
"""

from __future__ import annotations

from typing import Final

from cli import wire
from cli.calls import mandate, sending
from protocol import verbs
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Define, Defined, Violation
from protocol.texts import STDIN, bounded_text

MAX_SOURCE: Final = 1 << 19


def read_source(file: str) -> str:
    """The text of `file`, or of standard input for `-`; UNREADABLE, TOO_LARGE, or BAD_ARGUMENT where there is nothing in it."""
    text = bounded_text(
        file,
        name=shown(file),
        most=MAX_SOURCE,
        parts="Define its methods in several files.",
        convert="Save it as UTF-8.",
        code="UNREADABLE",
    )
    if not text.strip():
        raise BatosError(
            "BAD_ARGUMENT",
            f"{shown(file)} is empty",
            "Write one method or several, such as: def area_(self): return self.width * self.height",
        )
    return text


def shown(file: str) -> str:
    return "standard input" if file == STDIN else file


async def define(
    home: Home,
    name: str,
    source: str,
    *,
    drop_contract: bool = False,
    replaces: str | None = None,
    key: str | None = None,
) -> Defined:
    """The methods of `source` stand on the object `name`."""
    wanted = Define(name=mandate.check_target(name), source=source, drop_contract=drop_contract, replaces=replaces)
    return await wire.ask(home, verbs.DEFINE, wanted, key=sending.check_key(key))


def violations(error: BatosError) -> list[Violation]:
    """What the guardian has found wrong, where that is why `error` was raised."""
    methods = error.data.get("methods")
    found = [one for method in methods for one in method["violations"]] if isinstance(methods, list) else []
    return [Violation(rule=one["rule"], line=one["line"], message=one["message"]) for one in found]
