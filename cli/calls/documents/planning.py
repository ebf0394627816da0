"""What a `remember` will do, found before anything is done: which files are new, changed, renamed, the same, or gone.

A file is the same where memory has a document of its path that was made of the same bytes. It is renamed where memory has one
of the same bytes under a path in the folder where nothing is any more.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import NamedTuple

from bus.client import Client
from cli import wire
from cli.calls.documents.folders import FoundPaths, Wanted, find
from cli.calls.documents.outcomes import Change, Forecast, Foreseen, RefusedFile, Remembered, failure, refusal
from cli.calls.documents.wholes import WholeDocument, kept_as, kept_under
from cli.reading import files
from cli.reading.files import Seen
from cli.reading.jailer import Children
from cli.values import printable
from protocol.checks import documents
from protocol.errors import BatosError
from protocol.home import Home

SERVICE = "memory"

Tell = Callable[[str, int, int], None]
"""Hears what is done, and how many files of how many are done with."""


class Work(NamedTuple):
    """A file to be remembered; `before` is the document whose place it takes, under its own id or another one."""

    doc_id: str
    seen: Seen
    change: Change
    before: WholeDocument | None = None


class Plan(NamedTuple):
    """`gone` are the documents of a folder that is synced whose files are gone, or hold no text any more.

    `is_single`: one file was named and nothing else, so that its refusal is an error of the command.
    """

    work: list[Work]
    same: list[Remembered]
    gone: list[WholeDocument]
    refused: list[RefusedFile]
    is_single: bool = False

    @property
    def total(self) -> int:
        return len(self.work) + len(self.same)


async def plan(home: Home, wanted: Wanted, tell: Tell = lambda *_: None) -> Plan:
    """Look at every file, and at what memory has of them. A single file that is no document is an error of its own."""
    if wanted.doc_id is not None:
        documents.check_id(wanted.doc_id)
    found = await asyncio.to_thread(find, wanted)
    refused = list(found.refused)
    seen = await asyncio.to_thread(_look, found, wanted, refused, tell)
    is_single = len(wanted.paths) == 1 and not found.folders
    if refused and is_single:
        raise failure(refused[0])
    if not seen and not wanted.sync:
        return Plan([], [], [], refused)
    async with wire.client(home) as bus:
        await wire.reach(home, bus, SERVICE)
        known = await _known(bus, found, wanted)
    return _compared(found, wanted, seen, known, refused)._replace(is_single=is_single)


async def forecast(planned: Plan, tell: Tell = lambda *_: None) -> Forecast:
    """What the plan would come to: its files are read, and nothing is sent."""
    refused = list(planned.refused)
    found = [Foreseen(same.doc_id, same.change, same.format) for same in planned.same]
    with Children() as children:
        for number, work in enumerate(planned.work):
            tell(f"reads {printable(work.seen.path)}", number, len(planned.work))
            try:
                found.append(await asyncio.to_thread(_foreseen, work, children))
            except BatosError as error:
                refused.append(refusal(work.seen.path, error))
    found.sort(key=lambda one: one.doc_id)
    refused.sort(key=lambda one: one.path)
    return Forecast(found, refused, [document.doc_id for document in planned.gone])


def _foreseen(work: Work, children: Children) -> Foreseen:
    content = files.read(work.seen, children)
    characters = sum(map(len, content.parts))
    if not characters:
        raise BatosError("BAD_DOCUMENT", "it is empty", "Leave it out: --exclude.")
    was = work.before.doc_id if work.before is not None and work.change == "renamed" else ""
    return Foreseen(work.doc_id, work.change, content.facts["format"], characters, was, content.notes)


def _look(found: FoundPaths, wanted: Wanted, refused: list[RefusedFile], tell: Tell) -> list[tuple[str, Seen]]:
    seen: list[tuple[str, Seen]] = []
    for number, path in enumerate(found.files):
        tell("looks at the files", number, len(found.files))
        try:
            seen.append((_named(path) if wanted.doc_id is None else wanted.doc_id, files.look(path)))
        except BatosError as error:
            refused.append(refusal(path, error))
    return seen


def _named(path: str) -> str:
    try:
        return documents.check_id(path)
    except BatosError as error:
        why = f"its path is longer than {documents.MAX_ID} characters, or has some that cannot be printed"
        raise BatosError(error.code, why, "Rename it, or name it: --id DOC_ID.") from error


async def _known(bus: Client, found: FoundPaths, wanted: Wanted) -> dict[str, WholeDocument]:
    known: dict[str, WholeDocument] = {}
    for folder in filter(str.isprintable, found.folders):  # in another one no file can have a document
        known |= await kept_under(bus, _inside(folder))
    inside = tuple(map(_inside, found.folders))
    for path in found.files:
        if not path.startswith(inside):
            doc_id = wanted.doc_id or path
            if doc_id.isprintable() and (document := await kept_as(bus, doc_id)) is not None:
                if document.doc_id != doc_id:
                    raise BatosError("BAD_DOCUMENT", f"{doc_id} is a part of a larger document", "Give another --id.")
                known[doc_id] = document
    return known


def _compared(
    found: FoundPaths,
    wanted: Wanted,
    seen: list[tuple[str, Seen]],
    known: dict[str, WholeDocument],
    refused: list[RefusedFile],
) -> Plan:
    gone = _gone(found, seen, known, refused) if wanted.sync else {}
    lost = {document.metadata.get("file_sha256"): document for document in gone.values()}
    work: list[Work] = []
    same: list[Remembered] = []
    for doc_id, one in seen:
        before = known.get(doc_id)
        if before is not None and before.is_of(one.sha256):
            same.append(Remembered(doc_id, before.chunks, "same", before.metadata.get("format", one.kind)))
        elif before is not None:
            work.append(Work(doc_id, one, "changed", before))
        elif (was := lost.pop(one.sha256, None)) is not None:
            del gone[was.doc_id]
            work.append(Work(doc_id, one, "renamed", was))
        else:
            work.append(Work(doc_id, one, "new"))
    return Plan(work, same, list(gone.values()), refused)


def _gone(
    found: FoundPaths, seen: list[tuple[str, Seen]], known: dict[str, WholeDocument], refused: list[RefusedFile]
) -> dict[str, WholeDocument]:
    """The folders' documents that have no file any more, or one without text.

    What nobody may read stays as it was, and so do what is too large now, and what only has a name like that of a file.
    """
    there = {doc_id for doc_id, _ in seen}
    textless = {one.path for one in refused if one.code == "BAD_DOCUMENT"}
    closed = tuple(_inside(one.path) for one in found.refused)
    return {
        doc_id: document
        for doc_id, document in known.items()
        if doc_id not in there
        and document.metadata.get("kind") == "document"
        and document.metadata.get("source") == doc_id
        and not doc_id.startswith(closed or ("\0",))
        and (doc_id in textless or not os.path.lexists(doc_id))
    }


def _inside(folder: str) -> str:
    return folder.rstrip("/") + "/"
