"""What memory answers, as text for a person."""

from __future__ import annotations

import sys
import textwrap
from typing import Final

from cli.calls.memory import Memories
from cli.console import paint
from cli.live import Doing
from cli.values import printable
from protocol.messages import Explained, Found, Hit, IndexProgress, Unindexed

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
        return "nothing remembered has a word of this" + (", or says it" if found.by != "words" else "")
    lines = [_hit(n, hit) for n, hit in enumerate(found.hits, 1)]
    if found.by == "words":
        lines.append("by words alone: memory has not read everything with its model of meaning yet")
    return "\n".join(lines)


def forgotten(gone: Unindexed) -> str:
    return f"{printable(gone.doc_id)} is forgotten, {_passages(gone.chunks)}"


def _hit(number: int, hit: Hit) -> str:
    alike = f"  ({hit.alike} more alike)" if hit.alike else ""
    head = f"{number}. {printable(hit.doc_id)} #{hit.chunk_index}  {hit.score:.2f}{alike}"
    lines = [paint(head, "green", sys.stdout)]
    if hit.explained is not None:
        lines.append(f"   {_why(hit.explained)}")
    lines += [f"   … {line}" for text in hit.before for line in _wrapped(text)]
    lines += [f"   {line}" for line in _wrapped(hit.text)]
    lines += [f"   … {line}" for text in hit.after for line in _wrapped(text)]
    return "\n".join(lines)


def _why(why: Explained) -> str:
    words = f"words {why.by_words:.2f} (BM25 {why.bm25:.2f}: {printable(', '.join(why.terms)) or 'none'})"
    meaning = "" if why.cosine is None else f", meaning {why.by_meaning:.2f} (cosine {why.cosine:.2f})"
    return words + meaning


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(printable(text), WIDTH, max_lines=LINES, placeholder=" …")


def _passages(number: int) -> str:
    return "1 passage" if number == 1 else f"{number} passages"
