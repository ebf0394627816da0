"""What a person has written into the world, and lists of what there is, as text at 80 columns."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cli.render.render import HASH
from cli.values import printable
from protocol.messages import (
    Defined,
    Dropped,
    Listed,
    MethodVersion,
    Renamed,
    Reverted,
    SlotsSet,
    Versions,
    Violation,
)

WIDTH: Final = 80
_NOTHING: Final = {
    "objects": "no objects yet; make one: batos new box width=5",
    "methods": "no methods yet; send a message, or write one: batos define NAME FILE",
    "documents": "nothing is remembered yet: batos remember FILE",
    "experts": "no experts; import one: batos expert import PATH NAME",
    "proposals": "nothing waits for your word",
    "names": "no names",
}


def defined(made: Defined) -> str:
    if made.tid is None:
        return f"{made.name} has that already: nothing has changed"
    return "\n".join(f"{made.name}.{method.selector} is defined ({method.sha256[:HASH]})" for method in made.methods)


def slots_set(made: SlotsSet) -> str:
    return (
        f"{made.name}: {', '.join(made.slots)} set"
        if made.slots
        else f"{made.name} has that already: nothing has changed"
    )


def dropped(gone: Dropped) -> str:
    if gone.entry is None:
        return f"nothing is called {gone.name} any more (it was {gone.oid})"
    return f"{gone.name}.{gone.entry} is dropped"


def renamed(made: Renamed) -> str:
    return f"{made.before} is called {made.name} now" if made.tid else f"it is called {made.name} already"


def reverted(made: Reverted) -> str:
    version = f"{made.name}.{made.selector}" + (f" ({made.sha256[:HASH]})" if made.sha256 else "")
    return f"{version} stands again" if made.tid else f"{version} stands already: nothing has changed"


def refused(file: str, found: Sequence[Violation]) -> str:
    """Each broken rule, as compilers say it."""
    return "\n".join(printable(f"{file}:{one.line}: {one.rule} {one.message}") for one in found)


def listed(found: Listed) -> str:
    """One line for each item, and how to go on where there are more."""
    if not found.items:
        return _NOTHING[found.kind]
    rows = [_row(found.kind, item) for item in found.items]
    more = [] if found.next is None else [f"… there is more: batos ls {found.kind} --after {found.next}"]
    return "\n".join([*table(rows), *more])


def versions(found: Versions) -> str:
    """The newest first, each with its reason below it where it has one."""
    if not found.versions:
        return f"{found.holder} has and had no methods"
    inherited = [] if found.holder == found.name else [f"{found.name} has it from {found.holder}"]
    lines = [line for one in found.versions for line in _version(one)]
    more = [] if found.next is None else [f"… there is more: --after {found.next}"]
    return "\n".join([*inherited, *lines, *more])


def _version(one: MethodVersion) -> list[str]:
    mark = "*" if one.stands else " "
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.time))
    sha256 = one.sha256[:HASH] if one.sha256 else one.verdict
    asked = f" for {one.asked_by}" if one.asked_by and one.asked_by != one.author else ""
    told = printable(f"{mark} {when}  {sha256:<{HASH}}  {one.selector}  {one.author}{asked}")
    return [_cut(told), *([_cut(f"      {printable(_line(one.why))}")] if one.why else [])]


def _row(kind: str, item: Mapping[str, Any]) -> list[str]:
    match kind:
        case "objects":
            counts = [_count(item["slots"], "slot"), _count(item["methods"], "method")]
            return [item["name"], *counts, "from " + ", ".join(item["parents"]) if item["parents"] else ""]
        case "methods":
            call = f"{item['name']}.{item['selector']}({', '.join(item['parameters'])})"
            return [call, (item["sha256"] or "primitive")[:HASH], item["author"], _line(item["intent"])]
        case "documents":
            return [item["doc_id"], _count(item["chunks"], "passage")]
        case "experts":
            return [item["name"], str(item["sha256"] or "")[:HASH], f"{item['bytes'] or 0:,} bytes"]
        case "proposals":
            replaced = "replaces one" if item["replaces"] else ""
            return [f"{item['name']}.{item['selector']}", item["id"], replaced, _count(item["doubts"], "doubt")]
    return [item["name"], item["oid"], item["kind"]]


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns side by side. A long first one ends in an ellipsis, so that what stands beside it is seen."""
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rest = sum(widths[1:-1]) + 2 * (len(widths) - 1) + min(widths[-1], 20)
    widths[0] = max(12, min(widths[0], WIDTH - rest))
    return [
        _cut("  ".join(_shorter(cell, width).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        for row in cells
    ]


def _shorter(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _cut(line: str) -> str:
    return _shorter(line, WIDTH)


def _line(text: str) -> str:
    return " ".join(text.split())
