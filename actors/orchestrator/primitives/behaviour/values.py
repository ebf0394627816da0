"""Values like those that were seen at a place: edges first, then mutations and recombinations of the seen ones.

Types and shapes stay: a list of records becomes other lists of the same records' kind, a text is made of the words or letters
of the seen texts. A reference, and whatever else cannot be varied, only changes places with others that were seen there.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from itertools import chain, islice, zip_longest
from random import Random
from typing import Any, Final

from actors.orchestrator.primitives.behaviour.keys import key_of
from protocol.codec import Value

MOST: Final = 40
"""Variants of one place."""
_DEEP: Final = 3
"""Levels of lists and dicts that are varied within."""
_LONG: Final = 12
_LONG_TEXT: Final = 60
_LARGE: Final = 10**15
_FEW_LETTERS: Final = 6
_ALPHABETS: Final = ("0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


class Seen:
    """Texts and numbers that were seen anywhere: what the values of one place are recombined with."""

    def __init__(self, values: Iterable[Value]) -> None:
        leaves = list(chain.from_iterable(map(_leaves, values)))
        self.texts = distinct(leaf for leaf in leaves if type(leaf) is str and len(leaf) <= _LONG_TEXT)
        self.numbers = distinct(leaf for leaf in leaves if type(leaf) in {int, float})


def variants(values: list[Value], seen: Seen, rng: Random, depth: int = 0) -> list[Value]:
    """Values like `values`, the telling ones first; the same again for the same state of `rng`."""
    by_kind: dict[type, list[Any]] = {}
    for value in values:
        kind = type(value)
        by_kind.setdefault(float if kind is int and any(type(other) is float for other in values) else kind, []).append(
            value
        )
    streams = [_of_kind(kind, found, seen, rng, depth) for kind, found in by_kind.items()]
    mixed = [value for turn in zip_longest(*streams, fillvalue=_NONE) for value in turn if value is not _NONE]
    return distinct(mixed)[:MOST]


_NONE: Final = object()


def clipped(value: Value) -> Value:
    """The beginning of a long text, list or dict, which stands for it where it is varied."""
    if isinstance(value, str):
        return value[:_LONG_TEXT]
    if isinstance(value, list):
        return value[:_LONG]
    return dict(islice(value.items(), _LONG)) if isinstance(value, dict) else value


def _of_kind(kind: type, values: list[Any], seen: Seen, rng: Random, depth: int) -> list[Value]:
    if kind is bool:
        return [True, False]
    if kind in {int, float} and any(abs(value) > _LARGE for value in values):
        return values
    if kind is int:
        return _integers(values, seen, rng)
    if kind is float:
        return _floats(values, rng)
    if kind is str:
        return _texts(list(map(clipped, values)), seen, rng)
    if kind is list and depth < _DEEP:
        return _lists(list(map(clipped, values)), seen, rng, depth)
    if kind is dict and depth < _DEEP:
        return _dicts(list(map(clipped, values)), seen, rng, depth)
    return values


def _integers(values: list[int], seen: Seen, rng: Random) -> list[Value]:
    low, high = min(values), max(values)
    other = [number for number in seen.numbers if type(number) is int and abs(number) <= _LARGE]
    near = [high + 1, high * 2, low - 1]
    within = [rng.randint(low, max(high, low + 3)) for _ in range(3)]
    beyond = [rng.randint(0, 2 * abs(high) + 4) for _ in range(8)]
    return [0, 1, *near, -1, *other[:6], 2, *within, *beyond, -high, 10 * abs(high) + 7, 3, 4]


def _floats(values: list[float], rng: Random) -> list[Value]:
    low, high = min(values), max(values)
    places = max(len(repr(float(value)).partition(".")[2]) for value in values)
    random = [round(rng.uniform(low, high + 1), places) for _ in range(4)]
    made = [
        0.0,
        1.0,
        high + 0.5,
        high * 2,
        -high,
        round((low + high) / 2, places),
        *random,
        low / 2,
        10 * abs(high) + 7.25,
    ]
    # Whole numbers stay whole where they were seen so beside fractions.
    whole = [int(value) + 1 for value in values if type(value) is int]
    return [*made[:3], *whole[:2], *made[3:]]


def _texts(values: list[str], seen: Seen, rng: Random) -> list[Value]:
    letters = sorted(set("".join(values)))
    blank = " " if " " in letters else ""
    words = distinct(word for text in [*values, *seen.texts] for word in text.split()) if blank else seen.texts
    pieces = words or values
    shaped = [_shaped(text, rng) for text in values for _ in range(2)]
    first, last = values[0], values[-1]
    made = [
        "",
        rng.choice(letters) if letters else "",
        blank.join(rng.choice(pieces) for _ in range(2)),
        last[::-1],
        *shaped[:1],
        first.swapcase(),
        first + blank + first,
        *[text for text in pieces if text not in values][:3],
        last[:-1],
        *_scrambled(values, letters, rng),
        *shaped[1:],
        first[1:],
        first[:1] * 3,
        blank.join(rng.choice(pieces) for _ in range(4)),
        blank + first,
        first.replace(" ", "  ", 1),
        last + blank,
        blank.join(values)[:_LONG_TEXT] * 2,
    ]
    if len(letters) <= _FEW_LETTERS:
        most = max(map(len, values)) + 3
        made[3:3] = ["".join(rng.choice(letters or "x") for _ in range(rng.randint(1, most))) for _ in range(8)]
    return made


def _scrambled(values: list[str], letters: list[str], rng: Random) -> Iterator[str]:
    """Seen texts with one letter moved, left out, or put in."""
    for text in values:
        place = rng.randrange(len(text) + 1)
        if letters:
            yield text[:place] + rng.choice(letters) + text[place:]
        yield text[:place] + text[place + 1 :]
        yield "".join(rng.sample(text, len(text)))


def _shaped(text: str, rng: Random) -> str:
    """Another text of the same shape: a digit for a digit, a letter for a letter of its case."""
    alike = {letter: letters for letters in _ALPHABETS for letter in letters}
    return "".join(rng.choice(alike.get(letter, letter)) for letter in text)


def _lists(values: list[list[Any]], seen: Seen, rng: Random, depth: int) -> list[Value]:
    elements = distinct(chain.from_iterable(values))
    if not elements:
        elements = (seen.numbers or seen.texts)[:3] or [1]
    others = variants(elements, seen, rng, depth + 1)
    first, longest = values[0], max(values, key=len)
    one, other = rng.choice(elements), others[0]
    made: list[Value] = [
        [],
        [one],
        [*longest, longest[0] if longest else one],
        longest[::-1],
        [other, *first],
        [rng.choice(elements) for _ in range(3)],
        [one, one],
        longest[:-1],
        [*longest, *first],
        rng.sample(longest, len(longest)),
        *(_mixed(elements, others, rng.randint(2, 6), rng) for _ in range(6)),
        *([_changed(longest, place, rng.choice(others)) for place in range(min(len(longest), 3))]),
        *([other] for other in others[:3]),
        longest[1:],
        _mixed(elements, others, _LONG, rng),
        [other, other, one],
    ]
    if all(type(element) in {int, float} for element in elements):
        made[2:2] = [[-abs(element) - place for place, element in enumerate(longest or [one])]]
    if all(type(element) in {int, float} for element in elements) or all(type(element) is str for element in elements):
        made.insert(8, sorted(_mixed(elements, others, 4, rng)))
        made.append(sorted(longest, reverse=True))
    return made


def _mixed(elements: list[Any], others: list[Any], length: int, rng: Random) -> list[Any]:
    return [rng.choice(elements if rng.random() < 0.5 else others) for _ in range(length)]


def _changed(values: list[Any], place: int, value: Value) -> list[Any]:
    return [*values[:place], value, *values[place + 1 :]]


def _dicts(values: list[dict[Any, Any]], seen: Seen, rng: Random, depth: int) -> list[Value]:
    keys = distinct(chain.from_iterable(values))
    held = {key: [value[key] for value in values if key in value] for key in keys[:_LONG]}
    others = {key: variants(found, seen, rng, depth + 1) for key, found in held.items()}
    changed = [
        {**rng.choice([value for value in values if key in value]), key: others[key][turn]}
        for turn in range(4)
        for key in held
        if turn < len(others[key])
    ]
    if _is_record(values):
        return [*changed[:12], *({key: rng.choice(others[key]) for key in held} for _ in range(6))]
    first = values[0]
    numbers = [key for key in keys if type(key) is int and abs(key) < _LARGE]
    texts = [text for text in seen.texts if text not in keys] or [f"{keys[0]}{keys[0]}" if keys else "a"]
    new = max(numbers) + 1 if numbers else texts[0]
    found = list(chain.from_iterable(others.values())) or [1]
    return [
        {},
        {**first, new: rng.choice(found)},
        *changed[:3],
        {key: first[key] for key in list(first)[1:]},
        {key: first[key] for key in list(first)[:1]},
        dict(reversed(first.items())),
        *({key: rng.choice(found) for key in keys if rng.random() < 0.7} for _ in range(4)),
        *changed[3:8],
    ]


def _is_record(values: list[dict[Any, Any]]) -> bool:
    """Whether all have the same keys, with values of more than one kind, or for more than one dict."""
    if any(value.keys() != values[0].keys() for value in values) or not values[0]:
        return False
    return len(distinct(values)) > 1 or len({type(value) for value in values[0].values()}) > 1


def _leaves(value: Value, depth: int = 0) -> Iterator[Value]:
    if depth > _DEEP:
        return
    if isinstance(value, (list, dict)):
        inner = (
            list(value)[:_LONG] if isinstance(value, list) else [*list(value)[:_LONG], *list(value.values())[:_LONG]]
        )
        yield from chain.from_iterable(_leaves(item, depth + 1) for item in inner)
    else:
        yield value


def distinct(values: Iterable[Any]) -> list[Any]:
    """In the order of their first coming."""
    found: dict[Hashable, Any] = {}
    for value in values:
        found.setdefault(key_of(value), value)
    return list(found.values())
