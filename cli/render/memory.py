"""What memory answers, as text for a person."""

from __future__ import annotations

import sys
import textwrap
from typing import Final

from cli.console import paint
from cli.values import printable
from protocol.messages import Explained, Found, Hit

WIDTH: Final = 77
LINES: Final = 4
"""Lines of a passage that are shown; `--json` has all of it."""


def hits(found: Found) -> str:
    if not found.hits:
        return "nothing remembered has a word of this" + (", or says it" if found.by != "words" else "")
    lines = [_hit(n, hit) for n, hit in enumerate(found.hits, 1)]
    if found.by == "words":
        lines.append("by words alone: memory has not read everything with its model of meaning yet")
    return "\n".join(lines)


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
