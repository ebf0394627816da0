"""The check of a document that is to be remembered, and the hash that tells whether memory knows it already.

Three places use it: the command, to answer at once; the orchestrator, for what a method wants to have remembered; and memory,
which trusts no client.

A file that is larger than a document may be is remembered in parts. The first one has the document's id; the others are called
ID//2, ID//3, and say in their metadata of which `whole` they are which `part`, and how many characters it `begins` after.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from protocol import codec
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.origin import Origin

MAX_BYTES: Final = 4 << 20
MAX_METADATA_BYTES: Final = 64 << 10
MAX_ID: Final = 4096
"""Characters of an id: a path may have so many."""
_SHOWN: Final = 200
MAX_PARTS: Final = 10_000
"""Parts of a document that are looked for: metadata is anybody's to write."""
BETWEEN: Final = "//"
"""What stands between the id of a document and the number of its part: no path has it, so no file's document is called so."""
BY: Final = "remembered_by"
"""Under this name the metadata says which origin had the document remembered; no origin writes it itself."""


class Document(NamedTuple):
    """`sha256` is of text and metadata, 64 hex digits."""

    doc_id: str
    text: str
    metadata: dict[str, Value]
    sha256: str

    @property
    def cycle(self) -> str:
        """The cycle that had the thought, or nothing."""
        cycle = self.metadata.get("cycle")
        return cycle if isinstance(cycle, str) else ""


def check(doc_id: Value, text: Value, metadata: Value) -> Document:
    """The document, or BAD_DOCUMENT, BAD_VALUE or TOO_LARGE with what is wrong with it."""
    check_id(doc_id)
    if not isinstance(text, str):
        raise BatosError("BAD_DOCUMENT", f"{doc_id}: a {type(text).__name__} is no text", "Give a text.")
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise BatosError("BAD_DOCUMENT", f"{doc_id}: not valid Unicode: {error}", "Give it as UTF-8.") from error
    if size > MAX_BYTES:
        raise BatosError(
            "TOO_LARGE",
            f"{doc_id} has {size} bytes, the limit is {MAX_BYTES}",
            "Remember it in parts.",
            bytes=size,
            limit=MAX_BYTES,
        )
    if "\0" in text:
        raise BatosError("BAD_DOCUMENT", f"{doc_id} holds NUL characters, so it is no text", "Give its text.")
    if not any(character.isprintable() and not character.isspace() for character in text):
        raise BatosError("BAD_DOCUMENT", f"{doc_id} is empty", "Give a text with at least one visible character.")
    _check_metadata(doc_id, metadata)
    digest = hashlib.sha256(codec.encode([text, metadata], limit=codec.MAX_FRAME_BYTES)).hexdigest()
    return Document(doc_id, text, metadata, digest)


def check_id(doc_id: Value) -> str:
    """`doc_id` if a document may be called so; BAD_DOCUMENT otherwise."""
    if isinstance(doc_id, str) and 0 < len(doc_id) <= MAX_ID and doc_id.isprintable():
        return doc_id
    raise BatosError(
        "BAD_DOCUMENT",
        f"{str(doc_id)[:_SHOWN]!r} cannot be a document's id",
        f"Give 1 to {MAX_ID} printable characters: --id DOC_ID.",
    )


def part_id(doc_id: str, number: int) -> str:
    """What the `number`th part of a document is called, the first one being 1."""
    return doc_id if number == 1 else f"{doc_id}{BETWEEN}{number}"


def whole_id(doc_id: str, metadata: Mapping[str, Any]) -> str:
    """The id of the document that a part belongs to; its own where it is the first, or all of it."""
    whole = metadata.get("whole")
    return whole if isinstance(whole, str) and doc_id.startswith(f"{whole}{BETWEEN}") else doc_id


def signed(metadata: Value, origin: Origin | None) -> Value:
    """`metadata`, which says who had the document remembered, whatever it said before; the user of the home says what it likes."""
    return metadata if origin is None or not isinstance(metadata, dict) else {**metadata, BY: origin.label}


def _check_metadata(doc_id: str, metadata: Value) -> None:
    if not isinstance(metadata, dict) or not all(isinstance(key, str) for key in metadata):
        raise BatosError("BAD_DOCUMENT", f"{doc_id}: its metadata is no dict with texts as keys")
    try:
        codec.encode(metadata, limit=MAX_METADATA_BYTES)
    except BatosError as error:
        raise BatosError(error.code, f"{doc_id}: its metadata: {error.message}", error.hint, **error.data) from error
