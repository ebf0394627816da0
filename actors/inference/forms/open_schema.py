"""The JSON schema of a value that was cut: as the form's, but in the order of keys in which the text has begun.

A matcher keeps one order of keys, and a text may have another. Nobody can write a cut object in the form's order, because the
keys that are lacking may come first there. So the schema is changed along the open containers: at each object the keys that
the text has come first, and no key is required, for what is lacking may still come. An object that is open in the text bears
a mark as its first key. So nothing else that the text holds is taken for it, though it is allowed to lack keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final
from urllib.parse import unquote

from llguidance import LLMatcher, LLTokenizer

from actors.inference.forms.bytewise import Bytes, spelt
from actors.inference.forms.partial_json import Container

Schema = dict[str, Any] | bool

KEYS: Final = 500
"""Keys of one open object. With more of them, a schema that names each takes seconds to compile; so nothing begins with them."""
_MAPS: Final = frozenset({"properties", "patternProperties", "$defs", "definitions"})
"""Words of a schema whose value gives schemas by name."""
_VALUES: Final = frozenset({"enum", "const", "default", "examples", "example"})
"""Words whose value is no schema."""
_APART: Final = frozenset({"$ref", "anyOf", "oneOf", "allOf", "enum", "const", "$defs", "definitions"})
"""Words that are looked at by themselves; definitions stay where they are."""


def opened(schema: Schema, path: Sequence[Container], mark: str) -> Schema:
    """The schema of texts that begin as the containers of `path` do, with `mark` as the first key of each open object.

    False where no value of `schema` begins like this. What a reference names is not followed where it is no pointer
    into the schema; anything goes there.
    """
    root = _moved(schema, mark)
    opening = _Opening(root, path, mark)
    made = opening.value(root, 0, frozenset())
    return made if isinstance(made, bool) else {**made, "$defs": {mark: root, **opening.defs}}


class _Opening:
    """One walk along the open containers."""

    def __init__(self, root: Schema, path: Sequence[Container], mark: str) -> None:
        self._root = root
        self._path = path
        self._mark = mark
        self._known: dict[tuple[str, int], Schema] = {}
        self.defs: dict[str, Schema] = {}
        """What references have become, by new names: written out each time, they would be as many as there are ways."""

    def value(self, schema: Any, depth: int, followed: frozenset[str]) -> Schema:
        """The schema of the value that container `depth` of the path begins; `followed` are the references on the way here."""
        if schema is False or depth == len(self._path):
            return schema if isinstance(schema, dict | bool) else True
        own = dict(schema) if isinstance(schema, dict) else {}
        plain = {word: said for word, said in own.items() if word not in _APART}
        # What only refers elsewhere says nothing itself; llguidance takes long to bring many such together.
        parts: list[Schema] = [self._container(plain, depth)] if plain or not own.keys() & _APART else []
        if isinstance(ref := own.get("$ref"), str):
            parts.append(self._referred(ref, depth, followed))
        choices = [own[word] for word in ("anyOf", "oneOf") if word in own]
        parts += [_any(self.value(one, depth, followed) for one in choice) for choice in choices]
        parts += [self.value(one, depth, followed) for one in own.get("allOf", ())]
        listed = own.get("enum", [own["const"]] if "const" in own else None)
        if listed is not None:
            nested = [_constant(one) for one in listed if isinstance(one, dict | list)]
            parts.append(_any(self.value(one, depth, followed) for one in nested))
        if False in parts:
            return False
        return parts[0] if len(parts) == 1 else {"allOf": parts} if parts else self._container({}, depth)

    def _referred(self, ref: str, depth: int, followed: frozenset[str]) -> Schema:
        if ref in followed:
            return False
        if (ref, depth) in self._known:
            return self._known[ref, depth]
        made = self.value(_target(self._root, ref, self._mark), depth, followed | {ref})
        # On the way of another reference that one is left out, so what is made there holds nowhere else.
        if not followed and made is not False:
            name = f"{self._mark}-{len(self.defs)}"
            self.defs[name] = made
            made = {"$ref": f"#/$defs/{name}"}
        if not followed:
            self._known[ref, depth] = made
        return made

    def _container(self, own: dict[str, Any], depth: int) -> Schema:
        top = self._path[depth]
        kind = "object" if top.is_object else "array"
        kinds = own.get("type", kind)
        if kind not in ([kinds] if isinstance(kinds, str) else kinds):
            return False
        return self._object(own, depth) if top.is_object else self._array(own, depth)

    def _object(self, own: dict[str, Any], depth: int) -> Schema:
        top = self._path[depth]
        number = len(top.keys) + (top.awaits and top.key is None)
        if number > min(own.get("maxProperties", KEYS), KEYS):
            return False
        named: dict[str, Schema] = {key: _member(own, key) for key in top.keys}
        if top.key is not None:
            named[top.key] = self.value(named[top.key], depth + 1, frozenset())
        if False in named.values():
            return False
        rest = {key: one for key, one in own.get("properties", {}).items() if key not in named}
        return {
            "type": "object",
            "properties": {self._mark: {}, **named, **rest},
            # Whether they are there is known: optional ones would take llguidance minutes.
            "required": [self._mark, *named],
            **{word: own[word] for word in ("patternProperties", "additionalProperties") if word in own},
        }

    def _array(self, own: dict[str, Any], depth: int) -> Schema:
        number = len(self._path[depth].items)
        made = {**own, "type": "array"}
        if depth + 1 == len(self._path) or not own.keys() & {"items", "prefixItems"}:
            return made
        if isinstance(own.get("items"), list):
            made["prefixItems"], made["items"] = own["items"], own.get("additionalItems", True)
            made.pop("additionalItems", None)
        first = list(made.get("prefixItems", ()))
        if number < len(first):
            first[number] = self.value(first[number], depth + 1, frozenset())
            made["prefixItems"] = first
            return False if first[number] is False else made
        items = made.get("items", True)
        made["items"] = _any([items, self.value(items, depth + 1, frozenset())])
        return made


def _member(own: dict[str, Any], key: str) -> Schema:
    """What an object's schema says of the value of `key`."""
    if key in own.get("properties", {}):
        found: Schema = own["properties"][key]
        return found
    matching = [one for pattern, one in own.get("patternProperties", {}).items() if _matches(pattern, key)]
    if matching:
        return matching[0] if len(matching) == 1 else {"allOf": matching}
    more: Schema = own.get("additionalProperties", True)
    return more


def _matches(pattern: str, key: str) -> bool:
    """Whether the pattern is found in the key. Whoever keeps the form decides: Python reads some differently, or never ends."""
    form = LLMatcher.grammar_from_json_schema(json.dumps({"type": "string", "pattern": pattern}))
    return Bytes(LLMatcher(LLTokenizer("byte"), form, log_level=0)).takes(f'"{spelt(key)}"')


def _any(schemas: Iterable[Schema]) -> Schema:
    possible = [one for one in schemas if one is not False]
    return {"anyOf": possible} if possible else False


def _constant(value: Any) -> Schema:
    """The schema of this one value, whose keys may be put into another order."""
    if isinstance(value, dict):
        members = {key: _constant(one) for key, one in value.items()}
        return {"type": "object", "properties": members, "required": list(members), "additionalProperties": False}
    if isinstance(value, list):
        number = len(value)
        first = [_constant(one) for one in value]
        return {"type": "array", "prefixItems": first, "items": False, "minItems": number, "maxItems": number}
    return {"const": value}


def _target(root: Schema, ref: str, mark: str) -> Schema:
    """What the reference, which has been moved, names in `root`."""
    found: Any = root
    for word in ref.removeprefix(f"#/$defs/{mark}").split("/")[1:]:
        name = unquote(word).replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        elif isinstance(found, dict) and name in found:
            found = found[name]
        else:
            return True
    return found if isinstance(found, dict | bool) else True


def _moved(schema: Any, mark: str) -> Any:
    """The schema as it reads where it stands under `$defs` of another one."""
    if isinstance(schema, list):
        return [_moved(one, mark) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made: dict[str, Any] = {}
    for word, value in schema.items():
        if word in {"$id", "$schema"} and isinstance(value, str):
            continue
        if word == "$ref" and isinstance(value, str):
            if value.startswith("#"):
                made[word] = f"#/$defs/{mark}{value[1:]}"
        elif word in _VALUES:
            made[word] = value
        elif word in _MAPS and isinstance(value, dict):
            made[word] = {name: _moved(one, mark) for name, one in value.items()}
        else:
            made[word] = _moved(value, mark)
    return made
