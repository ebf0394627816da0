"""Inputs to try methods on: of the types and shapes that the examples and the message show, and none of the examples.

An input is *familiar*, or an *edge*: it has something that no seen input has (an empty list where all were full, a negative
number, an index beyond its list). What a method should do at an edge nobody has said, so methods differ there more easily.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations, islice, pairwise
from random import Random
from typing import Any, Final

import msgspec

from actors.orchestrator.primitives.behaviour import values
from actors.orchestrator.primitives.behaviour.keys import key_of
from protocol import codec
from protocol.codec import Value
from protocol.messages import Example
from world.method import slots_named

MOST: Final = 24
MAX_BYTES: Final = 4096
"""Of the values of an input that differ from the receiver's."""
_MARKS: Final = 3
"""So many different elements of a sorted list must have been seen before an unsorted one is strange."""

_UNSEEN: Final[tuple[Value, ...]] = (2, "two words", [3, 1, 2])
"""What stands for arguments that nobody has shown: where there is an intent alone."""

Place = tuple[str, Any]
"""`("slots", name)`, `("args", number)` or `("kwargs", name)`."""
Filled = dict[Place, Value]
Moved = tuple[int, Place]


class Asked(msgspec.Struct, frozen=True):
    """What the message that methods are written for shows of its inputs."""

    slots: dict[str, Value]
    args: list[Value]
    kwargs: dict[str, Value]
    examples: list[Example]
    seed: int
    is_sent: bool = True
    parameters: list[str] = []


class Input(msgspec.Struct, frozen=True):
    """`filled`: all that a method may look at, by place. `is_edge`: see above. `is_asked`: it is the message itself.

    `moved`: which place alone was changed, and in which of the seen inputs, so that those of one `moved` show what a method
    makes of that place.
    """

    filled: Filled
    is_edge: bool
    is_asked: bool = False
    moved: Moved | None = None

    @property
    def slots(self) -> dict[str, Value]:
        return {name: value for (kind, name), value in self.filled.items() if kind == "slots"}

    @property
    def args(self) -> list[Value]:
        return [value for (kind, _), value in self.filled.items() if kind == "args"]

    @property
    def kwargs(self) -> dict[str, Value]:
        return {name: value for (kind, name), value in self.filled.items() if kind == "kwargs"}

    @property
    def size(self) -> int:
        return len(codec.packed(list(self.filled.values())))


def generate(asked: Asked, sources: Sequence[str], most: int = MOST) -> list[Input]:
    """At most `most` inputs, the message itself first, then one place changed at a time and several, in turns.

    Only slots that one of the sources names are told and varied; all of them where nothing is named and no argument given, to
    see that nothing depends on them. The same for the same message and the same set of sources.
    """
    named = {name for source in sources for name in slots_named(source)}
    shown = [*asked.examples, Example(args=asked.args, kwargs=asked.kwargs)]
    if not any(example.args or example.kwargs or named & {*asked.slots, *example.slots} for example in shown):
        named = set(asked.slots).union(*(example.slots for example in shown))
    examples = [_filled(asked, example, named) for example in asked.examples]
    message = _filled(asked, Example(args=asked.args, kwargs=asked.kwargs), named)
    seeds = [_short(filled) for filled in examples + ([message] if asked.is_sent or not examples else [])]
    if not asked.is_sent and not examples and asked.parameters:
        seeds = [_short(_filled(asked, Example(args=[value] * len(asked.parameters)), named)) for value in _UNSEEN]
    known = {_key(filled) for filled in examples}
    judge = _strangeness(seeds)
    found: list[Input] = []
    # Where no message is sent and no example was given, the message's own arguments stand for nothing.
    own = [message] if asked.is_sent else []
    mixtures = _mixtures(seeds, Random(asked.seed))  # noqa: S311 - it must be the same again
    for filled, moved in [*((filled, None) for filled in own), *mixtures]:
        if len(codec.packed(list(filled.values()))) > MAX_BYTES or (key := _key(filled)) in known:
            continue
        known.add(key)
        is_asked = filled is message
        found.append(Input(filled, is_edge=not is_asked and judge(filled), is_asked=is_asked, moved=moved))
        if len(found) >= most:
            break
    return found


def _filled(asked: Asked, example: Example, named: set[str]) -> Filled:
    slots = {**asked.slots, **example.slots}
    filled: Filled = {("slots", name): slots[name] for name in slots if name in named}
    filled |= {("args", number): value for number, value in enumerate(example.args)}
    return filled | {("kwargs", name): value for name, value in example.kwargs.items()}


def _short(filled: Filled) -> Filled:
    """The same with the beginnings of what is too long to be told again and again."""
    if len(codec.packed(list(filled.values()))) <= MAX_BYTES:
        return filled
    return {place: values.clipped(value) for place, value in filled.items()}


def _key(filled: Filled) -> Hashable:
    return frozenset((place, key_of(value)) for place, value in filled.items())


def _mixtures(seeds: list[Filled], rng: Random) -> Iterator[tuple[Filled, Moved | None]]:
    """Seen inputs with one place changed, with places from other seen ones, and with all places changed."""
    places = list({place: None for filled in seeds for place in filled})
    if not places:
        return
    held = {place: [filled[place] for filled in seeds if place in filled] for place in places}
    seen = values.Seen(value for found in held.values() for value in found)
    # An own source of chance for each place: what stands at one says nothing about the others.
    varied = {place: values.variants(held[place], seen, _chance(rng)) for place in places}
    single = _singles(seeds, varied)
    for turn in range(20 * MOST):
        likeness = rng.choice(seeds)
        match turn % 4:
            case 0 | 1:
                yield from islice(single, 1)
            case 2:
                yield {place: rng.choice(held[place]) for place in likeness}, None
            case _:
                yield {place: rng.choice(varied[place]) for place in likeness}, None


def _chance(rng: Random) -> Random:
    return random.Random(rng.getrandbits(64))  # noqa: S311 - it must be the same again


def _singles(seeds: list[Filled], varied: Mapping[Place, list[Value]]) -> Iterator[tuple[Filled, Moved]]:
    """The n-th variant of every place in turn, each in another seen input."""
    for turn in range(values.MOST):
        for number, (place, variants) in enumerate(varied.items()):
            start = (turn + number) % len(seeds)
            if turn < len(variants) and place in seeds[start]:
                yield {**seeds[start], place: variants[turn]}, (start, place)


def _strangeness(seeds: list[Filled]) -> Callable[[Filled], bool]:
    """Whether an input has something that none of `seeds` has."""
    usual: dict[Place, set[str]] = {}
    for filled in seeds:
        for place, value in filled.items():
            usual.setdefault(place, set()).update(_marks(value))
    marked = {
        place
        for filled in seeds
        for place in filled
        if _is_shown_sorted(filled[place] for filled in seeds if place in filled)
    }
    kept = [law for law in _laws(seeds) if all(law(filled) for filled in seeds)]

    def is_strange(filled: Filled) -> bool:
        if any(not usual[place].issuperset(_marks(value)) for place, value in filled.items()):
            return True
        if any(not _is_sorted(filled[place]) for place in marked if place in filled):
            return True
        return not all(law(filled) for law in kept)

    return is_strange


def _marks(value: Value, within: str = "") -> Iterator[str]:
    """What an outsider notices about a value."""
    yield within + type(value).__name__
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield within + ("negative" if value < 0 else "zero" if value == 0 else "positive")
        yield from [within + "huge"] if abs(value) > 10**6 else []
    elif isinstance(value, str):
        yield from [within + "empty"] if not value else []
        yield from [within + "outer blank"] if value != value.strip() else []
        yield from [within + "double blank"] if "  " in value else []
        yield from {within + _letter_kind(letter) for letter in value}
    elif isinstance(value, (list, dict)):
        yield from [within + "empty"] if not value else []
        for item in value.values() if isinstance(value, dict) else value:
            yield from _marks(item, within + ".")


def _letter_kind(letter: str) -> str:
    if letter.isalpha():
        return "upper" if letter.isupper() else "lower"
    return "digit" if letter.isdigit() else letter


def _is_shown_sorted(seen: Iterable[Value]) -> bool:
    lists = [value for value in seen if isinstance(value, list)]
    return all(map(_is_sorted, lists)) and max((len(set(map(key_of, one))) for one in lists), default=0) >= _MARKS


def _is_sorted(value: Value) -> bool:
    try:
        return isinstance(value, list) and all(one <= other for one, other in pairwise(value))
    except TypeError:
        return False


def _laws(seeds: list[Filled]) -> Iterator[Callable[[Filled], bool]]:
    """Relations between two places that may be meant: an order, an index within a list, a member of it, equal lengths."""
    if len({_key(filled) for filled in seeds}) == 1:
        return
    for one, other in combinations(list(seeds[0]), 2):
        for first, second in ((one, other), (other, one)):
            for relation in (_not_above, _within, _is_member):
                yield lambda filled, a=first, b=second, holds=relation: (  # type: ignore[misc]
                    a not in filled or b not in filled or holds(filled[a], filled[b])
                )
        yield lambda filled, a=one, b=other: (  # type: ignore[misc]
            a not in filled or b not in filled or _as_long(filled[a], filled[b])
        )


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _not_above(one: Value, other: Value) -> bool:
    return _is_number(one) and _is_number(other) and one <= other


def _within(one: Value, other: Value) -> bool:
    return _is_number(one) and isinstance(other, (list, str)) and 0 <= one <= len(other)


def _is_member(one: Value, other: Value) -> bool:
    return isinstance(other, (list, dict)) and isinstance(one, (str, int)) and one in other


def _as_long(one: Value, other: Value) -> bool:
    return isinstance(one, list) and isinstance(other, list) and len(one) == len(other)
