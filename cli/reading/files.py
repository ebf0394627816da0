"""A file of any kind, from its path to the parts of its text.

It is looked at first (`look`): what it is, and the hash of its bytes, by which one knows whether anything has changed. Only
then is it read (`read`). Text is decoded on its way, block by block, so that its size does not matter; what is not text goes
through a child as a whole. A file that changes between the two is refused: its parts would be of two texts.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any, BinaryIO, Final, NamedTuple

from cli.reading import charsets, kinds, plain, tables
from cli.reading.charsets import STRAY, Charset
from cli.reading.child import FORMATS
from cli.reading.jailer import Children
from cli.reading.parts import parts
from cli.reading.readings import Reading, no_text, too_large
from protocol.errors import BatosError
from protocol.texts import STDIN

MAX_TEXT_BYTES: Final = 1 << 30
MAX_FILE_BYTES: Final = 128 << 20
"""Bytes of a file that is read as a whole, and of one that is no regular file (a pipe) and may have no end."""
_BLOCK: Final = 1 << 20


class Seen(NamedTuple):
    """A file that was looked at: its size, the hash of its bytes, its format, and how a text is to be decoded.

    `data` is there where it cannot be read a second time.
    """

    path: str
    size: int
    sha256: str
    kind: str
    charset: Charset | None = None
    data: bytes | None = None


class Content(NamedTuple):
    """What a file holds: metadata, sentences for the user, and the parts of its text, which are read as one takes them."""

    facts: dict[str, Any]
    notes: list[str]
    parts: Iterator[str]


def look(path: str) -> Seen:
    """What `path` is. UNREADABLE; BAD_DOCUMENT where it is known to hold no text; TOO_LARGE."""
    with _readable(), _opened(path) as file:
        is_regular = file is not sys.stdin.buffer and stat.S_ISREG(os.fstat(file.fileno()).st_mode)
        if is_regular:
            return _looked(path, file, None)
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise too_large(f"it has more than {MAX_FILE_BYTES >> 20} MB", "Write it to a file, and remember that.")
    return _looked(path, io.BytesIO(data), data)


def read(seen: Seen, children: Children) -> Content:
    """The text of a file that was looked at, and what it says of itself."""
    if seen.kind not in FORMATS:
        return _text(seen)
    data = b"".join(_blocks(seen))
    name = os.fsencode(seen.path).decode(errors="replace")  # a path need not be Unicode, and what is sent must
    return content(children.read(seen.kind, name, data))


def content(reading: Reading) -> Content:
    """A reading, in parts."""
    notes = list(reading.notes)
    if reading.certainty < 1.0:
        notes.append(_guess(Charset(reading.encoding, reading.certainty)))
    return Content(reading.facts(), notes, parts([reading.text], reading.format))


def _looked(path: str, file: BinaryIO, data: bytes | None) -> Seen:
    digest, size, head, odd = hashlib.sha256(), 0, b"", b""
    decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
    while block := file.read(_BLOCK):
        head = head or block[: kinds.HEAD]
        digest.update(block)
        size += len(block)
        if size > MAX_TEXT_BYTES:
            raise too_large(f"it has more than {MAX_TEXT_BYTES >> 20} MB", "Split it, and remember the parts.")
        if decoder is not None and not _goes_on(decoder, block):
            decoder, odd = None, block
    if not size:
        raise no_text("it is empty", "Leave it out: --exclude.")
    if decoder is not None and not _goes_on(decoder, b"", final=True):
        odd = head
    kind = kinds.kind_of(head, path)
    charset = None
    if kind not in FORMATS:
        charset = charsets.marked(head) or _detected(head, odd)
        if charset is None:
            raise no_text(
                "it holds bytes that are no text in any encoding", "Convert it first, or leave it out: --exclude."
            )
    elif size > MAX_FILE_BYTES:
        raise too_large(f"it has {size} bytes, the limit is {MAX_FILE_BYTES}", "Split it, and remember the parts.")
    return Seen(path, size, digest.hexdigest(), kind, charset, data)


def _detected(head: bytes, odd: bytes) -> Charset | None:
    """The encoding of a text without a mark; `odd` is the block where it ceases to be UTF-8, or to be text."""
    if b"\0" in odd and b"\0" not in head:
        return None
    return charsets.detect(head if b"\0" in head else odd or head, is_utf8=not odd)


def _goes_on(decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool = False) -> bool:
    try:
        return "\0" not in decoder.decode(block, final)
    except UnicodeDecodeError:
        return False


def _text(seen: Seen) -> Content:
    assert seen.charset is not None
    pieces = _decoded(seen, seen.charset)
    first = next(pieces, "")
    facts: dict[str, Any] = {"format": seen.kind, **plain.facts_of(first, seen.kind, seen.path)}
    notes = []
    if seen.charset.certainty < 1.0:
        facts |= {"encoding": seen.charset.name, "certainty": round(seen.charset.certainty, 2)}
        notes.append(_guess(seen.charset))
    whole = chain([plain.body(first, seen.kind)], pieces)
    return Content(facts, notes, parts(tables.texts(whole, seen.path) if seen.kind == "table" else whole, seen.kind))


def _decoded(seen: Seen, charset: Charset) -> Iterator[str]:
    """The text, with line feeds as the ends of its lines."""
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(charset.name)(charset.errors), translate=True)
    try:
        for block in _blocks(seen):
            yield decoder.decode(block)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise no_text(f"it is not all {charset.name}: {error.reason}", "Convert it first, as with iconv.") from error


def _blocks(seen: Seen) -> Iterator[bytes]:
    """The bytes that were looked at; UNREADABLE where the file has others now."""
    digest = hashlib.sha256()
    with _readable(), io.BytesIO(seen.data) if seen.data is not None else _opened(seen.path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            yield block
    if digest.hexdigest() != seen.sha256:
        raise BatosError("UNREADABLE", "it was changed while it was read", "Remember it again when nobody writes it.")


def _guess(charset: Charset) -> str:
    if charset.errors == STRAY:
        return f"read as UTF-8, though some of its bytes are none ({charset.certainty:.0%} sure)"
    name = {"cp1252": "Windows-1252 (Latin-1)"}.get(charset.name, charset.name.replace("_", "-"))
    return f"read as {name}, which is a guess ({charset.certainty:.0%} sure)"


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    if path == STDIN:
        yield sys.stdin.buffer
        return
    with open(path, "rb") as file:  # noqa: PTH123 - a pipe under /dev/fd is a file too
        yield file


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except IsADirectoryError as error:
        raise BatosError("UNREADABLE", "it is a folder", "Name the folder by its path.") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BatosError("UNREADABLE", f"it cannot be read: {reason}", "Give a file that you may read.") from error
