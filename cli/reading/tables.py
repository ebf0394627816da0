"""CSV as a table in Markdown, row by row: the form in which passages keep a table's header beside its rows."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from cli.reading.readings import no_text, row, rule

MAX_FIELD: Final = 4 << 20
SEPARATORS: Final = ",;\t|"
_SNIFFED: Final = 64 << 10
_LOOKED_AT: Final = 50
"""Lines by which it is found out what separates fields."""


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
    """What makes the most of the first lines equally many fields, of which there are several; a comma where nothing does.

    Where two do, it is the one that leaves fewer quotes within fields.
    """
    lines = text[:_SNIFFED].split("\n")[:_LOOKED_AT]
    best, found = (0.0, 0), SEPARATORS[0]
    for separator in SEPARATORS:
        try:
            rows = [cells for cells in csv.reader((f"{line}\n" for line in lines), delimiter=separator) if cells]
        except csv.Error:
            continue
        (fields, times), *_ = Counter(map(len, rows)).most_common(1) or [(1, 0)]
        fits = (times / max(1, len(rows)), -sum(cell.count('"') for cells in rows for cell in cells))
        if fields > 1 and fits > best:
            best, found = fits, separator
    return found


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    """Lines with their ends, of a text whose pieces end anywhere."""
    rest = ""
    for piece in pieces:
        *lines, rest = (rest + piece).split("\n")
        yield from (f"{line}\n" for line in lines)
    if rest:
        yield rest
