"""A bundle as a file: one JSON document that a person can read, and that says what it is before anything else.

    {"format": "batos bundle", "version": 1, "needs": ["traits_obj"], "objects": [{"name": "box", …}]}

Where experts were asked for they stand at the end, `{"name", "sha256", "base_model", "file"}`, each file as base64.

A source stands as its lines, so that a change of one shows as one; its sha256 stands beside it. Values are written as they are
typed on a command line, references by name. Of a newer version nothing more than that is read.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from cli import values
from protocol import codec, names
from protocol.checks import bundles
from protocol.errors import BatosError
from protocol.messages import BundledMethod, BundledObject, Exported
from protocol.texts import STDIN, bounded_text

FORMAT: Final = "batos bundle"
VERSION: Final = 1
MAX_BYTES: Final = 64 << 20
MAX_OBJECTS: Final = codec.MAX_FRAME_BYTES
"""Bytes of all but the experts: what goes to the orchestrator in one piece."""
_AGAIN: Final = "Have it exported again: `batos export NAME… -o FILE`."


class BundledExpert(msgspec.Struct, frozen=True):
    """An expert as its world keeps it: `file` is the whole file, `sha256` that of it."""

    name: str
    sha256: str
    base_model: str
    file: bytes


class Bundle(msgspec.Struct, frozen=True):
    """What a file holds: its name in messages, the objects, the sha256 of the file's text, and experts if it has any."""

    name: str
    objects: list[BundledObject]
    sha256: str
    experts: list[BundledExpert] = []


def write(file: str, found: Exported, experts: Sequence[BundledExpert] = ()) -> str:
    """Put what was exported into `file`, whole or not at all; the sha256 of its text. STORAGE, TOO_LARGE."""
    text = written(found)
    for limit in (MAX_OBJECTS, MAX_BYTES):
        if len(text) > limit:
            raise BatosError(
                "TOO_LARGE",
                f"a bundle of {len(text)} bytes, the limit is {limit}",
                "Export fewer objects at once, or leave --experts away.",
            )
        text = written(found, experts)
    place = Path(file)
    fresh = place.parent / f".{place.name}.{os.getpid()}"
    try:
        fresh.write_bytes(text)
        fresh.replace(place)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise BatosError(
            "STORAGE", f"cannot write {file}: {error.strerror}", "Name a file in a folder that is yours."
        ) from error
    return hashlib.sha256(text).hexdigest()


def written(found: Exported, experts: Sequence[BundledExpert] = ()) -> bytes:
    """The document, in UTF-8."""
    tail = [{**msgspec.structs.asdict(one), "file": base64.b64encode(one.file).decode()} for one in experts]
    whole = {
        "format": FORMAT,
        "version": VERSION,
        "needs": found.needs,
        "objects": [_object(each) for each in found.objects],
        **({"experts": tail} if tail else {}),
    }
    return (json.dumps(whole, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")


def read(file: str) -> Bundle:
    """The bundle in `file` (`-`: standard input), checked; UNREADABLE, TOO_LARGE, BAD_BUNDLE, BAD_NAME, BAD_EXAMPLE."""
    name = "standard input" if file == STDIN else file
    text = bounded_text(
        file,
        name=name,
        most=MAX_BYTES,
        parts="No bundle is so large: have fewer objects exported at once.",
        convert=_AGAIN,
        code="BAD_BUNDLE",
    )
    whole = _whole(name, text)
    try:
        objects = codec.convert([_joined(each) for each in whole["objects"]], list[BundledObject])
        experts = [_expert(each) for each in whole.get("experts", [])]
    except (BatosError, KeyError, TypeError, AttributeError, ValueError) as error:
        said = error.message if isinstance(error, BatosError) else f"{type(error).__name__} {error}"
        raise BatosError("BAD_BUNDLE", f"{name} is no bundle as this program knows them: {said}", _AGAIN) from error
    bundles.check_objects(objects)
    for one in experts:
        names.check_object(one.name)
        if hashlib.sha256(one.file).hexdigest() != one.sha256:
            raise BatosError("BAD_BUNDLE", f"the expert {one.name} is not the file that its sha256 is of", _AGAIN)
    stem = "standard input" if file == STDIN else Path(file).name
    return Bundle(stem, objects, hashlib.sha256(text.encode()).hexdigest(), experts)


def _whole(name: str, text: str) -> dict[str, Any]:
    """The document itself, once it is known to be one of this version."""
    try:
        whole = values.read_json(text, name, by_name=True)
    except BatosError as error:
        raise BatosError("BAD_BUNDLE", error.message, f"Is the file whole? {_AGAIN}") from error
    if not isinstance(whole, dict) or whole.get("format") != FORMAT:
        raise BatosError("BAD_BUNDLE", f"{name} is no bundle: its format is not {FORMAT!r}", _AGAIN)
    version = whole.get("version")
    if version != VERSION or isinstance(version, bool):
        newer = isinstance(version, int) and version > VERSION
        raise BatosError(
            "BAD_BUNDLE",
            f"{name} is a bundle of version {str(version)[:40]}, and this program reads version {VERSION}",
            "Install a newer batos, or have it exported by this one." if newer else _AGAIN,
        )
    return whole


def _expert(each: Any) -> BundledExpert:
    return codec.convert({**each, "file": base64.b64decode(each["file"], validate=True)}, BundledExpert)


def _object(each: BundledObject) -> dict[str, Any]:
    return {
        "name": each.name,
        **({"owned": True} if each.owned else {}),
        "parents": each.parents,
        "slots": {slot: values.outside(value) for slot, value in each.slots.items()},
        "methods": [_method(method) for method in each.methods],
    }


def _method(method: BundledMethod) -> dict[str, Any]:
    return {
        "selector": method.selector,
        "sha256": method.sha256,
        "intent": method.intent,
        "source": method.source.split("\n"),
        "examples": [values.outside(example) for example in method.examples],
    }


def _joined(each: Any) -> Any:
    """An object of the document with its sources in one piece."""
    methods = [{**method, "source": "\n".join(method["source"])} for method in each.get("methods", [])]
    return {**each, "methods": methods}
