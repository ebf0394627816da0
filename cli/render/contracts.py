"""What became of contracts, as text at 80 columns: one line for each method that breaks its own, as tests end."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from cli.console import paint
from cli.render import learned
from cli.values import printable
from protocol.examples import read_example
from protocol.messages import Checked, CheckedMethod, CheckProgress, Confirmed, Example

WIDTH: Final = 80


def progress(found: CheckProgress) -> str:
    broken = f", {found.broken} broken" if found.broken else ""
    return f"{found.done} of {_count(found.total, 'contract')}{broken}"


def checked(found: Checked) -> str:
    """The broken ones, each with its first broken example, and what was tried in all."""
    lines = [_broken(method) for method in found.methods if method.failed]
    number = sum(1 for method in found.methods if method.failed)
    told = f"{_count(found.contracts, 'contract')}, {_count(found.examples, 'example')}, {found.seconds:.1f} s"
    without = f"; {_count(found.without, 'method')} without a contract" if found.without else ""
    verdict = paint(f"{number} broken", "red", sys.stdout) if number else paint("all hold", "green", sys.stdout)
    return "\n".join([*lines, f"{verdict} of {told}{without}" if number else f"{verdict}: {told}{without}"])


def confirmed(made: Confirmed) -> str:
    told = learned.example(read_example(made.example))
    what = f"{made.name}.{made.selector}"
    if made.tid is None:
        return f"{what} owes that already: nothing has changed"
    return f"{what} owes {_count(made.examples, 'example')} now, this one too:\n  {told}"


def replaced(found: Sequence[Example]) -> str:
    """The examples that a correction has taken away; "" for none."""
    return (
        "\n".join(["the contract says no longer:", *(f"  {learned.example(each)}" for each in found)]) if found else ""
    )


def _broken(method: CheckedMethod) -> str:
    first = method.cases[0]
    more = f" (and {len(method.cases) - 1} more)" if len(method.cases) > 1 else ""
    line = printable(f"{method.name}.{method.selector}  example {first.number}: {first.message.partition(': ')[2]}")
    room = WIDTH - len(more)
    return (line if len(line) <= room else line[: room - 1] + "…") + more


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
