"""The peers: the other ways to search the same passages, each alone."""

from __future__ import annotations

from collections.abc import Sequence

import bm25s
import numpy as np
import Stemmer
from numpy.typing import NDArray
from zope.index.text.textindex import TextIndex

from bench.retrieval.ours import Scores, Way


def peers(texts: Sequence[str], vectors: NDArray[np.float32]) -> dict[str, Way]:
    """What each of the others finds alone."""
    stemmer = Stemmer.Stemmer("english")
    index = bm25s.BM25()
    index.index(bm25s.tokenize(list(texts), stemmer=stemmer, show_progress=False), show_progress=False)
    plain = TextIndex()
    for number, text in enumerate(texts):
        plain.index_doc(number, text)

    def sparse(query: str, _vector: NDArray[np.float32]) -> Scores:
        tokens = bm25s.tokenize([query], stemmer=stemmer, return_ids=False, show_progress=False)[0]
        known = [token for token in tokens if token in index.vocab_dict]
        return index.get_scores(known) if known else np.zeros(len(texts))

    def okapi(query: str, _vector: NDArray[np.float32]) -> Scores:
        scores = np.zeros(len(texts))
        found = plain.index.search(query)
        for number, score in found.items() if found else ():
            scores[number] = score
        return scores

    return {"bm25s": sparse, "dense": lambda _query, vector: vectors @ vector, "zope.index": okapi}
