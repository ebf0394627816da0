"""What memory is asked, and what it answers: documents in, passages out."""

from __future__ import annotations

from typing import Literal

import msgspec

from protocol.codec import Value


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """Remember a document, all of it or nothing. The same id with the same text and metadata a second time changes nothing.

    `was` is an id under which the same text is remembered: that document is then called `doc_id`, and nothing is embedded. Where
    it is no such document, it stays as it is, and this one is remembered like any other.
    """

    doc_id: str
    text: str
    metadata: dict[str, Value] = {}
    was: str = ""


class IndexProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an indexing is: `done` of `total` sentences are embedded; those of a long document twice, as parts of passages too."""

    doc_id: str
    done: int
    total: int


class Indexed(msgspec.Struct, frozen=True, kw_only=True):
    """The OIDs of the document's chunks, in order. `tid` is the commit, None where the document was remembered already."""

    doc_id: str
    chunks: list[str]
    tid: str | None


class Unindex(msgspec.Struct, frozen=True, kw_only=True):
    """Forget the document `doc_id`; UNKNOWN_DOCUMENT where there is none."""

    doc_id: str


class Unindexed(msgspec.Struct, frozen=True, kw_only=True):
    """The document that is forgotten, how many chunks it had, and the commit."""

    doc_id: str
    chunks: int
    tid: str


class Documents(msgspec.Struct, frozen=True, kw_only=True):
    """List what is remembered whose id begins as `beginning` does, in the order of ids.

    At most `limit` documents, beginning after the one called `after`: the `next` of the page before.
    """

    beginning: str = ""
    after: str | None = None
    limit: int = 1000


class DocumentView(msgspec.Struct, frozen=True, kw_only=True):
    """A document without its text: how many chunks it has, when it was remembered (Unix time), and the hash of text and metadata."""

    doc_id: str
    chunks: int
    created: float
    sha256: str
    metadata: dict[str, Value]


class DocumentsReply(msgspec.Struct, frozen=True, kw_only=True):
    """One page. `next` is the `after` of the next one, None on the last."""

    documents: list[DocumentView]
    next: str | None = None


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """Find the best `top_k` passages for `query`, among the documents whose metadata has every entry of `where`; the newest of
    those, where the query has no word.

    `since` and `until` (seconds since 1970, the second not included) bound the time that a document is from: a date in its
    metadata (`date`, `published`, `created`, `modified`), or when it was remembered. `around` asks for so many passages before and
    after each, `explain` for why it was found. `at` is a past moment (16 hex digits), INDEX_CHANGED where its index had
    another form.
    """

    query: str
    top_k: int = 10
    where: dict[str, Value] = {}
    since: float | None = None
    until: float | None = None
    around: int = 0
    explain: bool = False
    at: str | None = None


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """Why a passage was found: `terms` of the question that it has, its BM25 score, its cosine with the question.

    `by_words` and `by_meaning` are their shares of its score, those of its document's best passages in them.
    """

    terms: list[str]
    bm25: float
    cosine: float | None
    by_words: float
    by_meaning: float


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A passage. A higher `score` is better; scores of two searches cannot be compared.

    `doc_id`, `chunk_index` and `start` are those of the whole document, where it is remembered in parts (ID, ID//2, …).

    It begins at character `start` of its document, and is not understood without its `context` (title, headings). `before` and
    `after` are its neighbours, where they are asked for; `alike` is the number of passages that say the same and are left out.
    """

    chunk_oid: str
    doc_id: str
    chunk_index: int
    score: float
    text: str
    metadata: dict[str, Value]
    start: int = 0
    context: str = ""
    alike: int = 0
    before: list[str] = []
    after: list[str] = []
    explained: Explained | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The passages that were found, the best first, and how long that took; `by` what they were ranked.

    By words alone where memory has not loaded its model of meaning yet, or has not read all documents with it.
    """

    hits: list[Hit]
    seconds: float
    by: Literal["words", "words and meaning"] = "words"


class Rank(msgspec.Struct, frozen=True, kw_only=True):
    """Say how near in meaning each of `texts` is to `query`."""

    query: str
    texts: list[str]


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """A cosine from -1 to 1 for each text, in order."""

    scores: list[float]


class CatchUp(msgspec.Struct, frozen=True, kw_only=True):
    """Remember now every entry of the world's outbox that memory has not remembered yet."""


class CaughtUp(msgspec.Struct, frozen=True, kw_only=True):
    """`cursor` is the sequence number of the last entry that is remembered."""

    cursor: int


class Embed(msgspec.Struct, frozen=True, kw_only=True):
    """Say what each of `texts` means, as a vector of the model that memory searches by; at most 256 texts."""

    texts: list[str]


class Embedded(msgspec.Struct, frozen=True, kw_only=True):
    """A unit vector for each text, in order: `dimensions` numbers of 32 bits, the lowest byte first. `tokens` were read for them.

    A text that is longer than the model reads counts by its beginning. `model` is what the model is called.
    """

    vectors: list[bytes]
    dimensions: int
    tokens: int
    model: str


class Passages(msgspec.Struct, frozen=True, kw_only=True):
    """Give the text of the document `doc_id`, a page of its passages: after `after` others; UNKNOWN_DOCUMENT where there is none."""

    doc_id: str
    after: int = 0


class PassageText(msgspec.Struct, frozen=True, kw_only=True):
    """A passage, which begins at character `start` of its document."""

    chunk_oid: str
    text: str
    start: int = 0
    context: str = ""


class PassagesReply(msgspec.Struct, frozen=True, kw_only=True):
    """Passages in their order. `next` is the `after` of the next page, None on the last."""

    doc_id: str
    metadata: dict[str, Value]
    passages: list[PassageText]
    next: int | None = None
