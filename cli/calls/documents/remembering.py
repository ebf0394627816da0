"""The files of a plan, read and sent to memory: several at once, so that it always has something to embed.

A document is idempotent by its content, and the first part of a large one is written last, when all others stand. So a run
that was killed goes on where it was: what is remembered is the same, and is passed over.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from bus.again import Again
from bus.client import Caller, Client
from cli import wire
from cli.calls.documents.outcomes import ForgottenDocument, Memories, RefusedFile, Remembered, failure, refusal
from cli.calls.documents.planning import SERVICE, Plan, Work
from cli.calls.documents.wholes import WholeDocument
from cli.reading import files
from cli.reading.jailer import Children
from cli.values import printable
from protocol import verbs
from protocol.checks.documents import part_id
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Index, Indexed, IndexProgress, Unindex
from protocol.texts import STDIN

AT_ONCE: Final = 8
"""Files under way: one is embedded, the others are read, sent, cut and written meanwhile."""
REMEMBER_S: Final = 3600.0
"""Seconds for one part: a slow machine embeds its sentences in a quarter of that, and `AT_ONCE` share it."""
FORGET_S: Final = 120.0
AGAIN_FOR_S: Final = 60.0
"""Seconds that memory may be away in the middle of the work; it restarts in ten."""


class Stage(NamedTuple):
    """How far the work is: files done with, of how many; which one it is about; and how far that one is."""

    done: int
    of: int
    doc_id: str
    sentences: IndexProgress | None = None


async def remember(home: Home, planned: Plan, tell: Callable[[Stage], None] = lambda _: None) -> Memories:
    """Carry out a plan. A file that turns out to be no document is refused, and the others are remembered.

    What else goes wrong ends it, and the error says how many documents went before.
    """
    run = _Remembering(home, planned, tell)
    async with wire.client(home) as bus:
        await wire.reach(home, bus, SERVICE)
        with Children() as children:
            try:
                async with asyncio.TaskGroup() as group:
                    for work in planned.work:
                        await run.room.acquire()
                        group.create_task(run.one(bus, children, work))
                    for document in planned.gone:
                        await run.room.acquire()
                        group.create_task(run.gone(bus, document))
            except BaseExceptionGroup as errors:
                # Not by `except*`: some releases of Python 3.11 make a group of what is raised there.
                failed, others = errors.split(BatosError)
                if failed is None or others is not None:
                    raise
                raise run.after(_first(failed)) from errors
    if run.refused and planned.is_single:
        raise failure(run.refused[0])
    documents = sorted([*planned.same, *run.made], key=lambda one: one.doc_id)
    refused = sorted([*planned.refused, *run.refused], key=lambda one: one.path)
    gone = sorted(run.forgotten, key=lambda one: one.doc_id)
    tid = max([run.tid or "", *(one.tid for one in gone)]) or None
    return Memories(documents, tid, refused, gone)


class _Remembering:
    """One run over a plan, and what it has come to."""

    def __init__(self, home: Home, planned: Plan, tell: Callable[[Stage], None]) -> None:
        self.room = asyncio.Semaphore(AT_ONCE)
        self.made: list[Remembered] = []
        self.refused: list[RefusedFile] = []
        self.forgotten: list[ForgottenDocument] = []
        self.tid: str | None = None
        self._home = home
        self._tell = tell
        self._total = planned.total
        self._same = len(planned.same)

    @property
    def _done(self) -> int:
        return self._same + len(self.made) + len(self.refused)

    async def one(self, bus: Client, children: Children, work: Work) -> None:
        """Remember one file, or note why it is refused."""
        try:
            self.made.append(await self._remembered(bus, children, work))
        except BatosError as error:
            if not (error.is_input or error.code == "UNREADABLE"):
                raise
            self.refused.append(refusal(work.seen.path, error))
        finally:
            self.room.release()
        self._tell(Stage(self._done, self._total, work.doc_id))

    async def gone(self, bus: Client, document: WholeDocument) -> None:
        try:
            self.forgotten.append(await forgotten(bus, document))
        finally:
            self.room.release()

    def after(self, error: BatosError) -> BatosError:
        done = len(self.made) + self._same
        if self._total == 1:
            return error
        said = f"{done} of {self._total} documents are remembered; the same command goes on from there."
        facts = {**error.data, "remembered": done}
        return BatosError(error.code, error.message, f"{error.hint} {said}".strip(), **facts)

    async def _remembered(self, bus: Client, children: Children, work: Work) -> Remembered:
        content = await asyncio.to_thread(files.read, work.seen, children)
        source = "stdin" if work.seen.path == STDIN else printable(work.seen.path)
        said: dict[str, Any] = {"source": source, "kind": "document", **content.facts}
        first = await asyncio.to_thread(next, content.parts, None)
        if first is None:
            raise BatosError("BAD_DOCUMENT", "it is empty", "Leave it out: --exclude.")
        number, chunks, begins = 1, 0, len(first)
        while (text := await asyncio.to_thread(next, content.parts, None)) is not None:
            number += 1
            metadata = {**said, "whole": work.doc_id, "part": number, "begins": begins}
            chunks += await self._index(bus, work, number, text, metadata)
            begins += len(text)
        stale = self._stale(work, number)
        if work.change == "changed":
            await _unindexed(bus, stale)
        whole = {**said, "file_sha256": work.seen.sha256, **({"parts": number} if number > 1 else {})}
        chunks += await self._index(bus, work, 1, first, whole)
        if work.change == "renamed":
            await _unindexed(bus, stale)
        was = work.before.doc_id if work.before is not None and work.change == "renamed" else ""
        return Remembered(work.doc_id, chunks, work.change, said["format"], was, content.notes)

    def _stale(self, work: Work, parts: int) -> list[str]:
        """What is there of the document before, and is not written over."""
        kept = {part_id(work.doc_id, number) for number in range(1, parts + 1)}
        return [] if work.before is None else [doc_id for doc_id in work.before.ids if doc_id not in kept]

    async def _index(self, bus: Client, work: Work, number: int, text: str, metadata: dict[str, Any]) -> int:
        def tell(found: IndexProgress) -> None:
            self._tell(Stage(self._done, self._total, work.doc_id, found))

        was = part_id(work.before.doc_id, number) if work.before is not None and work.change == "renamed" else ""
        request = Index(doc_id=part_id(work.doc_id, number), text=text, metadata=metadata, was=was)
        indexed = await _indexed(self._home, bus, request, tell)
        self.tid = indexed.tid or self.tid
        return len(indexed.chunks)


async def forgotten(bus: Caller, document: WholeDocument) -> ForgottenDocument:
    """Forget all parts of a document, the first one last."""
    tid = await _unindexed(bus, document.ids)
    return ForgottenDocument(document.doc_id, document.chunks, tid)


async def _unindexed(bus: Caller, doc_ids: list[str]) -> str:
    """Forget these; what somebody else has forgotten meanwhile is no error. The last commit."""
    tid = ""
    for doc_id in doc_ids:
        try:
            gone = await bus.call(verbs.UNINDEX, Unindex(doc_id=doc_id), seconds=FORGET_S)
        except BatosError as error:
            if error.code != "UNKNOWN_DOCUMENT":
                raise
        else:
            tid = gone.tid
    return tid


async def _indexed(home: Home, bus: Client, request: Index, on_progress: Callable[[IndexProgress], None]) -> Indexed:
    """The answer to one `index`, asked again for a while where memory is lost after it was asked."""
    again = Again(math.inf, once_lost=AGAIN_FOR_S)
    while True:
        try:
            return await bus.call(verbs.INDEX, request, seconds=REMEMBER_S, on_partial=on_progress)
        except BatosError as error:
            if not again.may(error) or again.left < 0:
                raise wire.told(home, error) from error
        await again.rest()


def _first(errors: BaseExceptionGroup[BatosError]) -> BatosError:
    found: BaseException = errors
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, BatosError)
    return found
