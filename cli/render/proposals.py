"""Methods that wait for their user's word, as text at 80 columns: what was written, what it did, and how to say yes or no."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

from cli import wire
from cli.render.hand import table
from cli.render.learned import WIDTH, doubt, outcome
from cli.render.render import HASH, attempts
from cli.render.thought import by
from cli.values import printable
from protocol.codec import convert
from protocol.home import Home
from protocol.messages import Accepted, Doubt, MethodMade, Proposal, ProposalsReply, Rejected

SHOWN_ID: Final = 8
"""Characters of an id in a list; more where two begin alike."""


def asked(home: Home, method: MethodMade | None, proposal: str) -> str:
    """That a method waits, with its source, and both answers as they are typed."""
    lines: list[str] = []
    if method is not None:
        tries = f"{attempts(method.attempts)}, " if method.attempts else ""
        lines.append(f"{method.selector} waits for your word ({tries}{method.sha256[:HASH]}):")
        lines += [f"    {line}" for line in printable(method.source.rstrip("\n")).split("\n")]
    return "\n".join([*lines, *answers(home, proposal)])


def answers(home: Home, proposal: str) -> list[str]:
    """The commands that settle a proposal."""
    return [
        f"install it: {wire.command(home, 'accept', proposal)}",
        f"or do not:  {wire.command(home, 'reject', proposal)} --because TEXT",
    ]


def listed(found: ProposalsReply) -> str:
    """One line each."""
    if not found.proposals:
        return "nothing waits for your word"
    length = _telling([one.id for one in found.proposals])
    rows = [
        [
            f"{one.name}.{one.selector}",
            one.id[:length],
            "replaces one" if one.replaces else "",
            _count(len(one.doubts)),
            "the world has moved" if one.moved else "",
            printable(by(one.asked_by).removesuffix(": ")),
            _ago(one.age_s),
        ]
        for one in found.proposals
    ]
    more = [] if found.next is None else [f"… there is more: --after {found.next}"]
    return "\n".join([*table(rows), *more, "show one: batos proposals ID"])


def whole(home: Home, one: Proposal) -> str:
    """All that is known of one."""
    lines = [printable(f"{one.id}  {one.name}.{one.selector}  {_ago(one.age_s)}, mandate {one.mandate}")]
    if one.settled is not None:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.settled))
        lines.append(printable(f"{one.state} by {one.by}, {when}" + (f": {one.because}" if one.because else "")))
    if asked := by(one.asked_by):
        lines.append(printable(f"asked for {asked.removesuffix(': ')}"))
    lines += [f"# {line}" for line in printable(one.intent).splitlines()]
    lines += printable((one.diff or one.source).rstrip("\n")).split("\n")
    if one.result is not None:
        lines.append(f"the message itself: {outcome(one.result)}")
    if one.cases:
        passed = len([case for case in one.cases if case["passed"]])
        lines.append(f"examples held: {passed} of {len(one.cases)}")
    if one.drops:
        lines.append(f"examples that would be owed no more: {len(one.drops)}")
    doubts: Sequence[Any] = one.doubts
    lines += [f"in doubt: {doubt(convert(each, Doubt), one.parameters)}" for each in doubts]
    if one.origin:
        lines.append(f"taken from {one.origin}")
    if one.moved and one.settled is None:
        lines.append("the world has moved since: it is tried again when it is accepted")
    told = [line if len(line) <= WIDTH else line[: WIDTH - 1] + "…" for line in lines]
    return "\n".join([*told, *(answers(home, one.id) if one.settled is None else [])])


def accepted(made: Accepted) -> str:
    moved = ", tried again in a world that has moved" if made.moved else ""
    return printable(f"{made.name}.{made.selector} is installed ({made.sha256[:HASH]}{moved})")


def rejected(gone: Rejected) -> str:
    told = "; the next attempt is told why" if gone.because else ""
    return printable(f"{gone.name}.{gone.selector} is rejected ({gone.sha256[:HASH]}){told}")


def _telling(ids: Sequence[str]) -> int:
    """So many characters tell all of these apart."""
    return next(n for n in range(SHOWN_ID, 65) if len({one[:n] for one in ids}) == len(ids) or n == 64)


def _count(doubts: int) -> str:
    return "" if not doubts else "1 doubt" if doubts == 1 else f"{doubts} doubts"


def _ago(seconds: float) -> str:
    for size, name in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {name} ago"
    return f"{seconds:.0f} s ago"
