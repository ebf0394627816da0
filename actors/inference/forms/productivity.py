"""Whether a form has a text at all: one that comes to an end.

A form is rules that need other rules: `start` needs itself in `start: "a" start`, and a schema needs what its `$ref` names. A
rule is productive where one of its alternatives needs only what is productive. Who writes in a form whose first rule is
not would write for ever, so such a form is refused before anything is asked of the model. What is not understood here
counts as productive: it is left to llguidance to judge.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote


class Alternative(NamedTuple):
    """One way to write `rule`: all of `needs` must be written for it; what may be left out is not among them."""

    rule: Hashable
    needs: Sequence[Hashable]


def endless(alternatives: Sequence[Alternative], start: Hashable) -> list[Hashable]:
    """Nothing where `start` has a text that ends, else why: a circle of rules each of which needs the next, or one without any
    alternative.

    Takes time in proportion to what there is to read (the marking of generating symbols: Hopcroft, Motwani, Ullman,
    Introduction to Automata Theory, 7.4.3).
    """
    users: dict[Hashable, list[int]] = defaultdict(list)
    open_needs: list[int] = []
    ended: set[Hashable] = set()
    ready: list[Hashable] = []
    for number, (rule, needs) in enumerate(alternatives):
        distinct = set(needs)
        open_needs.append(len(distinct))
        for need in distinct:
            users[need].append(number)
        if not distinct:
            ready.append(rule)
    while ready:
        rule = ready.pop()
        if rule in ended:
            continue
        ended.add(rule)
        for number in users[rule]:
            open_needs[number] -= 1
            if open_needs[number] == 0:
                ready.append(alternatives[number].rule)
    if start in ended:
        return []
    lacking = {
        rule: next(need for need in needs if need not in ended) for rule, needs in alternatives if rule not in ended
    }
    way = dict.fromkeys([start])
    rule = start
    while (need := lacking.get(rule)) is not None and need not in way:
        way[need] = None
        rule = need
    circle = list(way)
    return circle[circle.index(rule if need is None else need) :]


def schema_alternatives(schema: Any) -> list[Alternative]:
    """What each part of the JSON schema needs. A part goes by its address in the schema, "#" is the whole.

    Objects need their required properties, arrays their least number of items; a number or a text needs nothing. Conditions on
    values (`minimum`, `pattern`, `enum`) are llguidance's to judge.
    """
    found: list[Alternative] = []
    known: set[str] = set()
    left: list[tuple[str, Any]] = [("#", schema)]
    while left:
        place, part = left.pop()
        if place in known:
            continue
        known.add(place)
        parts: dict[str, Any] = {}
        found += _alternatives(schema, place, part, parts)
        left += parts.items()
    return found


def _alternatives(schema: Any, place: str, part: Any, parts: dict[str, Any]) -> Iterator[Alternative]:
    """Those of one part; the parts that it needs are put into `parts` by their addresses."""

    def inner(*path: str | int) -> str:
        value = part
        for step in path:
            value = value[step]
        address = "/".join([place, *(str(step).replace("~", "~0").replace("/", "~1") for step in path)])
        parts[address] = value
        return address

    if part is False:
        return
    if not isinstance(part, dict) or "enum" in part or "const" in part:
        yield Alternative(place, ())
        return
    needs = [inner("allOf", number) for number in range(_length(part.get("allOf")))]
    address = part.get("$ref")
    if isinstance(address, str) and (target := _resolved(schema, address)) is not None:
        parts[target[0]] = target[1]
        needs.append(target[0])
    for word in ("anyOf", "oneOf"):
        if word in part:
            needs.append(f"{place}/{word}")
            for number in range(_length(part[word])):
                yield Alternative(f"{place}/{word}", (inner(word, number),))
    kinds = part.get("type")
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        more: list[str] = []
        if kind == "object":
            properties = part.get("properties")
            required = part.get("required")
            if isinstance(properties, dict) and isinstance(required, list):
                more = [inner("properties", name) for name in required if isinstance(name, str) and name in properties]
        elif kind == "array" and isinstance(least := part.get("minItems"), int):
            first = min(least, _length(part.get("prefixItems")))
            more = [inner("prefixItems", number) for number in range(first)]
            if least > first and "items" in part:
                more.append(inner("items"))
        yield Alternative(place, (*needs, *more))


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0


def _resolved(schema: Any, address: str) -> tuple[str, Any] | None:
    """The part of the schema at `address` and its address in plain spelling; None for what lies elsewhere or nowhere."""
    begin, *path = address.split("/")
    if begin != "#":
        return None
    part = schema
    try:
        for step in path:
            plain = unquote(step).replace("~1", "/").replace("~0", "~")
            part = part[int(plain) if isinstance(part, list) else plain]
    except (KeyError, IndexError, ValueError, TypeError):
        return None
    return "/".join(["#", *(unquote(step) for step in path)]), part
