"""The index of passages by their terms.

What comes in is terms already: memory makes them of passages and questions by one function, and nothing of how it does so
is stored here. To change which terms a text has is therefore a step of the awakening, after which memory indexes
everything again.

The ranking is zope.index's Okapi BM25. What is added is forgetting: the original keeps every word that it ever
met, and who takes a document out wants its words to be gone too.
"""

from __future__ import annotations

from collections.abc import Sequence

import BTrees
from zope.index.text.lexicon import Lexicon
from zope.index.text.okapiindex import OkapiIndex


class PassageLexicon(Lexicon):
    """The terms of the indexed passages, each with its number. A number is never given twice."""

    def drop(self, wids: set[int]) -> None:
        """Forget these words."""
        for wid in wids:
            del self._wids[self._words.pop(wid)]


class PassageIndex(OkapiIndex):
    """Passages by the integer of their OID. `search` ranks all that share a term with the question (OR).

    How much a long passage owes for its length is set with `weigh`; the original's own is written into its C.
    """

    _search_wids = OkapiIndex._python_search_wids  # noqa: SLF001  the one that reads B

    @property
    def B(self) -> float:  # type: ignore[override]  # noqa: N802  the original's constant
        return float(getattr(self, "_v_b", OkapiIndex.B))

    def weigh(self, b: float) -> None:
        """Let b be this for whoever searches it here; it is never stored."""
        self._v_b = b

    def index_doc(self, docid: int, text: str | list[str], beside: Sequence[str] = ()) -> int:
        """What is `beside` the text's terms is found like them, and makes the passage no longer to the ranking."""
        count = super().index_doc(docid, [*text, *beside])
        self._docweight[docid] -= len(beside)
        self._change_doc_len(-len(beside))
        return count

    def unindex_doc(self, docid: int) -> None:
        if not self.has_doc(docid):
            return
        wids = set(self.get_words(docid))
        super().unindex_doc(docid)
        unused = {wid for wid in wids if wid not in self._wordinfo}
        assert isinstance(self.lexicon, PassageLexicon)
        self.lexicon.drop(unused)


def empty_index() -> PassageIndex:
    """An index of nothing. OIDs have 64 bits, and the default family of trees only 32."""
    return PassageIndex(PassageLexicon(), family=BTrees.family64)
