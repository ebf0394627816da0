"""What is searched: all passages at one moment, in blocks that never change.

A commit makes a view of the one before: what is new is a small block, what is forgotten is marked. Blocks of like size are merged,
as in a log-structured merge tree, so there are never more than some dozen. Whoever searches keeps the view that it began with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from actors.memory.index import meaning
from actors.memory.index.block import Block, Source, block, merged, score
from actors.memory.index.meaning import Exact
from actors.memory.index.packing import Array
from actors.memory.ranking import RARITY, by_meaning, by_words, fuse, highest

EXACT: Final = 4096
"""Passages whose cosines are all computed; of more of them, those that can be among the nearest are."""
NEAREST: Final = 1024
"""At most so many passages are ranked in order."""
_NEAR_BY_SIGNS: Final = 512
_BEST_BY_WORDS: Final = 256
NEAR: Final = np.float32(0.25)
"""The cosine from which on a passage that shares no word with the question is found. Two texts about different things have about none."""
_SURE: Final = 128
"""Of so many of the best passages the cosines are exact, whatever brought them there."""
_ROUNDS: Final = 2
_NOT_FOUND: Final = np.float32(-1)
"""The score of a passage that is no answer, under that of all others."""


class Change(NamedTuple):
    """What a commit did: the document that came, the OID of the one that went, and the transaction."""

    tid: bytes
    came: Source | None = None
    gone: int | None = None


class Ranking(NamedTuple):
    """Numbers of passages in a view, the best first, with their scores; `words` and `meaning` are those of all passages.

    `among` are the passages that it was ranked among, by whose scores those of each are measured.
    """

    order: NDArray[np.int64]
    scores: NDArray[np.float32]
    words: Exact
    meaning: Exact
    among: NDArray[np.bool_]
    by_meaning: bool


@dataclass(frozen=True)
class View:
    """All passages as they were right after the transaction `tid`. `lacking`: OIDs of documents without vectors."""

    tid: bytes
    blocks: tuple[Block, ...] = ()
    lacking: frozenset[int] = frozenset()

    @cached_property
    def count(self) -> int:
        """Passages that are not forgotten."""
        return sum(each.living for each in self.blocks)

    @cached_property
    def alive(self) -> NDArray[np.bool_]:
        return _together([each.alive for each in self.blocks], np.bool_)

    @cached_property
    def owner(self) -> NDArray[np.intp]:
        """The number of each passage's document, as numpy takes it for an index without widening it first."""
        starts = np.cumsum([0, *(len(each.documents) for each in self.blocks)])
        return _together([each.owner + at for each, at in zip(self.blocks, starts, strict=False)], np.intp)

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """The number of each block's first passage."""
        return np.cumsum([0, *(len(each.passages) for each in self.blocks)])

    def passage(self, number: int) -> int:
        """The OID of a passage."""
        at, within = self._place(number)
        return int(self.blocks[at].passages[within])

    def document(self, number: int) -> int:
        """The OID of a passage's document."""
        at, within = self._place(number)
        return int(self.blocks[at].documents[self.blocks[at].owner[within]])

    def length(self, document: int) -> int:
        """How many passages a document has, by its OID."""
        return sum(int(np.count_nonzero(each.of(document))) for each in self.blocks if document in each.documents)

    def vector(self, number: int) -> Exact:
        """The vector of a passage."""
        at, within = self._place(number)
        found: Exact = self.blocks[at].vectors[within].astype(np.float32)
        return found

    def has(self, number: int, term: int) -> bool:
        """Whether a term stands in a passage."""
        at, within = self._place(number)
        postings = self.blocks[at].postings
        return within in postings.passages[self.blocks[at].posting(term)]

    @property
    def has_vectors(self) -> bool:
        """Whether it can be ranked by meaning: by that of some passages alone, they would stand before all others."""
        return bool(self.blocks) and not self.lacking

    def changed(self, change: Change) -> View:
        """The view after a commit."""
        blocks, lacking = self.blocks, set(self.lacking)
        if change.gone is not None:
            blocks = tuple(_marked(each, change.gone) for each in blocks)
            lacking.discard(change.gone)
        if change.came is not None:
            blocks = (*blocks, block([change.came]))
            lacking |= _lacking([change.came])
        return View(change.tid, _levelled([each for each in blocks if each.living]), frozenset(lacking))

    def _place(self, number: int) -> tuple[int, int]:
        at = int(np.searchsorted(self.offsets, number, side="right")) - 1
        return at, number - int(self.offsets[at])


def view_of(tid: bytes, sources: Sequence[Source]) -> View:
    """The view of all documents at one moment, in the order in which they came: so of equals the older one is found first, as in
    a view that has followed commit by commit.
    """
    held = sorted((source for source in sources if len(source.passages)), key=lambda source: int(source.passages[0]))
    return View(tid, (block(held),) if held else (), _lacking(held))


def weigh(view: View, terms: Mapping[int, int], b: float, *, is_meant: bool) -> Exact:
    """The score of each passage by words; `is_meant`: beside that of meaning."""
    found: Exact = _together(score(view.blocks, terms, b, RARITY if is_meant else 1.0))
    return found


def rank(
    view: View,
    terms: Mapping[int, int],
    question: Exact | None,
    b: float,
    *,
    eligible: NDArray[np.bool_] | None = None,
    words: NDArray[np.float32] | None = None,
) -> Ranking:
    """The passages that share a term with a question or are near to it, the best first.

    `terms` are hashed, with how often each is asked for; without the vector of the `question` they alone count. `eligible`
    narrows down to some of the passages; `words` are their scores by words, where another index has found them.
    """
    is_meant = question is not None and view.has_vectors
    if words is None:
        words = weigh(view, terms, b, is_meant=is_meant)
    chosen = view.alive if eligible is None else view.alive & eligible
    # What is not chosen has no word, and is measured by nothing: it neither stands among the best nor says what they are worth.
    words = words * chosen
    if question is None or not is_meant or not chosen.any():
        near = np.zeros(len(words), np.float32)
        scores = np.where(words > 0, fuse(words, near, view.owner), _NOT_FOUND)
        return Ranking(*_best(scores), words, near, chosen, by_meaning=False)
    near, is_exact = _near(view, question, words, chosen)
    said, has_words = by_words(words, view.owner), words > 0
    for left in reversed(range(_ROUNDS + 1)):
        scores = said + by_meaning(near, view.owner, chosen)
        scores[~(chosen & (has_words | (near >= NEAR)))] = _NOT_FOUND
        best = highest(scores, _SURE)
        rough = best[~is_exact[best] & (scores[best] > _NOT_FOUND)]
        if not left or not len(rough):
            break
        _measure(view, question, rough, near, is_exact)
    return Ranking(*_best(scores), words, near, chosen, by_meaning=True)


def newest(view: View, eligible: NDArray[np.bool_]) -> Ranking:
    """Some of the passages, those that came last first, where nothing is asked that could rank them."""
    chosen = view.alive & eligible
    order = np.flatnonzero(chosen)[::-1]
    nothing = np.zeros(len(chosen), np.float32)
    return Ranking(order, np.zeros(len(order), np.float32), nothing, nothing, chosen, by_meaning=False)


def eligible(view: View, facts: Sequence[int], since: float | None, until: float | None) -> NDArray[np.bool_] | None:
    """The passages of the documents that have all of the facts, and are of the time; None for all of them."""
    if not facts and since is None and until is None:
        return None
    return _together([_eligible(each, facts, since, until) for each in view.blocks], np.bool_)


def _eligible(each: Block, facts: Sequence[int], since: float | None, until: float | None) -> NDArray[np.bool_]:
    chosen = np.ones(len(each.documents), np.bool_)
    for fact in facts:
        has = np.zeros(len(each.documents), np.bool_)
        has[each.fact_owner[each.facts == np.uint64(fact)]] = True
        chosen &= has
    if since is not None:
        chosen &= each.when >= since
    if until is not None:
        chosen &= each.when < until
    held: NDArray[np.bool_] = chosen[each.owner]
    return held


def _best(scores: Exact) -> tuple[NDArray[np.int64], Exact]:
    """The numbers of the best of what is found, in order, and their scores; of equal ones the older comes first."""
    best = highest(scores, NEAREST)
    best = best[scores[best] > _NOT_FOUND]
    order = best[np.lexsort((best, -scores[best]))]
    return order, scores[order]


def _near(view: View, question: Exact, words: Exact, chosen: NDArray[np.bool_]) -> tuple[Exact, NDArray[np.bool_]]:
    """The cosines of the chosen passages, and which of them are exact; those of all others say nothing."""
    is_exact = np.zeros(len(words), np.bool_)
    if np.count_nonzero(chosen) <= EXACT:
        near = np.zeros(len(words), np.float32)
        _measure(view, question, np.flatnonzero(chosen), near, is_exact)
        return near, is_exact
    near = _together([meaning.estimate(each.signs, question) for each in view.blocks])
    is_exact[highest(np.where(chosen, near, np.float32(-2)), _NEAR_BY_SIGNS)] = True
    worded = highest(words, _BEST_BY_WORDS)
    is_exact[worded[words[worded] > 0]] = True
    _measure(view, question, np.flatnonzero(is_exact), near, is_exact)
    return near, is_exact


def _measure(view: View, question: Exact, numbers: Array, near: Exact, is_exact: NDArray[np.bool_]) -> None:
    """Write the exact cosines of some passages into `near`."""
    for each, at in zip(view.blocks, view.offsets, strict=False):
        within = numbers[(numbers >= at) & (numbers < at + len(each.passages))]
        near[within] = meaning.cosines(each.vectors[within - at], question)
    is_exact[numbers] = True


def _marked(each: Block, document: int) -> Block:
    return each.without(document) if (each.documents == document).any() else each


def _levelled(blocks: list[Block]) -> tuple[Block, ...]:
    """The same in few blocks: each is at least twice as large as the next, and less than half of any is forgotten."""
    levels: list[Block] = []
    for each in blocks:
        levels.append(merged([each]) if each.living * 2 < len(each.passages) else each)
        while len(levels) > 1 and len(levels[-2].passages) < 2 * len(levels[-1].passages):
            last = levels.pop()
            levels[-1] = merged([levels[-1], last])
    return tuple(levels)


def _lacking(sources: Sequence[Source]) -> frozenset[int]:
    return frozenset(source.oid for source in sources if not source.vectors.shape[1])


def _together(arrays: Sequence[Array], dtype: type = np.float32) -> Array:
    if len(arrays) == 1:
        return arrays[0]
    return np.concatenate(arrays) if arrays else np.zeros(0, dtype)
