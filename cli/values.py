"""Values as JSON: what a person types as an argument, and what the command prints.

JSON has no bytes, no references and no keys but texts. `{"$bytes": base64}` and `{"$ref": oid}` stand for the first
two. A key that is a number prints as a text; where that would lose something (two keys become one, or a key would be
taken for one of these signs) the dict prints as `{"$dict": [[key, value], …]}`. An integer of more than 4,300 digits,
which is more than many readers of JSON accept, prints for programs as `{"$int": "0x…"}`; a person sees its
digits, and either can be typed in. `read_json` refuses a text that can be read in two ways, so that exactly what was written
is sent.

Where a value goes into the world (`read_outside`), a reference may also name its object: `{"$ref": "pen"}`, or `@pen` where
that is the whole word. The orchestrator finds the object.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

import msgspec

from protocol import codec, names
from protocol.codec import Ref, Value
from protocol.errors import BatosError

_REF: Final = "$ref"
_BYTES: Final = "$bytes"
_DICT: Final = "$dict"
_INT: Final = "$int"
_SIGNS: Final = frozenset({_REF, _BYTES, _DICT, _INT})
_LONG: Final = 10**4300
"""From here on an integer has more digits than Python itself reads."""
_HEX: Final = re.compile(r"-?0x[0-9a-f]+")
_SHOWN: Final = 60
_FORMS: Final = 'JSON is a number, true, false, null, a "text" in double quotes, a [list] or an {"object": 1}.'


def read_outside(text: str, where: str) -> Value:
    """The value that `text` states, in which names stand for objects, as the orchestrator takes it."""
    word = text.strip()
    if not word.startswith("@"):
        return read_json(text, where, by_name=True)
    try:
        return _reference(word[1:], by_name=True)
    except ValueError as error:
        raise BatosError("BAD_JSON", f"{where}: {_short(text)} is misread: {error}", _hint(text)) from error


def read_json(text: str, where: str, *, by_name: bool = False) -> Value:
    """The value that `text` states; BAD_JSON names `where` and the place in it."""

    def refuse(message: str) -> NoReturn:
        raise BatosError("BAD_JSON", f"{where}: {_short(text)} {message}", _hint(text))

    def constant(word: str) -> NoReturn:
        refuse(f"holds {word}, which is no number that can be kept")

    def number(word: str) -> float:
        found = float(word)
        if not math.isfinite(found):
            refuse(f"holds {word}, which is too large for a float")
        return found

    def pairs(found: list[tuple[str, Any]]) -> Value:
        fields = dict(found)
        if len(fields) < len(found):
            keys = [key for key, _ in found]
            twice = next(key for key in keys if keys.count(key) > 1)
            refuse(f"has the key {json.dumps(twice)} twice")
        if not _SIGNS & fields.keys():
            return fields
        try:
            return _special(fields, by_name=by_name)
        except (ValueError, TypeError) as error:
            refuse(f"is misread: {error}")

    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_constant=constant, parse_float=number)
    except json.JSONDecodeError as error:
        refuse(f"is not JSON: {error.msg}, line {error.lineno} column {error.colno}")
    except RecursionError:
        refuse("is nested too deeply")
    except ValueError as error:
        refuse(f"cannot be read: {error}")
    return codec.normalize(value, where)


def read_pairs(words: Sequence[str], what: str) -> dict[str, Value]:
    """The `name=json` words as a dict; USAGE for a word of another form, or a name given twice."""
    found: dict[str, Value] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise BatosError("USAGE", f"{_short(word)} is no {what}", f"Write it as name=json. {_FORMS}")
        if name in found:
            raise BatosError("USAGE", f"the {what} {name} is given twice", "Give it once.")
        found[name] = read_outside(text, f"{what} {name}")
    return found


def to_json(value: Any, *, by_sign: bool = True, called: Mapping[str, str] | None = None) -> Any:
    """`value`, or a struct of values, as what `json.dumps` takes; with `by_sign` long integers as signs.

    `called` has the names of objects by their OIDs: a reference to one of them goes by its name.
    """
    if isinstance(value, Ref):
        return {_REF: (called or {}).get(value.oid, value.oid)}
    if isinstance(value, bytes):
        return {_BYTES: base64.b64encode(value).decode()}
    if isinstance(value, int) and not -_LONG < value < _LONG:
        return {_INT: hex(value)} if by_sign else value
    if isinstance(value, msgspec.Struct):
        given = {name: field for name, field in msgspec.structs.asdict(value).items() if field is not msgspec.UNSET}
        return {name: to_json(field, by_sign=by_sign, called=called) for name, field in given.items()}
    if isinstance(value, list):
        return [to_json(item, by_sign=by_sign, called=called) for item in value]
    if isinstance(value, dict):
        fields = {str(key): to_json(item, by_sign=by_sign, called=called) for key, item in value.items()}
        if len(fields) < len(value) or _SIGNS & fields.keys():
            return {_DICT: [[key, to_json(item, by_sign=by_sign, called=called)] for key, item in value.items()]}
        return fields
    return value


def outside(value: Value) -> Any:
    """A value in which names stand for objects, as what `json.dumps` takes; `read_json` reads it back by name, all of it."""
    if isinstance(value, list):
        return [outside(item) for item in value]
    if not isinstance(value, dict):
        return to_json(value)
    match value:
        case {"$ref": str()} if len(value) == 1:
            return value
        case {"$dict": [[("$ref" | "$dict") as key, item]]} if len(value) == 1:
            return {_DICT: [[key, outside(item)]]}
    if _SIGNS & value.keys() or not all(isinstance(key, str) for key in value):
        return {_DICT: [[key, outside(item)] for key, item in value.items()]}
    return {key: outside(item) for key, item in value.items()}


def line(value: Any) -> str:
    """`value` as one line of JSON in ASCII: no locale and no line separator of Unicode can break it."""
    return json.dumps(to_json(value), separators=(",", ":"))


def shown(value: Any, called: Mapping[str, str] | None = None) -> str:
    """`value` as JSON for a person's eyes: readable letters, and nothing that a terminal would obey.

    A reference to an object that is `called` something (by its OID) is told as it may be typed: `@pen`.
    """
    if isinstance(value, Ref) and called and value.oid in called:
        return printable(f"@{called[value.oid]}")
    return printable(json.dumps(to_json(value, by_sign=False, called=called), ensure_ascii=False))


def printable(text: str) -> str:
    """`text` with control characters (but for line feeds and tabs) as escapes."""
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def _special(fields: dict[str, Any], *, by_name: bool) -> Value:
    if len(fields) > 1:
        raise ValueError(f"an object with one of the keys {', '.join(sorted(_SIGNS))} has no other key")
    ((sign, content),) = fields.items()
    if sign == _REF:
        return _reference(content, by_name=by_name)
    if sign == _BYTES:
        try:
            return base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError, TypeError) as error:
            raise ValueError(f"{_BYTES} is base64: {error}") from error
    if sign == _INT:
        if not isinstance(content, str) or not _HEX.fullmatch(content):
            raise ValueError(f"{_INT} is a text of hexadecimal digits that begins with 0x or -0x")
        return int(content, 16)
    found = {}
    for pair in content:
        if not isinstance(pair, list) or len(pair) != 2 or type(pair[0]) not in {str, int} or pair[0] in found:
            raise ValueError(f"{_DICT} is a list of [key, value], each key once, a text or an integer")
        found[pair[0]] = pair[1]
    # What it holds has been read already, so that this dict alone may have to be told from a name.
    return codec.literal_dict(found) if by_name else found


def _reference(content: Any, *, by_name: bool) -> Value:
    if isinstance(content, str) and names.is_oid(content):
        return Ref(content)
    if not by_name or not isinstance(content, str):
        raise ValueError("a reference is 16 hexadecimal digits, as `look` prints them")
    try:
        return codec.named(names.check_object(content))
    except BatosError as error:
        raise ValueError(f"a reference is an object's name or OID: {error.message}") from error


def _short(text: str) -> str:
    clean = printable(text[:_SHOWN]).replace("\n", "\\n")
    return clean + "…" if len(text) > _SHOWN else clean or "an empty text"


def _hint(text: str) -> str:
    word = text.strip()
    if word and not word.startswith(("{", "[", '"')) and word[-1] not in "]}":
        return f"""Quote a text for the shell and for JSON: '{json.dumps(_short(word), ensure_ascii=False)}'."""
    return _FORMS
