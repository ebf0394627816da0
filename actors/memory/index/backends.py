"""Two indexes of passages by their words behind zope.index's interfaces, which one suite of tests holds to the same ranks.

`SegmentIndex` is what memory searches: blocks in memory, made of segments. `OkapiBackend` is zope.index's own, BTrees in the world
of the 64-bit family: slower and larger, and written by others than us, so it says what the first has to find.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from zope.index.interfaces import IIndexSearch, IInjection, IStatistics
from zope.interface import implementer

from actors.memory.index.block import Source, score
from actors.memory.index.packing import hashed, pack, postings, unpack
from actors.memory.index.view import Change, View
from actors.memory.ranking import B
from actors.memory.texts.words import Terms
from world.lexicon import empty_index

Scores = dict[int, float]


@implementer(IInjection, IIndexSearch, IStatistics)
class SegmentIndex:
    """Passages by the integers of their OIDs, each a document of its own. A `view` is a moment of it, which never changes."""

    def __init__(self, b: float = B) -> None:
        self.view = View(b"")
        self._b = b

    def index_doc(self, docid: int, value: Terms) -> None:
        """Index a passage, in place of what was indexed under this number."""
        # By way of its bytes: what is searched is what was stored.
        found = unpack(pack(postings([value])))
        nothing = np.zeros((1, 0), np.float16)
        source = Source(docid, 0.0, np.zeros(0, np.uint64), np.array([docid], np.int64), found, nothing)
        self.view = self.view.changed(Change(b"", source, docid))

    def unindex_doc(self, docid: int) -> None:
        """Forget a passage; one that is not there is left alone."""
        self.view = self.view.changed(Change(b"", gone=docid))

    def clear(self) -> None:
        """Forget all passages."""
        self.view = View(b"")

    def apply(self, query: Sequence[str]) -> Scores:
        """The BM25 score of each passage that shares a term with the query."""
        scores = score(self.view.blocks, Counter(map(hashed, query)), self._b)
        return {
            int(each.passages[at]): float(found[at])
            for each, found in zip(self.view.blocks, scores, strict=True)
            for at in np.flatnonzero(found)
        }

    def documentCount(self) -> int:  # noqa: N802 - the interface's name
        """How many passages there are."""
        return self.view.count

    def wordCount(self) -> int:  # noqa: N802 - the interface's name
        """How many terms they have."""
        held = [each.postings for each in self.view.blocks]
        living = [
            np.repeat(found.terms, np.diff(found.starts))[each.alive[found.passages]]
            for each, found in zip(self.view.blocks, held, strict=True)
        ]
        return len(np.unique(np.concatenate(living))) if living else 0


@implementer(IInjection, IIndexSearch, IStatistics)
class OkapiBackend:
    """zope.index's Okapi, as `[memory] index = "okapi"` has it in the world; a new one where none is given."""

    def __init__(self, index: Any = None, b: float = B) -> None:
        self.index: Any = empty_index() if index is None else index
        self.index.weigh(b)

    def index_doc(self, docid: int, value: Terms) -> None:
        """Index a passage, in place of what was indexed under this number."""
        self.index.unindex_doc(docid)
        self.index.index_doc(docid, *value)

    def unindex_doc(self, docid: int) -> None:
        """Forget a passage; one that is not there is left alone."""
        self.index.unindex_doc(docid)

    def clear(self) -> None:
        """Forget all passages."""
        for docid in list(self.index._docweight):  # noqa: SLF001  zope.index has no other list of them
            self.index.unindex_doc(docid)

    def apply(self, query: Sequence[str]) -> Scores:
        """The BM25 score of each passage that shares a term with the query."""
        # None is "no term at all", which zope.index takes for "any passage".
        found = self.index.search(list(query)) if query else None
        return {} if found is None else dict(found.items())

    def documentCount(self) -> int:  # noqa: N802 - the interface's name
        """How many passages there are."""
        return int(self.index.documentCount())

    def wordCount(self) -> int:  # noqa: N802 - the interface's name
        """How many terms they have."""
        return int(self.index.wordCount())
