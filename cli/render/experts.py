"""What inference answers of experts, as text for a person."""

from __future__ import annotations

import sys
import textwrap
import time
from collections.abc import Sequence
from typing import Final

from cli.calls.experts import Expert
from cli.console import paint
from cli.render.render import table
from cli.values import printable
from protocol.messages import ExpertView

_HASH: Final = 12
_WIDTH: Final = 79


def imported(found: Expert) -> str:
    news = "is imported" if found.tid is not None else "was there already"
    lines = [f"{printable(found.name)} {news}: {_what(found)}"]
    if found.pinned and found.tier != "hot":
        lines.append(printable(found.reason))
    if found.persona is not None:
        lines.append(f"{printable(found.persona)} has taken it up")
    return "\n".join(lines)


def activated(found: Expert) -> str:
    pinned = ", pinned" if found.pinned else ""
    return f"{printable(found.name)} is {_tier(found.tier)}{pinned} ({_what(found)}, {found.seconds:.3f} s)"


def experts(found: Sequence[ExpertView]) -> str:
    if not found:
        return "no experts yet: `batos expert import PATH NAME`"
    rows = [
        (
            printable(one.name),
            one.sha256[:_HASH],
            one.tier + (", pinned" if one.pinned else ""),
            f"rank {one.rank}" + (", aLoRA" if one.invocation else ""),
            _size(one.bytes),
            "" if one.last_used is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.last_used)),
        )
        for one in found
    ]
    return "\n".join([table(("expert", "content", "tier", "rank", "size", "last used"), rows), *_reasons(found)])


def _reasons(found: Sequence[ExpertView]) -> list[str]:
    """Why some are not where they were, or are used by nobody: each reason once, for all whose reason it is."""
    whose: dict[str, list[str]] = {}
    for one in found:
        if one.reason:
            whose.setdefault(one.reason, []).append(one.name)
    return [
        textwrap.fill(
            f"{printable(', '.join(names))}: {printable(reason)}",
            width=_WIDTH,
            initial_indent="  ",
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for reason, names in whose.items()
    ]


def _what(found: Expert) -> str:
    return f"rank {found.rank}, {_size(found.bytes)}, {found.sha256[:_HASH]}"


def _tier(tier: str) -> str:
    return paint(tier, "green", sys.stdout) if tier == "hot" else tier


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
