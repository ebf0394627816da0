"""What memory is asked, and what it answers: documents in, passages out."""

from __future__ import annotations

import msgspec

from protocol.codec import Value


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """Remember a document, all of it or nothing. The same text and metadata under the same id again changes nothing."""

    doc_id: str
    text: str
    metadata: dict[str, Value] = {}


class IndexProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an indexing is: `done` of `total` sentences are embedded."""

    doc_id: str
    done: int
    total: int


class Indexed(msgspec.Struct, frozen=True, kw_only=True):
    """The document's chunks (their OIDs, in order), and its commit; None where it was remembered already."""

    doc_id: str
    chunks: list[str]
    tid: str | None


class Unindex(msgspec.Struct, frozen=True, kw_only=True):
    doc_id: str


class Unindexed(msgspec.Struct, frozen=True, kw_only=True):
    doc_id: str
    chunks: int
    tid: str


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """The best `top_k` passages for `query`, of documents whose metadata has all that `where` names."""

    query: str
    top_k: int = 10
    where: dict[str, Value] = {}


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A passage. A higher `score` is better; scores of two searches cannot be compared."""

    chunk_oid: str
    doc_id: str
    chunk_index: int
    score: float
    text: str
    metadata: dict[str, Value]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    hits: list[Hit]
    seconds: float


class Rank(msgspec.Struct, frozen=True, kw_only=True):
    """How near in meaning each of `texts` is to `query`."""

    query: str
    texts: list[str]


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """A cosine from -1 to 1 for each text, in order."""

    scores: list[float]


class CatchUp(msgspec.Struct, frozen=True, kw_only=True):
    """Remember all that the world's outbox holds and memory has not remembered yet."""


class CaughtUp(msgspec.Struct, frozen=True, kw_only=True):
    """`cursor` is the sequence number of the last entry that is remembered."""

    cursor: int
