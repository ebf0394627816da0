"""How text becomes words, and the index of passages that is made of those words.

A passage and a question go through the same four elements: fold (Unicode's compatibility form, without case), split,
drop the words that say nothing, and stem (Porter's English stemmer, from Snowball). The elements are pickled into the
world with the lexicon, which is why their classes stand here; they hold no state, so that a stored index
always reads questions as this file says. To change what an element does is therefore a step of the awakening that
indexes everything again.

The ranking is zope.index's Okapi BM25. What is added is forgetting: the original keeps every word that it ever
met, and who takes a document out wants its words to be gone too.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

import BTrees
from snowballstemmer.english_stemmer import EnglishStemmer
from zope.index.text.lexicon import Lexicon
from zope.index.text.okapiindex import OkapiIndex

STOP_WORDS: Final = frozenset(
    """
    a about above after again against all also am an and any are as at be because been before being below between both
    but by can cannot could did do does doing down during each few for from further had has have having he her here
    hers herself him himself his how i if in into is it its itself just let me might more most must my myself no nor
    not now of off on once only or other ought our ours ourselves out over own same shall she should so some such than
    that the their theirs them themselves then there these they this those through to too under until up upon us very
    was we were what when where which while who whom whose why will with would yet you your yours yourself yourselves
    d ll m re s t ve don didn doesn isn aren wasn weren won couldn shouldn wouldn hasn haven hadn
    """.split()  # noqa: SIM905 - words are easier to read as text
)
"""English words of grammar, and what remains of them before and after an apostrophe."""

LONGEST: Final = 64
"""Characters of a word that count: enough for any hash, and a bound for what is no word at all."""

_WORD: Final = re.compile(r"[^\W_]+")


class Fold:
    """The same letters for the same text, whatever its case and its code points."""

    def process(self, texts: list[str]) -> list[str]:
        return [unicodedata.normalize("NFKC", text).casefold() for text in texts]


class Split:
    """Letters and digits make words; an underscore parts them, so that a selector is found by its words."""

    def process(self, texts: list[str]) -> list[str]:
        return [word[:LONGEST] for text in texts for word in _WORD.findall(text)]


class DropStopWords:
    def process(self, words: list[str]) -> list[str]:
        return [word for word in words if word not in STOP_WORDS]


class Stem:
    def process(self, words: list[str]) -> list[str]:
        return [_stem(word) for word in words]


class PassageLexicon(Lexicon):
    """The words of the indexed passages, each with its number. A number is never given twice."""

    def drop(self, wids: set[int]) -> None:
        """Forget these words."""
        for wid in wids:
            del self._wids[self._words.pop(wid)]


class PassageIndex(OkapiIndex):
    """Passages by the integer of their OID. `search` ranks all that share a word with the question (OR)."""

    def unindex_doc(self, docid: int) -> None:
        if not self.has_doc(docid):
            return
        wids = set(self.get_words(docid))
        super().unindex_doc(docid)
        unused = {wid for wid in wids if wid not in self._wordinfo}
        assert isinstance(self.lexicon, PassageLexicon)
        self.lexicon.drop(unused)


def empty_index() -> OkapiIndex:
    """An index of nothing. OIDs have 64 bits, and the default family of trees only 32."""
    return PassageIndex(PassageLexicon(Fold(), Split(), DropStopWords(), Stem()), family=BTrees.family64)


@lru_cache(maxsize=1 << 16)
def _stem(word: str) -> str:
    # A stemmer keeps the word it works on, so each call has its own; making one costs a hundredth of using it.
    return EnglishStemmer().stemWord(word)
