"""What memory knows and is to know: recall, remember, rank, and the documents of the catalog.

What memory answers is a reply like any other, kept in the journal and never a read of the world. `remember_` goes through
the outbox, so that a thought that is not published leaves nothing behind; the catalog's own messages reach memory at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

import msgspec

from actors.orchestrator.primitives import arguments
from actors.orchestrator.thinking.asks import Thinking, call
from actors.orchestrator.thinking.overlay import Memo
from actors.orchestrator.thinking.thought import Sender
from protocol import verbs
from protocol.checks import documents
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.messages import Index, Rank, Search, Unindex
from protocol.verbs import Partial, Reply, Request, Verb

SOURCES: Final = "sources"
"""Under this name a document's metadata has the ids of those that it came of."""
MAX_SOURCES_BYTES: Final = 16_384
"""A quarter of what metadata may have."""


def recall(
    sender: Sender,
    query: Value,
    top_k: Value = 10,
    where: Value = None,
) -> Thinking[Value]:
    """The best passages for `query`: [{"chunk_oid", "doc_id", "chunk_index", "score", "text", "metadata"}, …]."""
    request = Search(
        query=arguments.text(query, "query"), top_k=arguments.integer(top_k, "top_k"), where=_mapping(where, "where")
    )
    found = yield from _ask(sender, verbs.SEARCH, request)
    sender.thought.ledger.told.update(dict.fromkeys(hit.doc_id for hit in found.hits))
    return [msgspec.to_builtins(hit) for hit in found.hits]


def remember(sender: Sender, text: Value, metadata: Value = None) -> Thinking[Value]:
    """Let memory have `text` once the mandate is published; the id of the document that it will be."""
    yield from ()
    said = {"kind": "note", "by": sender.receiver, "mandate": sender.thought.mandate, **_mapping(metadata, "metadata")}
    said = documents.signed(sourced(said, sender.thought.ledger.told), sender.thought.origin)
    document = documents.check(f"note:{note_id(sender.thought.mandate, sender.path)}", text, said)
    sender.thought.overlay.remember(Memo(document.doc_id, document.text, document.metadata))
    return document.doc_id


def rank(sender: Sender, query: Value, texts: Value) -> Thinking[Value]:
    """How near in meaning each of `texts` is to `query`: a cosine for each."""
    if not isinstance(texts, list):
        raise BatosError("METHOD_FAILED", "rank_: texts must be a list")
    request = Rank(query=arguments.text(query, "query"), texts=[arguments.text(text, "a text") for text in texts])
    ranked = yield from _ask(sender, verbs.RANK, request)
    return ranked.scores


def index_document(
    sender: Sender,
    doc_id: Value,
    doc_text: Value,
    metadata: Value = None,
) -> Thinking[Value]:
    """Remember a document now; the OIDs of its chunks."""
    said = {**_mapping(metadata, "metadata"), "mandate": sender.thought.mandate}
    documents.check(doc_id, doc_text, said)
    request = Index(doc_id=doc_id, text=doc_text, metadata=said)
    indexed = yield from _ask(sender, verbs.INDEX, request)
    return indexed.chunks


def unindex_document(sender: Sender, doc_id: Value) -> Thinking[Value]:
    """Forget a document now; how many chunks it had."""
    unindexed = yield from _ask(sender, verbs.UNINDEX, Unindex(doc_id=arguments.text(doc_id, "doc_id")))
    return unindexed.chunks


def sourced(metadata: dict[str, Value], doc_ids: Iterable[str]) -> dict[str, Value]:
    """`metadata` that says of which documents the mandate was told: what came of one is found by it, however old the journal is.

    Only so many as have room; `sources_left` says how many more there were, of which the journal alone knows.
    """
    every = list(dict.fromkeys(doc_ids))
    kept = known(every)
    left = len(every) - len(kept)
    return {**metadata, SOURCES: list(kept), **({"sources_left": left} if left else {})}


def known(doc_ids: Iterable[str]) -> tuple[str, ...]:
    """The first of `doc_ids`, each once, that have room beside what they are the sources of."""
    kept: list[str] = []
    room = MAX_SOURCES_BYTES
    for doc_id in dict.fromkeys(doc_ids):
        room -= len(doc_id.encode())
        if room < 0:
            break
        kept.append(doc_id)
    return tuple(kept)


def note_id(mandate: str, path: str) -> str:
    """The same for the same mandate and place, so that a repeated thought remembers nothing twice."""
    return hashlib.sha256(f"{mandate} {path}".encode()).hexdigest()[:20]


def _ask(sender: Sender, verb: Verb[Request, Reply, Partial], request: Request) -> Thinking[Reply]:
    return (yield from call(verb, request, path=sender.path, keep=True))


def _mapping(value: Value, what: str) -> dict[str, Value]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise BatosError("METHOD_FAILED", f"{what} must be a dict with names as keys")
    return dict(value)
