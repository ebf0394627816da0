"""JSON texts that say the same: whether a text written in another way has a form's value.

A form is kept byte by byte, in one order of keys and one spelling of strings and numbers; a server may write the same value
otherwise. So the value is read and written again in the form's own spelling, and where it asks for another order of
keys, in that: at each object the matcher says which of the keys may come next.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

from llguidance import LLMatcher, LLTokenizer

_TRIES: Final = 10_000
"""Keys that are tried for one text. Keys that a form orders need one try for each that is left, at each step."""
_DEPTH: Final = 64
_ESCAPES: Final = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)")
_CUT_ESCAPE: Final = re.compile(r"(?<!\\)(?:\\\\)*((?:\\u[dD][89abAB][0-9a-fA-F]{2})?(?:\\(?:u[0-9a-fA-F]{0,3})?)?)\Z")
"""Half an escape, or the first half of a character that takes two, at the end of a text."""


class Bytes:
    """A matcher over bytes, and how far a text has come in it."""

    def __init__(self, matcher: LLMatcher, tokens: LLTokenizer) -> None:
        self._matcher = matcher
        self._tokens = tokens

    def goes(self, text: str) -> bool:
        """Take `text`; whether a text of the form can go on like this."""
        try:
            data = text.encode()
        except UnicodeEncodeError:
            return False
        return self._matcher.consume_tokens(self._tokens.tokenize_bytes(data))

    def takes(self, text: str) -> bool:
        """Take `text`; whether the form is complete after it."""
        return self.goes(text) and self._matcher.is_accepting()

    @property
    def is_complete(self) -> bool:
        return self._matcher.is_accepting()

    def copy(self) -> Bytes:
        return Bytes(self._matcher.deep_copy(), self._tokens)


def rewritten(text: str, walk: Callable[[], Bytes]) -> bool:
    """Whether the JSON value of `text` can be written so that it has the form; `walk` begins one anew."""
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_float=_number, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    tries = [_TRIES]
    return any(place.is_complete for place in _written(value, walk(), tries, 0))


def beginning(text: str) -> str:
    """A cut JSON text with its escapes as a form spells them; half an escape at its end goes, and so do blanks around it."""
    cut = _CUT_ESCAPE.search(text)
    whole = text[: cut.start(1)] if cut else text
    # Pairs of escapes are one character: they are read together.
    return re.sub(rf"(?:{_ESCAPES.pattern})+", lambda found: _spelt(found[0]), whole.strip())


def _spelt(escapes: str) -> str:
    try:
        return json.dumps(json.loads(f'"{escapes}"'), ensure_ascii=False)[1:-1]
    except ValueError:
        return escapes


def _written(value: Any, place: Bytes, tries: list[int], depth: int) -> list[Bytes]:
    """Where the form stands after `value`: nowhere, or at one place. What is too deep or takes too long is nowhere."""
    if depth > _DEPTH:
        return []
    if isinstance(value, dict):
        return _members(value, place, tries, depth) if place.goes("{") else []
    if isinstance(value, list):
        return _items(value, place, tries, depth) if place.goes("[") else []
    text = str(value) if isinstance(value, _Number) else json.dumps(value, ensure_ascii=False)
    return [place] if place.goes(text) else []


def _items(values: list[Any], place: Bytes, tries: list[int], depth: int) -> list[Bytes]:
    for number, value in enumerate(values):
        if number and not place.goes(","):
            return []
        found = _written(value, place, tries, depth + 1)
        if not found:
            return []
        place = found[0]
    return [place] if place.goes("]") else []


def _members(left: dict[str, Any], place: Bytes, tries: list[int], depth: int, comma: str = "") -> list[Bytes]:
    """Each key that may come next is tried, those in the text's own order first."""
    if not left:
        return [place] if place.goes("}") else []
    for key, value in left.items():
        tries[0] -= 1
        if tries[0] < 0:
            return []
        after = place.copy()
        if not after.goes(f"{comma}{json.dumps(key, ensure_ascii=False)}:"):
            continue
        rest = {other: one for other, one in left.items() if other != key}
        for found in _written(value, after, tries, depth + 1):
            if ended := _members(rest, found, tries, depth, ","):
                return ended
    return []


class _Number(str):
    """A number as the form spells it."""

    __slots__ = ()


def _number(text: str) -> _Number | int:
    value = float(text)
    if value.is_integer() and abs(value) < 2**53:
        return int(value)
    return _Number(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key stands there twice")
    return made


def _refuse(text: str) -> None:
    raise ValueError(f"{text} is no JSON")
