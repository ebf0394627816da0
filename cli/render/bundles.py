"""Bundles as a person sees them: what was packed, and a line for each method that was judged."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cli.bundles.exchange import Taken, Written
from cli.console import paint
from cli.render.render import HASH
from cli.values import printable
from protocol.messages import ImportedMethod


def written(made: Written) -> str:
    lines = [f"{printable(made.file)}: {_count(len(made.objects), 'object')}, {_count(made.methods, 'method')}"]
    if made.along:
        lines.append(f"  along with what was asked for: {', '.join(made.along)}")
    if made.experts:
        lines.append(f"  experts: {', '.join(made.experts)}")
    return "\n".join(lines)


def taken(made: Taken) -> str:
    lines = [f"{each.name} is here: {each.oid}" for each in made.objects]
    lines += [f"the expert {name} is here" for name in made.experts]
    return "\n".join([*lines, f"{_count(len(made.methods), 'method')} judged, tried and taken in"])


def verdicts(found: Sequence[ImportedMethod]) -> str:
    """A line for each method, and what is wrong with it below."""
    return "\n".join(line for one in found for line in _verdict(one))


def _verdict(one: ImportedMethod) -> list[str]:
    word = paint(one.verdict, "green" if one.verdict == "accept" else "red", sys.stderr)
    held = f", {_count(one.cases, 'example')} held" if one.cases else ""
    head = f"  {word}  {one.name}.{one.selector}  {one.sha256[:HASH]}{held}"
    told = [f"{f'line {each.line}: ' if each.line else ''}{each.rule} {each.message}" for each in one.violations]
    return [head, *(printable(f"          {each}") for each in told)]


def _count(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {what}s"
