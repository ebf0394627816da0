"""Documents: `remember`, `search`, `forget`. They talk to memory itself, since nothing needs thinking.

All files are read and checked before the first one is sent, so that a wrong name among ten costs nothing. Remembering
is idempotent: where memory is lost on the way, the same document is sent again, and it is remembered once.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from bus.again import Again
from bus.client import Client
from cli import wire
from cli.calls import sending
from cli.values import read_json
from protocol import verbs
from protocol.checks import documents
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Found, Index, Indexed, IndexProgress, Search, Unindex, Unindexed
from protocol.texts import STDIN, bounded_text

SERVICE: Final = "memory"
REMEMBER_S: Final = 3600.0
"""Seconds for one document: of four megabytes, a slow machine embeds the sentences in a quarter of that."""
AGAIN_FOR_S: Final = 60.0
"""Seconds that memory may be away in the middle of the work; it restarts in ten."""


class Remembered(msgspec.Struct, frozen=True):
    doc_id: str
    chunks: int


class Memories(msgspec.Struct, frozen=True):
    """What `remember` came to; `tid` is the last commit, None where all of it was known already."""

    documents: list[Remembered]
    tid: str | None


class Text(NamedTuple):
    """A document that has been read; `source` is its path, or `stdin`."""

    doc_id: str
    text: str
    source: str

    def request(self) -> Index:
        return Index(doc_id=self.doc_id, text=self.text, metadata={"source": self.source, "kind": "document"})


def read_all(files: Sequence[str], doc_id: str | None) -> list[Text]:
    """Every file as a document; the first that is none is an error of exit code 2, and nothing has been sent."""
    if doc_id is not None and len(files) > 1:
        raise BatosError("USAGE", f"--id names one document, and {len(files)} files are given", "Give one file.")
    if STDIN in files and doc_id is None:
        raise BatosError("USAGE", "a document from stdin has no name", "Name it: --id DOC_ID.")
    texts = [_read(name, None if doc_id is None else documents.check_id(doc_id)) for name in files]
    for text in texts:
        request = text.request()
        documents.check(request.doc_id, request.text, request.metadata)
    return texts


async def remember(
    home: Home, texts: Sequence[Text], on_progress: Callable[[IndexProgress], None] = lambda _: None
) -> Memories:
    """Remember each document, one after the other; where one fails, the error says how many went before."""
    done: list[Remembered] = []
    tid = None
    async with wire.client(home) as bus:
        await wire.reach(home, bus, SERVICE)
        for text in texts:
            try:
                indexed = await _index(home, bus, text.request(), on_progress)
            except BatosError as error:
                raise _after(error, len(done), len(texts)) from error
            tid = indexed.tid or tid
            done.append(Remembered(indexed.doc_id, len(indexed.chunks)))
    return Memories(done, tid)


async def search(home: Home, request: Search) -> Found:
    return await wire.ask(home, verbs.SEARCH, request)


def narrowed(entries: Sequence[str]) -> dict[str, Value]:
    """Entries of metadata as a person states them, `key=value`; a value that is no JSON is a text."""
    found: dict[str, Value] = {}
    for entry in entries:
        key, sign, text = entry.partition("=")
        if not key or not sign:
            raise BatosError("USAGE", f"--where {entry[:60]!r} is no entry", "Say --where key=value.")
        try:
            found[key] = read_json(text, f"--where {key}")
        except BatosError:
            found[key] = text
    return found


async def forget(home: Home, doc_id: str, key: str | None) -> Unindexed:
    """Forget the document of this id, or else the one that was remembered from the file of this name.

    Under its key it is forgotten once, and whoever asks again has the same answer.
    """
    key = sending.check_key(key)
    try:
        return await wire.ask(home, verbs.UNINDEX, Unindex(doc_id=doc_id), key=key)
    except BatosError as error:
        path = _absolute(doc_id)
        if error.code != "UNKNOWN_DOCUMENT" or path == doc_id:
            raise
        try:
            return await wire.ask(home, verbs.UNINDEX, Unindex(doc_id=path), key=key)
        except BatosError as again:
            raise (error if again.code == "UNKNOWN_DOCUMENT" else again) from again


async def _index(home: Home, bus: Client, request: Index, on_progress: Callable[[IndexProgress], None]) -> Indexed:
    """The answer to one `index`, asked again for a while where memory is lost after it was asked."""
    again = Again(math.inf, once_lost=AGAIN_FOR_S)
    while True:
        try:
            return await bus.call(verbs.INDEX, request, seconds=REMEMBER_S, on_partial=on_progress)
        except BatosError as error:
            if not again.may(error) or again.left < 0:
                raise wire.told(home, error) from error
        await again.rest()


def _after(error: BatosError, done: int, total: int) -> BatosError:
    if total == 1:
        return error
    said = f"{done} of {total} documents are remembered; the same command goes on from there."
    facts = {**error.data, "remembered": done}
    return BatosError(error.code, error.message, f"{error.hint} {said}".strip(), **facts)


def _read(name: str, doc_id: str | None) -> Text:
    is_stdin = name == STDIN
    path = name if is_stdin else _absolute(name)
    text = bounded_text(
        path,
        name="stdin" if is_stdin else name,
        most=documents.MAX_BYTES,
        parts="Remember it in parts.",
        convert="Convert it first, as with iconv or pdftotext.",
    )
    return Text(documents.check_id(path) if doc_id is None else doc_id, text, "stdin" if is_stdin else path)


def _absolute(name: str) -> str:
    """Links stay as they are: a document keeps its id when its file is gone, or is read from a pipe."""
    return os.path.abspath(name)  # noqa: PTH100
