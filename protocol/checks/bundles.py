"""What a bundle must be to be looked at at all. The command checks it to answer at once, the orchestrator because it trusts none.

A hash that is not its source's, a name that means nothing, an OID of another world: each is BAD_BUNDLE and names the place.
What a method does is not looked at here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

from protocol import codec, examples, names
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.messages import BundledMethod, BundledObject

MAX_OBJECTS: Final = 1000
MAX_METHODS: Final = 1000
_AGAIN: Final = "Have it exported again, or mend the place that is named."


def check_objects(objects: Sequence[BundledObject]) -> None:
    """BAD_BUNDLE, TOO_LARGE, BAD_NAME, BAD_EXAMPLE or BAD_VALUE unless these objects make sense together."""
    if not objects:
        raise BatosError("BAD_BUNDLE", "the bundle holds no object", _AGAIN)
    count = sum(len(each.methods) for each in objects)
    if len(objects) > MAX_OBJECTS or count > MAX_METHODS:
        raise BatosError(
            "TOO_LARGE",
            f"a bundle of {len(objects)} objects and {count} methods",
            f"The limits are {MAX_OBJECTS} objects and {MAX_METHODS} methods: export fewer objects at once.",
        )
    seen: set[str] = set()
    for each in objects:
        names.check_object(each.name)
        if each.name in seen:
            raise BatosError("BAD_BUNDLE", f"{each.name} is in the bundle twice", _AGAIN)
        seen.add(each.name)
        _check_object(each)


def names_in(objects: Sequence[BundledObject]) -> dict[str, str]:
    """Every name by which the objects mean another one, with the first place where it stands."""
    found: dict[str, str] = {}
    for each in objects:
        for slot, parent in each.parents.items():
            found.setdefault(parent, f"{each.name}.{slot}")
        parts: list[tuple[str, Value]] = list(each.slots.items())
        for method in each.methods:
            parts += [(method.selector, example) for example in method.examples]
            parts += [
                (method.selector, codec.named(other)) for example in method.examples for other in _others(example)
            ]
        for slot, value in parts:
            for name in _named(value):
                found.setdefault(name, f"{each.name}.{slot}")
    return found


def _check_object(each: BundledObject) -> None:
    for slot in each.parents:
        if not names.is_delegation(slot):
            raise BatosError("BAD_BUNDLE", f"{each.name}.{slot} delegates, and its name does not end in *", _AGAIN)
        names.check_slot(slot.removesuffix("*"))
    for slot, value in each.slots.items():
        names.check_slot(slot)
        codec.encode(value)
        _check_no_oid(f"{each.name}.{slot}", value)
    selectors = [method.selector for method in each.methods]
    for method in each.methods:
        if selectors.count(method.selector) > 1:
            raise BatosError("BAD_BUNDLE", f"{each.name} has {method.selector} twice", _AGAIN)
        _check_method(each.name, method)


def _check_method(name: str, method: BundledMethod) -> None:
    names.check_selector(method.selector)
    where = f"{name}.{method.selector}"
    if method.selector in names.KERNEL_SELECTORS:
        raise BatosError(
            "BAD_BUNDLE",
            f"{where} is a message of the kernel, which no bundle brings",
            f"Read it, and define it by hand: `batos define {name} FILE`.",
        )
    if hashlib.sha256(_utf8(where, method.source)).hexdigest() != method.sha256:
        raise BatosError("BAD_BUNDLE", f"{where} is not the source that its sha256 is of", _AGAIN)
    try:
        examples.check_examples([examples.read_example(value) for value in method.examples])
    except BatosError as error:
        raise BatosError(error.code, f"{where}: {error.message}", error.hint) from error
    for value in method.examples:
        codec.encode(value)
        _check_no_oid(where, value)
        for other in _others(value):
            names.check_object(other)


def _utf8(where: str, source: str) -> bytes:
    try:
        return source.encode()
    except UnicodeEncodeError as error:
        raise BatosError("BAD_BUNDLE", f"{where} is not valid Unicode", _AGAIN) from error


def _check_no_oid(where: str, value: Value) -> None:
    if any(isinstance(each, Ref) or names.is_oid(each) for each in _meant(value)):
        raise BatosError(
            "BAD_BUNDLE",
            f"{where} refers to an object by its OID, which is another one in another world",
            'Name it: {"$ref": "box"}, and have the bundle hold it.',
        )


def _named(value: Value) -> Iterator[str]:
    return (each for each in _meant(value) if isinstance(each, str))


def _meant(value: Value) -> Iterator[Ref | str]:
    """The references in a value from outside, and the names that it has of objects."""
    found: list[str] = []

    def note(name: str) -> Ref:
        found.append(name)
        return Ref(names.ROOT_OID)

    codec.resolved(value, note)
    yield from found
    yield from _references(value)


def _references(value: Value) -> Iterator[Ref]:
    pending = [value]
    while pending:
        here = pending.pop()
        if isinstance(here, Ref):
            yield here
        elif isinstance(here, (list, dict)):
            pending.extend(here.values() if isinstance(here, dict) else here)


def _others(example: Value) -> list[str]:
    others = example.get("objects") if isinstance(example, dict) else None
    return [name for name in others if isinstance(name, str)] if isinstance(others, dict) else []
