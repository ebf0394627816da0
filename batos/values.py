"""Values between a program and the world: an object goes out by its OID, and a reference comes back as an object."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NoReturn, Self, TypeVar

from protocol import codec, names
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.examples import read_example
from protocol.messages import Example

T = TypeVar("T")

_SELECTOR: Final = re.compile(r"([^()]*)(?:\(([^()]*)\))?")


class Bound:
    """What belongs to one connection of one process: it is copied as itself, and goes to no other process."""

    __slots__ = ()

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{self!r} belongs to this process: give another one the name of the object, and make a World there"
        )


class Referring(Bound):
    """What stands for an object of the world, so that it can be given as a value."""

    __slots__ = ()

    @property
    def ref(self) -> Ref:
        """The reference that travels."""
        raise NotImplementedError


def given(value: Any, where: str = "the value") -> Value:
    """`value` as the orchestrator takes it from outside: nothing of a program's data is taken for the name of an object.

    BAD_VALUE for what may not cross.
    """
    return codec.literal(codec.normalize(_referred(value, where), where))


def found(value: Value, thing: Callable[[Ref], T]) -> Any:
    """A value that came back, with an object for each reference."""
    if isinstance(value, Ref):
        return thing(value)
    if isinstance(value, list):
        return [found(item, thing) for item in value]
    if isinstance(value, dict):
        return {key: found(item, thing) for key, item in value.items()}
    return value


def given_example(example: Mapping[str, Any] | Example, where: str) -> Example:
    """An example as a program states it: {"slots", "args", "kwargs", "returns", …}. BAD_EXAMPLE."""
    if isinstance(example, Example):
        return example
    if not isinstance(example, Mapping):
        raise BatosError(
            "BAD_EXAMPLE",
            f"{where} is a {type(example).__name__}",
            'Give a dict: {"slots": {…}, "args": […], "returns": …}',
        )
    return read_example(codec.normalize(_referred(dict(example), where), where), where)


def read_selector(text: str) -> tuple[str, list[str]]:
    """`increment_(by)` as the selector and its parameters' names."""
    match = _SELECTOR.fullmatch(worded(text, "a selector").strip())
    if match is None:
        raise BatosError(
            "BAD_SELECTOR",
            f"{text[: names.MAX_NAME]!r} is no selector",
            "A selector is an identifier that ends in an underscore, such as area_ or increment_(by).",
        )
    listed = (match[2] or "").strip()
    parameters = [names.check_parameter(word.strip()) for word in listed.split(",")] if listed else []
    return names.check_selector(match[1].strip()), parameters


def check_target(text: str) -> str:
    """`text` if it may be an object's name or OID."""
    return text if names.is_oid(worded(text, "an object's name")) else names.check_object(text)


def worded(text: Any, what: str) -> str:
    """`text` if it is one; BAD_ARGUMENT says what `what` is instead."""
    if not isinstance(text, str):
        raise BatosError("BAD_ARGUMENT", f"{what} is a text, and not a {type(text).__name__}", f"Give {what} as a str.")
    return text


def _referred(value: Any, where: str, depth: int = 0) -> Any:
    if isinstance(value, Referring):
        return value.ref
    if depth > codec.MAX_DEPTH:
        raise BatosError(
            "BAD_VALUE",
            f"{where} is nested deeper than {codec.MAX_DEPTH} levels, or holds itself",
            "Keep its parts in objects, and give references to them.",
        )
    if isinstance(value, Mapping):
        return {key: _referred(item, where, depth + 1) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray, memoryview)):
        return [_referred(item, where, depth + 1) for item in value]
    return value


def target_of(target: str | Referring) -> str:
    return target.ref.oid if isinstance(target, Referring) else check_target(target)


def slots_of(slots: Mapping[str, Any], *, setting: bool = False) -> dict[str, Value]:
    check = names.check_setting if setting else names.check_slot
    return {check(worded(name, "a slot's name")): given(value, f"slot {name}") for name, value in slots.items()}
