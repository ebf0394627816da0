"""JSON schemas of what a tool takes and gives, made from the structs themselves, and the reading of what was given.

What a tool gives is data of the world as JSON (`cli.values`): a reference is `{"$ref": oid}` and bytes are `{"$bytes": base64}`.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from cli import values
from cli.doors.waiting import next_of
from protocol import codec
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.home import Home

T = TypeVar("T", bound=msgspec.Struct)

_PROPOSAL: Final = "proposal"
_NEXT: Final = {"type": "string", "description": "What comes next, where a method waits for the user's word."}
_REFERENCE: Final = {"type": "object", "properties": {"$ref": {"type": "string"}}, "required": ["$ref"]}


def description_of(kind: type[msgspec.Struct]) -> str:
    """The docstring of a struct, as one text for the agent that reads it."""
    return inspect.cleandoc(kind.__doc__ or "")


def schema_of(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The schema of a struct, an object at its root, as the protocol asks for it."""
    (_, components) = msgspec.json.schema_components([kind], schema_hook=_known, ref_template="#/$defs/{name}")
    parts = {name: _tidy(part) for name, part in components.items()}
    root: dict[str, Any] = parts.pop(kind.__name__)
    root.pop("description", None)
    if _PROPOSAL in kind.__struct_fields__:
        root["properties"]["next"] = _NEXT
    return {**root, **({"$defs": parts} if parts else {})}


def _tidy(part: dict[str, Any]) -> dict[str, Any]:
    """Without the titles that only repeat names, and with descriptions as flowing text."""
    kept = {key: value for key, value in part.items() if key != "title"}
    if "description" in kept:
        kept["description"] = inspect.cleandoc(kept["description"])
    return kept


def _known(kind: type) -> dict[str, Any]:
    if kind is Ref:
        return _REFERENCE
    raise NotImplementedError(kind)


def read_arguments(given: Mapping[str, Any], kind: type[T], *, by_name: bool) -> T:
    """What was given to a tool, checked against what it takes; BAD_ARGUMENT or BAD_JSON says what is wrong with it.

    With `by_name` references may name their objects.
    """
    try:
        text = json.dumps(given)
    except (RecursionError, ValueError) as error:
        raise BatosError("BAD_ARGUMENT", f"the arguments cannot be read: {error}", "Give plain JSON.") from error
    found = values.read_json(text, "the arguments", by_name=by_name)
    try:
        return codec.convert(found, kind)
    except BatosError as error:
        fields = ", ".join(kind.__struct_fields__)
        raise BatosError("BAD_ARGUMENT", error.message, f"The arguments are: {fields}.") from error


def told(value: msgspec.Struct, home: Home) -> dict[str, Any]:
    """A tool's answer as JSON; where a method waits for the user's word, it says what comes next."""
    found: dict[str, Any] = values.to_json(value)
    proposal = found.get(_PROPOSAL)
    return found if proposal is None else {**found, "next": next_of(home, proposal)}
