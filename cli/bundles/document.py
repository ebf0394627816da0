"""A bundle as a file: one JSON document that a person can read, and that says what it is before anything else.

    {"format": "batos bundle", "version": 1, "needs": ["traits_obj"], "objects": [{"name": "box", …}]}

A source stands as its lines, so that a change of one shows as one; its sha256 stands beside it. Values are written as they are
typed on a command line, references by name. Of a newer version nothing more than that is read.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Final

import msgspec

from cli import values
from protocol import codec
from protocol.checks import bundles
from protocol.errors import BatosError
from protocol.messages import BundledMethod, BundledObject, Exported
from protocol.texts import STDIN, bounded_text

FORMAT: Final = "batos bundle"
VERSION: Final = 1
MAX_BYTES: Final = codec.MAX_FRAME_BYTES
"""What goes to the orchestrator in one piece."""
_AGAIN: Final = "Have it exported again: `batos export NAME… -o FILE`."


class Bundle(msgspec.Struct, frozen=True):
    """What a file holds: its name in messages, the objects, and the sha256 of the file's text."""

    name: str
    objects: list[BundledObject]
    sha256: str


def write(file: str, found: Exported) -> str:
    """Put what was exported into `file`, whole or not at all; the sha256 of its text. STORAGE, TOO_LARGE."""
    text = written(found)
    if len(text) > MAX_BYTES:
        raise BatosError(
            "TOO_LARGE",
            f"a bundle of {len(text)} bytes, the limit is {MAX_BYTES}",
            "Export fewer objects at once.",
        )
    place = Path(file)
    fresh = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        fresh.write_bytes(text)
        fresh.replace(place)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise BatosError(
            "STORAGE", f"cannot write {file}: {error.strerror}", "Name a file in a folder that is yours."
        ) from error
    return hashlib.sha256(text).hexdigest()


def written(found: Exported) -> bytes:
    """The document, in UTF-8."""
    whole = {
        "format": FORMAT,
        "version": VERSION,
        "needs": found.needs,
        "objects": [_object(each) for each in found.objects],
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
    objects = _objects(name, text)
    bundles.check_objects(objects)
    stem = "standard input" if file == STDIN else Path(file).name
    return Bundle(stem, objects, hashlib.sha256(text.encode()).hexdigest())


def _objects(name: str, text: str) -> list[BundledObject]:
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
    try:
        return codec.convert([_joined(each) for each in whole["objects"]], list[BundledObject])
    except (BatosError, KeyError, TypeError, AttributeError) as error:
        said = error.message if isinstance(error, BatosError) else f"{type(error).__name__} {error}"
        raise BatosError("BAD_BUNDLE", f"{name} is no bundle as this program knows them: {said}", _AGAIN) from error


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
