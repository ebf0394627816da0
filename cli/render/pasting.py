"""A command line that is to be pasted, over several lines where it is too long for one.

A backslash ends a line between two words. A word of JSON may go on within its quotes, since a line feed between two of its parts
means nothing to whoever reads it; within a text of it nothing is broken.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Final

WIDTH: Final = 80
_INNER: Final = "  "


def pasteable(command: str, indent: str = "  ") -> str:
    """`command` in lines of at most 80 columns where its words allow it; a shell reads the same words."""
    whole = f"{indent}{command}"
    if len(whole) <= WIDTH:
        return whole
    lines: list[str] = []
    here = indent
    for word in shlex.split(command):
        quoted = shlex.quote(word)
        if len(here) + len(quoted) + 3 > WIDTH and here.strip():
            lines.append(f"{here.rstrip()} \\")
            here = indent + _INNER
        if len(here) + len(quoted) + 2 > WIDTH:
            quoted = shlex.quote(_broken(word, WIDTH - len(here) - 4))
        *before, last = f"{here}{quoted}".split("\n")
        lines += before
        here = f"{last} "
    return "\n".join([*lines, here.rstrip()])


def _broken(word: str, room: int) -> str:
    """A word of JSON in lines of at most `room`, as far as its parts allow; any other word as it is."""
    try:
        json.loads(word)
    except ValueError:
        return word
    lines = [""]
    for part in _parts(word):
        if lines[-1] and _columns(lines[-1] + part) > room:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def _columns(text: str) -> int:
    """What `text` takes within a shell's quotes, of which one within it takes five."""
    return len(text) + 4 * text.count("'")


def _parts(text: str) -> Iterator[str]:
    """The pieces of a JSON text between which white space means nothing: each ends with a comma, a colon or a bracket."""
    begin, is_text, is_escaped = 0, False, False
    for at, letter in enumerate(text):
        if is_text:
            is_text, is_escaped = is_escaped or letter != '"', not is_escaped and letter == "\\"
        elif letter == '"':
            is_text = True
        elif letter in ",:[{":
            yield text[begin : at + 1]
            begin = at + 1
    yield text[begin:]
