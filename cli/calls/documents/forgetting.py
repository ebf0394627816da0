"""Which documents a person means to forget, and their forgetting: ids, paths, and patterns of them."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from collections.abc import Sequence

from bus.client import Client
from cli import wire
from cli.calls import sending
from cli.calls.documents.folders import absolute
from cli.calls.documents.outcomes import Forgetting, ForgottenDocument
from cli.calls.documents.planning import SERVICE
from cli.calls.documents.remembering import FORGET_S, forgotten
from cli.calls.documents.wholes import WholeDocument, kept_as, kept_under
from protocol import verbs
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Lineage, Unindex, Unindexed

_GLOB = re.compile(r"[*?\[]")


def is_pattern(word: str) -> bool:
    """Whether a word may mean several documents."""
    return _GLOB.search(word) is not None


async def matching(home: Home, patterns: Sequence[str]) -> list[WholeDocument]:
    """The documents of any of these ids, paths or patterns, in their order; all of them where none is given.

    UNKNOWN_DOCUMENT for an id that there is none of. A pattern may find nothing.
    """
    async with wire.client(home) as bus:
        await wire.reach(home, bus, SERVICE)
        found = {} if patterns else await kept_under(bus, "")
        for pattern in patterns:
            found |= await _matching(bus, pattern)
        return list(found.values())


async def forget_all(
    home: Home, documents: Sequence[WholeDocument], derived: Lineage | None = None, tid: str | None = None
) -> Forgetting:
    """Forget these documents, one after the other; what came of them has gone already with `tid`, if at all."""
    async with wire.client(home) as bus:
        await wire.reach(home, bus, SERVICE)
        gone = [await forgotten(bus, document) for document in documents]
        return Forgetting(gone, derived=derived, derived_tid=tid)


async def forget(home: Home, doc_id: str, key: str | None) -> Unindexed:
    """Forget the document of this id, or else the one that was remembered from the file of this name.

    Under its key it is forgotten once, and whoever asks again has the same answer.
    """
    key = sending.check_key(key)
    try:
        return await _forget(home, doc_id, key)
    except BatosError as error:
        path = absolute(doc_id)
        if error.code != "UNKNOWN_DOCUMENT" or path == doc_id:
            raise
        try:
            return await _forget(home, path, key)
        except BatosError as again:
            raise (error if again.code == "UNKNOWN_DOCUMENT" else again) from again


async def _forget(home: Home, doc_id: str, key: str) -> Unindexed:
    chunks = 0
    async with wire.client(home) as bus:
        await wire.reach(home, bus, SERVICE)
        document = await kept_as(bus, doc_id) if doc_id.isprintable() else None
        doc_id = document.doc_id if document is not None else doc_id
        for part in document.ids if document is not None else ():
            if part != doc_id:
                gone = await bus.call(verbs.UNINDEX, Unindex(doc_id=part), seconds=FORGET_S)
                chunks += gone.chunks
    last = await wire.ask(home, verbs.UNINDEX, Unindex(doc_id=doc_id), key=key)
    return Unindexed(doc_id=last.doc_id, chunks=chunks + last.chunks, tid=last.tid)


async def _matching(bus: Client, pattern: str) -> dict[str, WholeDocument]:
    for doc_id in dict.fromkeys([pattern, absolute(pattern)]):
        if doc_id and (document := await kept_as(bus, doc_id)) is not None:
            return {document.doc_id: document}
    if not is_pattern(pattern):
        raise BatosError(
            "UNKNOWN_DOCUMENT",
            f"no document is called {pattern[:200]!r}",
            "`batos documents` lists what is remembered.",
        )
    found: dict[str, WholeDocument] = {}
    for each in dict.fromkeys([pattern, _from_here(pattern)]):
        begin = _GLOB.search(each)
        known = await kept_under(bus, each[: begin.start()] if begin is not None else each)
        found |= {doc_id: one for doc_id, one in known.items() if fnmatch.fnmatchcase(doc_id, each)}
    return found


def _from_here(pattern: str) -> str:
    """The pattern of absolute paths that one of relative paths means; what the folder itself is called is no pattern."""
    here = glob.escape(os.getcwd())  # noqa: PTH109 - a text
    return os.path.normpath(os.path.join(here, pattern))  # noqa: PTH118 - a pattern is no path


def foreseen(documents: Sequence[WholeDocument], derived: Lineage | None = None) -> Forgetting:
    """What would be forgotten."""
    documents_told = [ForgottenDocument(each.doc_id, each.chunks, "") for each in documents]
    return Forgetting(documents_told, dry_run=True, derived=derived)
