"""Documents as their user knows them: one for each file, though a large one lies in memory in several parts.

The first part has the document's id and is written last, so where it stands the others do.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any, Final, NamedTuple

from bus.client import Caller
from protocol import verbs
from protocol.checks.documents import BETWEEN, whole_id
from protocol.messages import Documents, DocumentView

ANSWER_S: Final = 60.0
OWN: Final = frozenset({"answer", "method", "failure"})
"""The kinds of what the mind leaves by itself."""


class WholeDocument(NamedTuple):
    """The parts of one document, the first one first where it stands."""

    doc_id: str
    parts: list[DocumentView]

    @property
    def chunks(self) -> int:
        return sum(part.chunks for part in self.parts)

    @property
    def metadata(self) -> dict[str, Any]:
        return self.parts[0].metadata

    @property
    def is_own(self) -> bool:
        """Whether the mind has left it by itself."""
        return self.metadata.get("kind") in OWN

    @property
    def created(self) -> float:
        return max(part.created for part in self.parts)

    @property
    def ids(self) -> list[str]:
        """The ids of its parts, in the order in which they are to go: the first one last."""
        return [part.doc_id for part in reversed(self.parts)]

    def told(self) -> dict[str, Any]:
        """It as it is printed."""
        said = self.metadata
        return {
            "doc_id": self.doc_id,
            "source": said.get("source"),
            "kind": said.get("kind"),
            "format": said.get("format"),
            "chunks": self.chunks,
            "created": self.created,
            "cycle": said.get("cycle"),
            "metadata": said,
        }

    def is_of(self, sha256: str) -> bool:
        """Whether all of it stands, and was made of a file with this hash."""
        said = self.metadata
        return (
            self.parts[0].doc_id == self.doc_id
            and said.get("file_sha256") == sha256
            and said.get("parts", 1) == len(self.parts)
        )


def wholes(views: Iterable[DocumentView]) -> dict[str, WholeDocument]:
    """Whole documents by their ids, in the order of these."""
    found: dict[str, list[DocumentView]] = {}
    for view in views:
        found.setdefault(whole_id(view.doc_id, view.metadata), []).append(view)
    return {
        doc_id: WholeDocument(doc_id, sorted(parts, key=lambda part: _number(part, doc_id)))
        for doc_id, parts in found.items()
    }


async def kept_under(bus: Caller, beginning: str) -> dict[str, WholeDocument]:
    """The whole documents whose ids begin so."""
    return wholes([view async for view in _views(bus, beginning)])


async def kept_as(bus: Caller, doc_id: str) -> WholeDocument | None:
    """The document of this id, or that which it is a part of; None where there is none."""
    page = await bus.call(verbs.DOCUMENTS, Documents(beginning=doc_id, limit=1), seconds=ANSWER_S)
    first = [view for view in page.documents if view.doc_id == doc_id]
    if first and (whole := whole_id(doc_id, first[0].metadata)) != doc_id:
        return await kept_as(bus, whole)
    others = [view async for view in _views(bus, f"{doc_id}{BETWEEN}")]
    return wholes([*first, *others]).get(doc_id)


async def _views(bus: Caller, beginning: str) -> AsyncIterator[DocumentView]:
    after: str | None = None
    while True:
        page = await bus.call(verbs.DOCUMENTS, Documents(beginning=beginning, after=after), seconds=ANSWER_S)
        for view in page.documents:
            yield view
        if page.next is None:
            return
        after = page.next


def _number(part: DocumentView, doc_id: str) -> int:
    if part.doc_id == doc_id:
        return 1
    number = part.metadata.get("part")
    return number if isinstance(number, int) else 2
