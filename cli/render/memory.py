"""What memory answers, as text for a person."""

from __future__ import annotations

import sys
import textwrap
from typing import Final

from cli.console import paint
from cli.values import printable
from protocol.messages import Found, Hit

WIDTH: Final = 77
LINES: Final = 4
"""Lines of a passage that are shown; `--json` has all of it."""


def hits(found: Found) -> str:
    if not found.hits:
        return "nothing remembered has a word of this"
    return "\n".join(_hit(n, hit) for n, hit in enumerate(found.hits, 1))


def _hit(number: int, hit: Hit) -> str:
    head = f"{number}. {printable(hit.doc_id)} #{hit.chunk_index}  {hit.score:.2f}"
    body = textwrap.wrap(printable(hit.text), WIDTH, max_lines=LINES, placeholder=" …")
    return "\n".join([paint(head, "green", sys.stdout), *(f"   {line}" for line in body)])
