"""CSV as a table in Markdown, row by row: the form in which passages keep a table's header beside its rows."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from cli.reading.readings import no_text, row, rule

MAX_FIELD: Final = 4 << 20
_SNIFFED: Final = 16 << 10


def rows(pieces: Iterable[str], name: str) -> Iterator[list[str]]:
    """The rows of a CSV text that comes in pieces. What separates its fields is found out."""
    csv.field_size_limit(MAX_FIELD)
    source = iter(pieces)
    first = next(source, "")
    separator = "\t" if name.lower().endswith((".tsv", ".tab")) else _separator(first)
    try:
        for cells in csv.reader(_lines(chain([first], source)), delimiter=separator):
            if any(cell.strip() for cell in cells):
                yield cells
    except csv.Error as error:
        raise no_text(f"it is no CSV: {error}", "Correct the line, or remember it under another ending.") from error


def texts(pieces: Iterable[str], name: str) -> Iterator[str]:
    """The table, a line at a time; the first two are its header. A single column is a list of lines."""
    found = rows(pieces, name)
    first = next(found, None)
    if first is None:
        return
    if len(first) == 1:
        yield from (f"{' '.join(cells[0].split())}\n" for cells in chain([first], found))
        return
    yield f"{row(first)}\n{rule(len(first))}\n"
    for cells in found:
        yield f"{row([*cells, *[''] * (len(first) - len(cells))])}\n"


def header(text: str) -> str:
    """The two lines that stand above each part of a table that is cut."""
    lines = text.split("\n", 2)
    return f"{lines[0]}\n{lines[1]}\n" if len(lines) > 2 and lines[1].startswith("| ---") else ""


def _separator(text: str) -> str:
    try:
        return csv.Sniffer().sniff(text[:_SNIFFED], delimiters=",;\t|").delimiter
    except csv.Error:
        return ","


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    """Lines with their ends, of a text whose pieces end anywhere."""
    rest = ""
    for piece in pieces:
        *lines, rest = (rest + piece).split("\n")
        yield from (f"{line}\n" for line in lines)
    if rest:
        yield rest
