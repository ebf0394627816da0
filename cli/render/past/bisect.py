"""What a bisection has found, as text at 80 columns."""

from __future__ import annotations

from typing import Final

from cli.render.past.lines import cut, when
from cli.render.past.log import changes
from cli.values import shown
from protocol.messages import Bisected, BisectProgress
from protocol.messages.reasons import TriedMoment

MOST: Final = 10
"""Changed slots and methods that are told one by one, and moments that could not be tried."""


def progress(found: BisectProgress) -> str:
    """One trial, on a line."""
    left = f", one of {found.left} commits" if found.left > 1 else ""
    return cut(f"{found.done} of {found.total}: {found.moment.tid} {answered(found.moment)}{left}")


def bisected(found: Bisected) -> str:
    """The commit, what the message answered on either side of it, and what the commit has changed."""
    head = f"commit {found.tid}  {when(found.time)}"
    lines = [head, f"  by       {found.author or 'nobody that is known'}"]
    lines += [f"  cycle    {found.cycle}"] if found.cycle else []
    lines += [f"  because  {found.why}"] if found.why else []
    lines.append(f"  before   it {answered(found.before)}")
    lines.append(f"  after    it {answered(found.after)}")
    lines += ["  changed", *changes(found.changed)] if found.changed else []
    if found.untried:
        number = len(found.untried)
        lines.append(
            f"  or one of the {number} commits before it, which could not be tried:"
            if number > 1
            else "  or the commit before it, which could not be tried:"
        )
        lines += [f"           {tid}" for tid in found.untried[:MOST]]
        lines += [f"           … and {number - MOST} more (--json)"] if number > MOST else []
    commits = f"1 of {found.commits} commits" if found.commits > 1 else "the only commit"
    lines.append(f"{commits}, found by {len(found.trials)} trials in {found.seconds:.1f} s; nothing was written")
    return "\n".join(cut(line) for line in lines)


def answered(moment: TriedMoment) -> str:
    """What a moment has answered."""
    if moment.as_expected is None:
        return f"cannot be tried: {moment.message}"
    return f"failed: {moment.code}: {moment.message}" if moment.code else f"answered {shown(moment.returns)}"
