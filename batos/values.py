"""Values between a program and the world: an object goes out by its OID, and a reference comes back as an object."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from protocol import codec, names
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.examples import read_example
from protocol.messages import Example

T = TypeVar("T")

_SELECTOR: Final = re.compile(r"([^()]*)(?:\(([^()]*)\))?")


class Referring:
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
    return codec.literal(codec.normalize(_referred(value), where))


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
    return read_example(codec.normalize(_referred(dict(example)), where), where)


def read_selector(text: str) -> tuple[str, list[str]]:
    """`increment_(by)` as the selector and its parameters' names."""
    match = _SELECTOR.fullmatch(text.strip())
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
    return text if names.is_oid(text) else names.check_object(text)


def _referred(value: Any) -> Any:
    if isinstance(value, Referring):
        return value.ref
    if isinstance(value, Mapping):
        return {key: _referred(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray)):
        return [_referred(item) for item in value]
    return value


def target_of(target: str | Referring) -> str:
    return target.ref.oid if isinstance(target, Referring) else check_target(target)


def slots_of(slots: Mapping[str, Any], *, setting: bool = False) -> dict[str, Value]:
    check = names.check_setting if setting else names.check_slot
    return {check(name): given(value, f"slot {name}") for name, value in slots.items()}
