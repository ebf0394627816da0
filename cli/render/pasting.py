"""A command line that is to be pasted, over several lines where it is too long for one.

A backslash ends a line between two words. A word of JSON may go on within its quotes, since a line feed between two of its parts
means nothing to whoever reads it; within a text of it nothing is broken.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from typing import Final

WIDTH: Final = 80


def pasteable(command: str, indent: str = "  ") -> str:
    """`command` in lines of at most 80 columns where its words allow it; a shell reads the same words."""
    whole = f"{indent}{command}"
    if len(whole) <= WIDTH:
        return whole
    lines: list[str] = []
    here, further = indent, " " * (len(indent) + 2)
    for together in _options(shlex.split(command)):
        quoted, word = shlex.join(together), together[-1]
        if len(here) + len(quoted) + 3 > WIDTH and here not in {indent, further}:
            lines.append(f"{here.rstrip()} \\")
            here = further
        if len(here) + len(quoted) + 2 > WIDTH:
            option = "".join(f"{shlex.quote(each)} " for each in together[:-1])
            quoted = option + shlex.quote(_broken(word, WIDTH - len(here) - len(option) - 4, further))
        *whole_lines, last = f"{here}{quoted}".split("\n")
        lines += whole_lines
        here = f"{last} "
    return "\n".join([*lines, here.rstrip()])


def _options(words: Sequence[str]) -> Iterator[list[str]]:
    """The words, an option together with its value."""
    together: list[str] = []
    for word in words:
        if together and word.startswith("--"):
            yield together
            together = []
        together.append(word)
        if not (word.startswith("--") and len(together) == 1):
            yield together
            together = []
    if together:
        yield together


def _broken(word: str, room: int, further: str) -> str:
    """A word of JSON in lines of at most `room`, as far as its parts allow; any other word as it is."""
    try:
        json.loads(word)
    except ValueError:
        return word
    lines = [""]
    for part in _parts(word):
        # What goes on begins further to the left, and has more room.
        if lines[-1].strip() and _columns(lines[-1] + part) > (room if len(lines) == 1 else WIDTH - 4):
            lines.append(further)
        lines[-1] += part
    return "\n".join(lines)


def _columns(text: str) -> int:
    """What `text` takes within a shell's quotes, of which one within it takes five."""
    return len(text) + 4 * text.count("'")


def _parts(text: str) -> Iterator[str]:
    """The pieces of a JSON text between which white space means nothing: each ends with a comma."""
    begin, is_text, is_escaped = 0, False, False
    for at, letter in enumerate(text):
        if is_text:
            is_text, is_escaped = is_escaped or letter != '"', not is_escaped and letter == "\\"
        elif letter == '"':
            is_text = True
        elif letter == ",":
            yield text[begin : at + 1]
            begin = at + 1
    yield text[begin:]
