"""What a reader makes of a file, and how it says that there is no text in it."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from protocol.errors import BatosError

MAX_TEXT: Final = 64 << 20
"""Characters that one file may become: what expands beyond that is made to do so."""

_LINES: Final = re.compile(r"(?<![ \t])[ \t]*\n(?:[ \t]*\n)+")


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A file's text, and what the file itself says of it; `date` is an ISO date, empty where it says none.

    `encoding` is what the bytes were decoded by, with a `certainty` from 0 to 1 where that had to be found out. `notes` are
    sentences for the user: what was left out, and why.
    """

    text: str
    format: str
    title: str = ""
    author: str = ""
    date: str = ""
    encoding: str = ""
    certainty: float = 1.0
    notes: list[str] = []

    def facts(self) -> dict[str, Any]:
        """What of it a document's metadata hold: what is known, and nothing that is empty."""
        said = {"format": self.format, "title": self.title, "author": self.author, "date": self.date}
        found: dict[str, Any] = {name: value for name, value in said.items() if value}
        if self.certainty < 1.0:
            found |= {"encoding": self.encoding, "certainty": round(self.certainty, 2)}
        return found


def no_text(why: str, hint: str) -> BatosError:
    """The refusal of a file without text; whoever knows its name says it too."""
    return BatosError("BAD_DOCUMENT", why, hint)


def too_large(why: str, hint: str) -> BatosError:
    """The refusal of a file that is over a bound."""
    return BatosError("TOO_LARGE", why, hint)


def joined(blocks: list[str]) -> str:
    """Blocks of text with an empty line between two of them, and never more than one."""
    return _LINES.sub("\n\n", "\n\n".join(block for block in blocks if block.strip())).strip()


def one_line(text: Any, most: int = 300) -> str:
    """`text` on one line, printable and not too long: a title, an author."""
    flat = " ".join(str(text or "").split())
    return "".join(letter for letter in flat if letter.isprintable())[:most]


def day(text: Any) -> str:
    """The ISO date at the beginning of `text`, with its time where that follows; empty where there is none."""
    found = re.match(r"\s*(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?))?", str(text or ""))
    if found is None or not (1 <= int(found[2]) <= 12 and 1 <= int(found[3]) <= 31):
        return ""
    return f"{found[1]}-{found[2]}-{found[3]}" + (f"T{found[4]}" if found[4] else "")


def row(cells: list[str]) -> str:
    """A row of a table, in Markdown."""
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def table(rows: list[list[str]]) -> str:
    """A table in Markdown, whose first row is its header; a column alone is a list of lines."""
    width = max(map(len, rows), default=0)
    if width <= 1:
        return "\n".join(" ".join(cells[0].split()) for cells in rows if cells)
    lines = [row([*cells, *[""] * (width - len(cells))]) for cells in rows]
    return "\n".join([lines[0], rule(width), *lines[1:]])


def rule(width: int) -> str:
    """The line under a table's header."""
    return "|" + " --- |" * width
