"""A search: what is asked, what the view ranks, and the passages of that very moment, read from the world."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from ZODB import DB
from ZODB.Connection import Connection
from ZODB.utils import p64, u64

from actors.memory.catalog import catalog_of, okapi_of
from actors.memory.index import sources
from actors.memory.index.meaning import Exact
from actors.memory.index.narrowing import fact
from actors.memory.index.packing import hashed
from actors.memory.index.sources import int_of
from actors.memory.index.view import Ranking, View, eligible, newest, rank, weigh
from actors.memory.ranking import by_meaning, by_words
from actors.memory.texts.words import query_terms
from protocol import names
from protocol.checks.documents import MAX_PARTS, part_id, whole_id
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.examples import same_value
from protocol.home import Memory as Settings
from protocol.messages import Explained, Hit, Search
from world.memory.documents import document_of
from world.store import Store, snapshot
from world.values import oid_of, plain

if TYPE_CHECKING:
    from actors.memory.reader import PassageReader

MAX_HITS: Final = 100
MAX_QUERY: Final = 1 << 16
"""Characters of a question: each of its words costs a look at the index."""
MAX_AROUND: Final = 20

ALIKE: Final = 0.98
"""The cosine from which on two passages with the same numbers say the same."""
_NUMBERS: Final = re.compile(r"\d+")


class Asked(NamedTuple):
    """A search as memory does it: with the vector of its question, if there is one, and BM25's b. `is_okapi`: zope.index finds words.

    `words` are the scores of all passages by words, where they have been computed already.
    """

    search: Search
    question: Exact | None
    b: float
    is_okapi: bool = False
    words: Exact | None = None


class _Taken(NamedTuple):
    """A passage that is among the hits: its number in the view, its object, and what of it tells whether another is alike."""

    number: int
    score: float
    chunk: Any
    slots: dict[str, Any]
    folded: str
    numbers: Counter[str]
    alike: list[int]


def check(search: Search) -> None:
    """BAD_ARGUMENT or TOO_LARGE for what makes no sense."""
    if not 1 <= search.top_k <= MAX_HITS:
        raise BatosError("BAD_ARGUMENT", f"top_k is {search.top_k}", f"Give 1 to {MAX_HITS}.")
    if not 0 <= search.around <= MAX_AROUND:
        raise BatosError("BAD_ARGUMENT", f"around is {search.around}", f"Give 0 to {MAX_AROUND}.")
    if search.at is not None and not names.is_oid(search.at):
        raise BatosError(
            "BAD_ARGUMENT", f"{search.at[:40]!r} is no moment", "Give a transaction: 16 hexadecimal digits."
        )
    if len(search.query) > MAX_QUERY:
        raise BatosError("TOO_LARGE", f"a query of {len(search.query)} characters", "Ask with fewer words.")


def terms_of(query: str) -> Counter[int]:
    """The terms that a question looks for, hashed, with how often each counts."""
    return Counter(map(hashed, query_terms(query)))


async def found(
    store: Store, view: View, search: Search, reader: PassageReader | None, settings: Settings
) -> tuple[list[Hit], Literal["words", "words and meaning"]]:
    """The best passages of the view, and what they were ranked by: by words before the model of meaning is there."""
    asked = Asked(search, None, settings.b, is_okapi=settings.index == "okapi")
    if reader is None or not reader.is_loaded or not view.has_vectors:
        return await store.read(lambda: find(store.db, view, asked)), "words"
    # One thread scores by the words of the question, while another one makes its vector.
    terms = terms_of(search.query)
    words, question = await asyncio.gather(
        store.read(lambda: weigh(view, terms, settings.b, is_meant=True)), reader.question(search.query)
    )
    asked = asked._replace(question=question, words=words)
    return await store.read(lambda: find(store.db, view, asked)), "words and meaning"


def find(db: DB, view: View, asked: Asked) -> list[Hit]:
    """The best passages, as they were at the moment of the view; without a word in the query, whatever else narrows the search.

    EXPIRED where the world has been packed since.
    """
    search = asked.search
    terms = query_terms(search.query)
    chosen = eligible(view, [fact(key, value) for key, value in search.where.items()], search.since, search.until)
    if not terms and chosen is None:
        return []
    with sources.not_packed(), snapshot(db, at=view.tid) as connection:
        if terms:
            words = _okapi(connection, view, terms, asked.b) if asked.is_okapi else None
            if words is None:
                words = asked.words
            ranking = rank(view, terms_of(search.query), asked.question, asked.b, eligible=chosen, words=words)
        else:  # a vector of nothing would be near to something
            assert chosen is not None, "it returned above"
            ranking = newest(view, chosen)
        _fetch(db, view, ranking.order[: search.top_k].tolist())
        taken = _taken(connection, view, ranking, search)
        explained = _explainer(view, ranking, terms) if search.explain else lambda _: None
        return [_hit(connection, view, each, search.around, explained(each.number)) for each in taken]


def _fetch(db: DB, view: View, numbers: list[int]) -> None:
    """Ask the server for the best passages and their documents all at once: one by one, each costs a journey."""
    prefetch = getattr(db.storage, "prefetch", None)
    if prefetch is not None:  # a storage in this process has none, and needs none
        oids = {p64(oid) for number in numbers for oid in (view.passage(number), view.document(number))}
        prefetch(oids, p64(u64(view.tid) + 1))


def _taken(connection: Connection, view: View, ranking: Ranking, search: Search) -> list[_Taken]:
    found: list[_Taken] = []
    for number, score in zip(ranking.order.tolist(), ranking.scores.tolist(), strict=True):
        if len(found) == search.top_k:
            break
        chunk: Any = connection.get(p64(view.passage(number)))
        slots = {name: plain(value, lambda _: None) for name, value in chunk._slots.items()}
        if not _has(slots["metadata"], search.where):
            continue
        text = slots["text"]
        made = _Taken(
            number, score, chunk, slots, " ".join(text.casefold().split()), Counter(_NUMBERS.findall(text)), []
        )
        same = next((each for each in found if _are_alike(view, each, made)), None)
        if same is None:
            found.append(made)
        else:
            same.alike.append(number)
    return found


def _are_alike(view: View, one: _Taken, other: _Taken) -> bool:
    if one.folded == other.folded:
        return True
    if one.numbers != other.numbers or not view.has_vectors:
        return False
    return float(view.vector(one.number) @ view.vector(other.number)) >= ALIKE


def _has(metadata: Mapping[str, Value], where: Mapping[str, Value]) -> bool:
    return all(key in metadata and same_value(metadata[key], value) for key, value in where.items())


def _explainer(view: View, ranking: Ranking, terms: list[str]) -> Callable[[int], Explained]:
    """Why each passage was found. Of a score, words and meaning have what is left where the other says nothing."""
    among = np.flatnonzero(ranking.among)
    owner = view.owner[among]
    said, meant = by_words(ranking.words[among], owner), by_meaning(ranking.meaning[among], owner)

    def explained(number: int) -> Explained:
        at = int(np.searchsorted(among, number))
        return Explained(
            terms=[term for term in dict.fromkeys(terms) if view.has(number, hashed(term))],
            bm25=float(ranking.words[number]),
            cosine=float(ranking.meaning[number]) if ranking.by_meaning else None,
            by_words=float(said[at]),
            by_meaning=float(meant[at]),
        )

    return explained


def _hit(connection: Connection, view: View, taken: _Taken, around: int, explained: Explained | None) -> Hit:
    slots = taken.slots
    doc_id, passages, characters = _begins(connection, view, slots)
    before, after = _neighbours(connection, taken, around) if around else ([], [])
    return Hit(
        chunk_oid=oid_of(taken.chunk),
        doc_id=doc_id,
        chunk_index=passages + slots["chunk_index"],
        score=taken.score,
        text=slots["text"],
        metadata=slots["metadata"],
        start=characters + slots.get("start", 0),
        context=slots.get("context", ""),
        alike=len(taken.alike),
        before=before,
        after=after,
        explained=explained,
    )


def _begins(connection: Connection, view: View, slots: Mapping[str, Any]) -> tuple[str, int, int]:
    """The document that a passage is of as its user knows it, and how many passages and characters of it stand before this part."""
    doc_id, said = slots["doc_id"], slots["metadata"]
    whole, part, begins = whole_id(doc_id, said), said.get("part"), said.get("begins")
    if whole == doc_id or not isinstance(part, int) or doc_id != part_id(whole, part) or part > MAX_PARTS:
        return doc_id, 0, 0
    documents = catalog_of(connection).documents
    before = [documents.get(part_id(whole, number)) for number in range(1, part)]
    passages = sum(view.length(int_of(each)) for each in before if each is not None)
    return whole, passages, begins if isinstance(begins, int) else 0


def _neighbours(connection: Connection, taken: _Taken, around: int) -> tuple[list[str], list[str]]:
    document = document_of(taken.chunk) or catalog_of(connection).documents[taken.slots["doc_id"]]
    chunks = document.chunks
    at = taken.slots["chunk_index"]
    before, after = chunks[max(0, at - around) : at], chunks[at + 1 : at + 1 + around]
    return [chunk._slots["text"] for chunk in before], [chunk._slots["text"] for chunk in after]


def _okapi(connection: Connection, view: View, terms: list[str], b: float) -> NDArray[np.float32] | None:
    """The scores of zope.index, for the passages of the view; None at a moment at which it had no whole index."""
    index = okapi_of(catalog_of(connection), b)
    if index is None:
        return None
    found = index.apply(terms)
    return np.array([found.get(oid, 0.0) for oid in _oids(view)], np.float32)


def _oids(view: View) -> Iterator[int]:
    for each in view.blocks:
        yield from each.passages.tolist()
