"""What was taken back, or would be, as text at 80 columns."""

from __future__ import annotations

from typing import Final

from cli.render.past.log import changes
from cli.values import printable
from protocol.messages import Blocked, Undone

MOST: Final = 10


def undone(done: Undone, *, dry_run: bool) -> str:
    """What becomes of which objects; then what is in the way, what stands on it, what memory loses, and what stays."""
    number = len(done.undone)
    commits = f"{number} commit{'' if number == 1 else 's'}"
    said = f"this would take back {commits}" if dry_run else f"{commits} taken back, as {done.tid}"
    lines = [f"{said}:" if done.objects else said, *changes(done.objects[:MOST])]
    lines += _more(len(done.objects), "object")
    lines += [_in_the_way(one) for one in done.blocked[:MOST]] + _more(len(done.blocked), "thing in the way")
    lines += [printable(f"in use by {name}: --cascade takes that along") for name in done.depends[:MOST]]
    lines += _more(len(done.depends), "that uses it")
    if done.forgets:
        lines.append(f"memory {'would lose' if dry_run else 'loses'} {_some(done.forgets)}")
    if done.left:
        lines.append(f"what stays: {_some(done.left)}")
    return "\n".join(lines)


def _in_the_way(one: Blocked) -> str:
    by = f", by {one.by}" if one.by else ""
    slot = f".{one.slot}" if one.slot else ""
    return printable(f"in the way: {one.object}{slot}: {one.why}{by}")


def _more(number: int, what: str) -> list[str]:
    return [f"    … and {number - MOST} more {what}s"] if number > MOST else []


def _some(what: list[str]) -> str:
    more = f" and {len(what) - MOST} more" if len(what) > MOST else ""
    return printable(", ".join(what[:MOST]) + more)
