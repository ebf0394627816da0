"""Plain text, Markdown and source code: they stay what they are, and say who wrote them where they do.

The form of a text (its headings, its indents, its fences) is what passages are made by, so nothing of it is taken away but the
front matter of a Markdown file, which is metadata and no text.
"""

from __future__ import annotations

import re
from typing import Any, Final

from cli.reading.kinds import language
from cli.reading.readings import day, one_line

_FRONT: Final = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_ENTRY: Final = re.compile(r"^(title|author|authors|date)[ \t]*:[ \t]*(.+)$", re.IGNORECASE | re.MULTILINE)
_HEADING: Final = re.compile(r"^#[ \t]+(\S.*)$|^(\S.*)\n=+[ \t]*$", re.MULTILINE)
_FENCE: Final = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_LOOKED_AT: Final = 64 << 10
"""Characters among which a title is looked for."""


def facts_of(text: str, kind: str, name: str) -> dict[str, Any]:
    """What the beginning of a text says of it: title, author and date of Markdown, the language of code."""
    if kind == "code":
        return {"language": language(name)}
    return _markdown(text) if kind == "markdown" else {}


def body(text: str, kind: str) -> str:
    """The beginning of a text without what stands in its metadata already."""
    return _FRONT.sub("", text, count=1) if kind == "markdown" else text


def _markdown(text: str) -> dict[str, Any]:
    said: dict[str, Any] = {}
    front = _FRONT.match(text)
    for name, value in _ENTRY.findall(front[1]) if front else ():
        said.setdefault({"authors": "author"}.get(name.lower(), name.lower()), value.strip(" \t\"'[]"))
    heading = _HEADING.search(_FENCE.sub("", body(text[:_LOOKED_AT], "markdown")))
    title = said.get("title") or (heading and (heading[1] or heading[2]).rstrip("# \t"))
    found = {"title": one_line(title), "author": one_line(said.get("author")), "date": day(said.get("date"))}
    return {key: value for key, value in found.items() if value}
