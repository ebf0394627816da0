"""Commits and differences, as text at 80 columns."""

from __future__ import annotations

import textwrap
import time
from typing import Final, TextIO

from cli.console import paint
from cli.moments import time_of
from cli.values import printable, shown
from protocol.messages import (
    ChangedObject,
    ChangedSlot,
    DiffReply,
    DocumentDiff,
    Logged,
    LoggedCommit,
    MethodDiff,
    ObjectDiff,
    SlotDiff,
)

WIDTH: Final = 80
SIGNS: Final = {"new": "+", "gone": "-", "changed": "~"}
MOST_SLOTS: Final = 12
"""Slots of an object that a line names."""
_MOST: Final = 300
"""Characters of a value."""


def logged(found: Logged) -> str:
    """Two lines and more for each commit: when, by whom, which transaction; why; and what of which objects."""
    lines = [line for one in found.commits for line in _commit(one)] or ["nothing was written"]
    if found.next is not None:
        lines.append(f"… there is more: --before {found.next}")
    if found.begins is not None:
        lines.append(
            f"… what was before {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(time_of(found.begins)))} was packed away"
        )
    return "\n".join(lines)


def changes(objects: list[ChangedObject], indent: str = "    ") -> list[str]:
    """One line, or as many as it takes, for each object: `box  +area_ ~width`."""
    return [line for one in objects for line in _wrapped(_object(one), indent)]


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _commit(one: LoggedCommit) -> list[str]:
    head = f"{_when(one.time)}  {one.by}"
    cycle = f" (cycle {one.cycle})" if one.cycle else ""
    lines = [f"{head:<{WIDTH - 18}}  {one.tid}", *_wrapped(one.why + cycle, "  ")]
    lines += changes(one.objects)
    if one.touched is not None and one.touched > len(one.objects) >= 20:
        lines.append(f"    … {one.touched - len(one.objects)} more objects: batos diff")
    return [*lines, *(f"    document {printable(doc_id)}" for doc_id in one.documents)]


def _object(one: ChangedObject) -> str:
    sign = {"new": "+", "gone": "-"}.get(one.how, " ")
    was = f" (was {one.was})" if one.was else ""
    more = f" and {len(one.slots) - MOST_SLOTS} more" if len(one.slots) > MOST_SLOTS else ""
    return f"{sign} {one.name}{was}  {' '.join(map(_slot, one.slots[:MOST_SLOTS]))}{more}".rstrip()


def _slot(one: ChangedSlot) -> str:
    return SIGNS[one.how] + one.slot


def _wrapped(text: str, indent: str) -> list[str]:
    lines = textwrap.wrap(
        " ".join(printable(text).split()),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_on_hyphens=False,
    )
    return lines or [indent.rstrip()]


def differences(found: DiffReply, stream: TextIO) -> str:
    """Objects with their slots, methods as unified diffs, and documents."""
    lines = [line for one in found.objects for line in _difference(one, found.names, stream)]
    lines += [_document(one) for one in found.documents]
    if not lines:
        lines = [f"nothing differs between {found.a} and {found.b}"]
    more = [] if found.next is None else [f"… there is more: --after {found.next}"]
    return "\n".join([*lines, *more])


def _difference(one: ObjectDiff, names: dict[str, str], stream: TextIO) -> list[str]:
    kind = "" if one.kind == "object" else f"  ({one.kind})"
    was = f"  was {one.was}" if one.was else ""
    lines = [printable(f"{SIGNS[one.how]} {one.name}{was}{kind}")]
    lines += [line for slot in one.slots for line in _slot_lines(slot, names)]
    return lines + [line for method in one.methods for line in _method_lines(method, stream)]


def _slot_lines(one: SlotDiff, names: dict[str, str]) -> list[str]:
    before, after = (printable(shown(value, names)) for value in (one.before, one.after))
    before, after = (text if len(text) <= _MOST else text[:_MOST] + "…" for text in (before, after))
    match one.how:
        case "new":
            said = f"+ {one.slot} = {after}"
        case "gone":
            said = f"- {one.slot} = {before}"
        case _:
            said = f"~ {one.slot} = {before} → {after}"
    return _wrapped(said, "    ")


def _method_lines(one: MethodDiff, stream: TextIO) -> list[str]:
    head = f"    {SIGNS[one.how]} {one.selector}" + (f"  by {one.author}" if one.author else "")
    lines = one.diff.splitlines()[2:]  # its two headers say nothing more
    return [printable(head), *(_painted(printable(line), stream) for line in lines if not line.startswith("@@"))]


def _painted(line: str, stream: TextIO) -> str:
    colour = {"+": "green", "-": "red"}.get(line[:1])
    return "      " + (paint(line, colour, stream) if colour else line)


def _document(one: DocumentDiff) -> str:
    return printable(f"{SIGNS[one.how]} document {one.doc_id}")
