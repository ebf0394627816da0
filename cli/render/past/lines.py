"""Lines for a person: 80 columns, whatever stands in them."""

from __future__ import annotations

import time
from typing import Final

from cli.values import printable

WIDTH: Final = 80


def cut(line: str) -> str:
    """`line` as it fits: what is longer ends in an ellipsis."""
    line = printable(" ".join(line.split("\n")))
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"


def when(at: float) -> str:
    """A Unix time, in that of the machine."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
