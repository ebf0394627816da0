"""Memory as a house plays it, which keeps what the outbox says as documents of one passage."""

from __future__ import annotations

import hashlib
import time

from world.memory.documents import Document, Passage, Segment
from world.store import commit
from world.values import plain


def remember(house, doc_id, text, **metadata):
    """A document of the user's, or one of a time before `sources`."""
    with commit(house.db, user="memory", description=f"index {doc_id}") as connection:
        _keep(connection, doc_id, text, metadata)


def catch_up(house):
    """Remember what the outbox holds, and forget what it says is gone."""
    with commit(house.db, user="memory", description="the outbox") as connection:
        root = connection.root()
        for seq in list(root["outbox"].keys(root["cursor"]["outbox"] + 1)):
            entry = root["outbox"][seq]
            if "gone" in entry:
                root["knowledge_catalog_obj"].documents.pop(entry["doc_id"], None)
            else:
                _keep(connection, entry["doc_id"], entry["text"], plain(entry["metadata"], lambda _: None))
            root["cursor"]["outbox"] = seq


def documents(house):
    with commit(house.db, user="test", description="look") as connection:
        return list(connection.root()["knowledge_catalog_obj"].documents)


def _keep(connection, doc_id, text, metadata):
    made = Document(doc_id, hashlib.sha256(text.encode()).hexdigest(), metadata, time.time())
    connection.root()["knowledge_catalog_obj"].documents[doc_id] = made
    made.hold(Segment(b""), [Passage(text, 0, made)])
