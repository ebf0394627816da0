"""JSON texts that say the same: whether a text written in another way has a form's value.

A form is kept byte by byte, in one order of keys and one spelling of strings and numbers; a server may write the same value
otherwise. So the value is read and written again in the form's own spelling, and where it asks for another order of
keys, in that: at each object the matcher says which of the keys may come next.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from actors.inference.forms.bytewise import DIGITS, Bytes, plain, spelt
from actors.inference.forms.partial_json import DEPTH, Number

TRIES: Final = 10_000
"""Keys that are tried for one text. Keys that a form orders need one try for each that is left, at each step."""


def rewritten(text: str, walk: Callable[[], Bytes]) -> bool:
    """Whether the JSON value of `text` can be written so that it has the form; `walk` begins one anew."""
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_float=Number, parse_int=Number, parse_constant=_refuse
        )
    except (ValueError, RecursionError):
        return False
    try:
        return any(place.is_complete for place in written(value, walk(), [TRIES], 0))
    except RecursionError:  # hundreds of keys in one object, in another order
        return False


def written(value: Any, place: Bytes, tries: list[int], depth: int) -> list[Bytes]:
    """Where the form stands after `value`: nowhere, or at one place. What is too deep or takes too long is nowhere."""
    if depth > DEPTH:
        return []
    if isinstance(value, dict):
        return _members(value, place, tries, depth) if place.goes("{") else []
    if isinstance(value, list):
        return _items(value, place, tries, depth) if place.goes("[") else []
    if isinstance(value, Number):
        ways = _spellings(value)
        chosen = ways[0] if len(ways) == 1 else next(filter(place.ends, ways), ways[0])
        return [place] if place.goes(chosen) else []
    text = f'"{spelt(value)}"' if isinstance(value, str) else json.dumps(value)
    return [place] if place.goes(text) else []


def _spellings(number: Number) -> list[str]:
    """The number written out, where that is not too long, and as it is."""
    value = Decimal(number)
    return list(dict.fromkeys([plain(value), str(number)] if abs(value.adjusted()) <= DIGITS else [str(number)]))


def _items(values: list[Any], place: Bytes, tries: list[int], depth: int) -> list[Bytes]:
    for number, value in enumerate(values):
        if number and not place.goes(","):
            return []
        found = written(value, place, tries, depth + 1)
        if not found:
            return []
        place = found[0]
    return [place] if place.goes("]") else []


def _members(left: dict[str, Any], place: Bytes, tries: list[int], depth: int, comma: str = "") -> list[Bytes]:
    """Each key that may come next is tried, those in the text's own order first."""
    if not left:
        return [place] if place.goes("}") else []
    starts = {key: f'{comma}"{spelt(key)}":' for key in left}
    possible = [key for key in left if place.would(starts[key])]
    for key in possible:
        tries[0] -= 1
        if tries[0] < 0:
            return []
        # A copy takes as long as the text before it; where a form orders its keys, there is nothing to choose.
        after = place if len(possible) == 1 else place.copy()
        after.goes(starts[key])
        rest = {other: one for other, one in left.items() if other != key}
        for found in written(left[key], after, tries, depth + 1):
            if ended := _members(rest, found, tries, depth, ","):
                return ended
    return []


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key stands there twice")
    return made


def _refuse(text: str) -> None:
    raise ValueError(f"{text} is no JSON")
