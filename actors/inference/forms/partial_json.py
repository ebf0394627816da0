"""A JSON text that was cut: the containers that are still open, the values that are whole, and what stands at the cut.

Whole values are read as `equivalence` compares them: a number stays as it is spelt. What no further text can make JSON is
refused by None.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple

DEPTH: Final = 64
"""Containers within one another; a text that opens more is not looked at."""

_BLANK: Final = re.compile(r"[ \t\n\r]*")
_STRING: Final = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![0-9.eE+-])")
_WORD: Final = re.compile(r"true|false|null")
_CUT_STRING: Final = re.compile(
    r'"((?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*?)'
    r"((?:\\u[dD][89abAB][0-9a-fA-F]{2})?(?:\\(?:u[0-9a-fA-F]{0,3})?)?)\Z"
)
"""The characters that are whole, and half of one: of an escape, or of a character that takes two."""
_CUT_NUMBER: Final = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*|(?:\.[0-9]+)?[eE][+-]?[0-9]*)?)?\Z")
_CUT_WORD: Final = re.compile(r"(?:t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?)\Z")


class Number(str):
    """A number as the text spells it."""

    __slots__ = ()


class CutString(NamedTuple):
    """The characters of a string that are whole, and the beginning of an escape after them."""

    text: str
    escape: str


class CutNumber(NamedTuple):
    text: str


class CutWord(NamedTuple):
    text: str


Cut = CutString | CutNumber | CutWord | None
"""What stands at the end of a text where a key or a value has begun; None where it has not."""


class Container:
    """An array or an object that is open.

    `items` are its whole values, with the keys of an object; `key` that of the value that comes next. `awaits` says what
    must come: after a comma a key or a value, after a key a value, and nothing after a value or at the very beginning.
    """

    def __init__(self, *, is_object: bool) -> None:
        self.is_object = is_object
        self.items: list[tuple[str, Any]] = []
        self.key: str | None = None
        self.awaits = False
        self._names: set[str] = set()

    @property
    def keys(self) -> list[str]:
        """All keys that are whole."""
        return [key for key, _ in self.items] + ([] if self.key is None else [self.key])

    def name(self, key: str) -> bool:
        """The value that comes next is that of `key`; False where it has one already."""
        if key in self._names:
            return False
        self._names.add(key)
        self.key, self.awaits = key, True
        return True

    def made(self) -> Any:
        return dict(self.items) if self.is_object else [value for _, value in self.items]


class Partial(NamedTuple):
    """The open containers, the outermost first, and what stands at the cut; `is_whole` where nothing can follow but blanks."""

    path: list[Container]
    cut: Cut
    is_whole: bool = False


def partial(text: str) -> Partial | None:
    """What `text` is the beginning of; None where it is the beginning of no JSON text, or repeats a key."""
    path: list[Container] = []
    at = _skip(text, 0)
    while at < len(text):
        top = path[-1] if path else None
        sign = text[at]
        if top is not None and _is_between(top) and sign in ",]}":
            if sign == ",":
                if not top.items or top.awaits:
                    return None
                top.awaits = True
                at = _skip(text, at + 1)
                continue
            if top.awaits or (sign == "}") != top.is_object:
                return None
            path.pop()
            if not _take(path, top.made()):
                return Partial([], None, is_whole=True) if _skip(text, at + 1) == len(text) else None
            at = _skip(text, at + 1)
        elif top is not None and _is_between(top) and top.items and not top.awaits:
            return None
        elif top is not None and top.is_object and top.key is None:
            found = _STRING.match(text, at)
            if found is None:
                cut = _cut(text, at)
                return Partial(path, cut) if isinstance(cut, CutString) else None
            if not top.name(json.loads(found[0])):
                return None
            at = _skip(text, found.end())
            if at < len(text):
                if text[at] != ":":
                    return None
                at = _skip(text, at + 1)
        elif sign in "{[":
            path.append(Container(is_object=sign == "{"))
            if len(path) > DEPTH:
                return None
            at = _skip(text, at + 1)
        else:
            found = _STRING.match(text, at) or _NUMBER.match(text, at) or _WORD.match(text, at)
            # A number at the very end may go on.
            if found is None or (found.end() == len(text) and found.re is _NUMBER):
                cut = _cut(text, at)
                return None if cut is None else Partial(path, cut)
            value = Number(found[0]) if found.re is _NUMBER else json.loads(found[0])
            at = _skip(text, found.end())
            if not _take(path, value):
                return Partial([], None, is_whole=True) if at == len(text) else None
    return Partial(path, None)


def _is_between(top: Container) -> bool:
    """Whether a value of the container is not what comes next: a key, a comma, or its end."""
    return top.key is None and not (top.awaits and not top.is_object)


def _take(path: list[Container], value: Any) -> bool:
    """Give the whole value to the innermost container; False where there is none."""
    if not path:
        return False
    top = path[-1]
    top.items.append((top.key or "", value))
    top.key, top.awaits = None, False
    return True


def _cut(text: str, at: int) -> Cut:
    if found := _CUT_STRING.match(text, at):
        return CutString(json.loads(f'"{found[1]}"'), found[2])
    if found := _CUT_NUMBER.match(text, at):
        return CutNumber(found[0])
    if found := _CUT_WORD.match(text, at):
        return CutWord(found[0])
    return None


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at
