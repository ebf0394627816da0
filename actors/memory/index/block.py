"""A block: the segments of some documents as arrays to be searched, which never change.

What is forgotten is marked in a block of the same arrays (`without`), and goes when blocks are merged. So whoever searches sees
what was there when it began, and an abort has nothing to take back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from actors.memory.index.meaning import signs_of
from actors.memory.index.packing import Array, Postings, joined
from actors.memory.ranking import K1


class Source(NamedTuple):
    """A document as a block takes it: its OID, when it is from, the facts it can be narrowed by, and its passages.

    `vectors` has no columns where they are not made yet.
    """

    oid: int
    when: float
    facts: NDArray[np.uint64]
    passages: NDArray[np.int64]
    postings: Postings
    vectors: NDArray[np.float16]


class Block(NamedTuple):
    """Postings of all passages, and of each its OID, its document's number, its vector and the signs of that.

    Of each document its OID, its time, and its facts (`facts` with `fact_owner`). `alive` is False for passages that are forgotten.
    """

    postings: Postings
    passages: NDArray[np.int64]
    owner: NDArray[np.int32]
    vectors: NDArray[np.float16]
    signs: NDArray[np.uint64]
    documents: NDArray[np.int64]
    when: NDArray[np.float64]
    facts: NDArray[np.uint64]
    fact_owner: NDArray[np.int32]
    alive: NDArray[np.bool_]

    @property
    def living(self) -> int:
        """Passages that are not forgotten."""
        return int(np.count_nonzero(self.alive))

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        arrays: list[Array] = [*self.postings, *self[1:]]
        return sum(each.nbytes for each in arrays)

    def of(self, document: int) -> NDArray[np.bool_]:
        """Which passages are the document's, by its OID."""
        held: NDArray[np.bool_] = self.documents[self.owner] == document
        return held

    def without(self, document: int) -> Block:
        """The same, but for the passages of a document."""
        return self._replace(alive=self.alive & ~self.of(document))

    def posting(self, term: int) -> slice:
        """Where a term's postings stand."""
        terms = self.postings.terms
        at = int(np.searchsorted(terms, np.uint64(term)))
        if at == len(terms) or int(terms[at]) != term:
            return slice(0, 0)
        return slice(int(self.postings.starts[at]), int(self.postings.starts[at + 1]))


def block(sources: Sequence[Source]) -> Block:
    """The block of some documents. All that have vectors have them of the same model."""
    width = max((source.vectors.shape[1] for source in sources if len(source.passages)), default=0)
    vectors = np.zeros((sum(len(source.passages) for source in sources), width), np.float16)
    at = 0
    for source in sources:
        rows = vectors[at : at + len(source.passages)]
        rows[:, : source.vectors.shape[1]] = source.vectors
        at += len(source.passages)
    sizes = [len(source.passages) for source in sources]
    return Block(
        joined([source.postings for source in sources]),
        _all([source.passages for source in sources], np.int64),
        np.repeat(np.arange(len(sources), dtype=np.int32), sizes),
        vectors,
        signs_of(vectors),
        np.array([source.oid for source in sources], np.int64),
        np.array([source.when for source in sources], np.float64),
        _all([source.facts for source in sources], np.uint64),
        np.repeat(np.arange(len(sources), dtype=np.int32), [len(source.facts) for source in sources]),
        np.ones(len(vectors), np.bool_),
    )


def merged(blocks: Sequence[Block]) -> Block:
    """One block of several, without what is forgotten in them."""
    left = [_compacted(each) for each in blocks]
    offsets = np.cumsum([0, *(len(each.documents) for each in left)])
    width = max((each.vectors.shape[1] for each in left), default=0)
    vectors = np.concatenate([_widened(each.vectors, width) for each in left])
    return Block(
        joined([each.postings for each in left]),
        np.concatenate([each.passages for each in left]),
        np.concatenate([each.owner + np.int32(at) for each, at in zip(left, offsets, strict=False)]),
        vectors,
        signs_of(vectors),
        np.concatenate([each.documents for each in left]),
        np.concatenate([each.when for each in left]),
        np.concatenate([each.facts for each in left]),
        np.concatenate([each.fact_owner + np.int32(at) for each, at in zip(left, offsets, strict=False)]),
        np.ones(len(vectors), np.bool_),
    )


def score(
    blocks: Sequence[Block], terms: Mapping[int, int], b: float, rarity: float = 1.0
) -> list[NDArray[np.float32]]:
    """The BM25 score of every passage of every block (Robertson, Zaragoza, "The Probabilistic Relevance Framework", 2009).

    `terms` are hashed, with how often each is asked for; `rarity` is the power of what a term counts for being rare. What is
    forgotten scores nothing, and counts nowhere.
    """
    total = sum(each.living for each in blocks)
    words = sum(int(each.postings.lengths.sum(dtype=np.int64, where=each.alive)) for each in blocks)
    mean = words / total if words else 1.0
    norms = [np.float32(K1) * (np.float32(1 - b) + np.float32(b / mean) * each.postings.lengths) for each in blocks]
    scores = [np.zeros(len(each.passages), np.float32) for each in blocks]
    for term, times in terms.items():
        found = [_live(each, each.posting(term)) for each in blocks]
        holding = sum(len(passages) for passages, _ in found)
        if holding:
            weight = np.float32(times * np.log(1.0 + total / holding) ** rarity * (K1 + 1.0))
            for at, (passages, counts) in enumerate(found):
                scores[at][passages] += weight * counts / (counts + norms[at][passages])
    return scores


def _live(each: Block, at: slice) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    # As numpy takes it for an index: of narrower numbers, each use would widen them, which takes longer than all else.
    passages, counts = each.postings.passages[at].astype(np.intp), each.postings.counts[at].astype(np.float32)
    if each.alive.all():
        return passages, counts
    alive = each.alive[passages]
    return passages[alive], counts[alive]


def _compacted(each: Block) -> Block:
    """The same without what is forgotten, documents too that have no passage any more."""
    if each.alive.all():
        return each
    number = np.cumsum(each.alive, dtype=np.int32) - np.int32(1)
    is_left = each.alive[each.postings.passages]
    rows = np.repeat(np.arange(len(each.postings.terms)), np.diff(each.postings.starts))[is_left]
    terms, first = np.unique(rows, return_index=True)
    postings = Postings(
        each.postings.lengths[each.alive],
        each.postings.terms[terms],
        np.append(first, len(rows)).astype(np.int32),
        number[each.postings.passages[is_left]],
        each.postings.counts[is_left],
    )
    owners = each.owner[each.alive]
    is_kept = np.zeros(len(each.documents), np.bool_)
    is_kept[owners] = True
    anew = np.cumsum(is_kept, dtype=np.int32) - np.int32(1)
    facts = is_kept[each.fact_owner]
    return Block(
        postings,
        each.passages[each.alive],
        anew[owners],
        each.vectors[each.alive],
        each.signs[:, each.alive],
        each.documents[is_kept],
        each.when[is_kept],
        each.facts[facts],
        anew[each.fact_owner[facts]],
        np.ones(int(each.alive.sum()), np.bool_),
    )


def _widened(vectors: NDArray[np.float16], width: int) -> NDArray[np.float16]:
    if vectors.shape[1] == width:
        return vectors
    wide = np.zeros((len(vectors), width), np.float16)
    wide[:, : vectors.shape[1]] = vectors
    return wide


def _all(arrays: Sequence[Array], dtype: type) -> Array:
    return np.concatenate(arrays) if arrays else np.zeros(0, dtype)
