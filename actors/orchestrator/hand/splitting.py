"""A source of several methods, as its parts: one method each, with the line at which it begins.

Nothing is parsed here, which is the guardian's to do and may cost a process its life. Python's tokens tell where a statement
begins that is in no other one, and a part begins with each `def` among them; what is no `def` goes with the part before it, so
that the guardian says at which line it stands. The comments right before a `def` are its own.
"""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple


class Part(NamedTuple):
    """The source of one method; its first line is number `line` (from 1) of the whole."""

    source: str
    line: int


def split(text: str) -> list[Part]:
    """The parts of `text`; one where it has no tokens of Python's, for the guardian to say what is wrong with it. No text, no part."""
    lines = text.replace("\r\n", "\n").split("\n")
    if not text.strip():
        return []
    try:
        starts = [_with_comments(lines, line) for line in _methods(text)]
    except (tokenize.TokenError, SyntaxError):
        starts = []
    cuts = [0, *starts[1:], len(lines)]
    return [part for begin, end in pairwise(cuts) if (part := _part(lines, begin, end)) is not None]


def _methods(text: str) -> Iterator[int]:
    """The indices of the lines at which a method begins, with its decorators."""
    is_new, begun, depth = True, None, 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in {tokenize.COMMENT, tokenize.NL}:
            continue
        if token.type == tokenize.INDENT:
            depth += 1
        elif token.type == tokenize.DEDENT:
            depth -= 1
        elif token.type == tokenize.NEWLINE:
            is_new = True
        elif is_new:
            is_new = False
            if depth == 0 and token.string == "@":
                begun = token.start[0] - 1 if begun is None else begun
            elif depth == 0:
                if token.string in {"def", "async"}:
                    yield token.start[0] - 1 if begun is None else begun
                begun = None


def _with_comments(lines: list[str], line: int) -> int:
    while line > 0 and lines[line - 1].startswith("#"):
        line -= 1
    return line


def _part(lines: list[str], begin: int, end: int) -> Part | None:
    while begin < end and not lines[begin].strip():
        begin += 1
    while begin < end and not lines[end - 1].strip():
        end -= 1
    return Part("\n".join(lines[begin:end]) + "\n", begin + 1) if begin < end else None
