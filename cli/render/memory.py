"""What memory answers, as text for a person."""

from __future__ import annotations

import sys
import textwrap
from typing import Final

from cli.calls.memory import Memories
from cli.console import paint
from cli.live import Doing
from cli.values import printable
from protocol.messages import Found, Hit, IndexProgress, Unindexed

WIDTH: Final = 77
LINES: Final = 4
"""Lines of a passage that are shown; `--json` has all of it."""


class Progress:
    """A line for each tenth of a document, and none between them."""

    def __init__(self) -> None:
        self._told: tuple[str, int] | None = None

    def line(self, progress: IndexProgress) -> str | None:
        reached = (progress.doc_id, 10 * progress.done // max(1, progress.total))
        if reached == self._told:
            return None
        self._told = reached
        return f"  {printable(progress.doc_id)}: {progress.done} of {progress.total} sentences"


def doing(found: IndexProgress) -> Doing:
    return Doing(f"remembers {printable(found.doc_id)}", found.done, found.total)


def remembered(found: Memories) -> str:
    lines = [f"{printable(each.doc_id)}  {_passages(each.chunks)}" for each in found.documents]
    if found.tid is None:
        lines.append("all of it was remembered already")
    return "\n".join(lines)


def hits(found: Found) -> str:
    if not found.hits:
        return "nothing remembered has a word of this"
    return "\n".join(_hit(n, hit) for n, hit in enumerate(found.hits, 1))


def forgotten(gone: Unindexed) -> str:
    return f"{printable(gone.doc_id)} is forgotten, {_passages(gone.chunks)}"


def _hit(number: int, hit: Hit) -> str:
    head = f"{number}. {printable(hit.doc_id)} #{hit.chunk_index}  {hit.score:.2f}"
    body = textwrap.wrap(printable(hit.text), WIDTH, max_lines=LINES, placeholder=" …")
    return "\n".join([paint(head, "green", sys.stdout), *(f"   {line}" for line in body)])


def _passages(number: int) -> str:
    return "1 passage" if number == 1 else f"{number} passages"
