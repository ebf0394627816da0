"""What a commit did beside slots and names: documents that memory has of it, and proposals; and how that is taken back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final, NamedTuple

from ZODB import DB
from ZODB.Connection import Connection
from ZODB.POSException import POSError

from actors.orchestrator.past import kinds
from actors.orchestrator.past.changes import before_and_after
from actors.orchestrator.publish import GONE, MEMOS, REWINDS, SETTLED, UNDOES
from actors.orchestrator.thinking.overlay import Memo, Overlay, Settled
from world import history
from world.past import commits
from world.past.commits import Commit
from world.store import snapshot
from world.values import plain

UNDONE: Final = "what had proposed it was taken back"


class Beside(NamedTuple):
    """The documents that memory loses, those whose text is in no history any more, and the proposals that are settled otherwise."""

    forgets: list[str]
    left: list[str]
    settled: list[str]


def take_back(overlay: Overlay, commit: Commit) -> Beside:
    """Take back what one commit did."""
    db = overlay.connection.db()
    ids = _all(db, commit, SETTLED)
    if ids:
        with before_and_after(db, commit) as (before, _):
            for id_ in ids:
                _settle_as(overlay, id_, before.root()["proposals"].get(id_))
    forgets = _all(db, commit, MEMOS)
    _forget(overlay, forgets)
    lost = [doc_id for doc_id in _all(db, commit, GONE) if not _post(db, overlay, doc_id, [commit])]
    return Beside(forgets, lost, ids)


def take_back_all(overlay: Overlay, since: list[Commit], moment: str) -> Beside:
    """Take back what all commits `since` a moment did, the newest first."""
    db = overlay.connection.db()
    posted = dict.fromkeys(doc_id for one in since for doc_id in _all(db, one, MEMOS))
    gone = dict.fromkeys(doc_id for one in since for doc_id in _all(db, one, GONE))
    with snapshot(db, bytes.fromhex(moment)) as then:
        known = {doc_id for doc_id in (*posted, *gone) if _knows(then, doc_id)}
        settled = list(dict.fromkeys(id_ for one in since for id_ in _all(db, one, SETTLED)))
        for id_ in settled:
            _settle_as(overlay, id_, then.root()["proposals"].get(id_))
    forgets = [doc_id for doc_id in posted if doc_id not in known]
    _forget(overlay, forgets)
    lost = [doc_id for doc_id in known if not _post(db, overlay, doc_id, since)]
    return Beside(forgets, lost, settled)


def _forget(overlay: Overlay, doc_ids: Iterable[str]) -> None:
    for doc_id in doc_ids:
        overlay.remember(Memo(doc_id, "", {}, is_gone=True))


def _post(db: DB, overlay: Overlay, doc_id: str, takers: Iterable[Commit]) -> bool:
    """Have memory know `doc_id` again, by what it was told where the commits that took it back say that it was."""
    for taker in takers:
        for tid in _taken(db, taker):
            memo = _told(db, tid, doc_id)
            if memo is not None:
                overlay.remember(memo)
                return True
    return False


def _told(db: DB, tid: str, doc_id: str) -> Memo | None:
    """What the commit `tid` told memory as `doc_id`."""
    with suppress(POSError, KeyError), snapshot(db, bytes.fromhex(tid)) as connection:
        for line in connection.root()["outbox"].values():
            if line["doc_id"] == doc_id and "gone" not in line:
                said = plain(line["metadata"], lambda _: None)
                assert isinstance(said, dict)
                return Memo(doc_id, line["text"], {str(name): value for name, value in said.items()})
    return None


def _knows(connection: Connection, doc_id: str) -> bool:
    """Whether memory knew a document, or was about to."""
    root = connection.root()
    said = [line for line in root["outbox"].values() if line["doc_id"] == doc_id]
    return "gone" not in said[-1] if said else doc_id in root["knowledge_catalog_obj"].documents


def _settle_as(overlay: Overlay, id_: str, before: history.UvmProposal | None) -> None:
    now = overlay.connection.root()["proposals"].get(id_)
    if now is None:
        return  # of those that were settled long ago only the last are kept
    if before is None:
        if now.state == history.WAITING:
            overlay.settle(id_, Settled(state=history.REJECTED, by=now.by, because=UNDONE))
    elif now.state != before.state:
        overlay.settle(id_, Settled(state=before.state, by=before.by, because=before.because))


def _all(db: DB, commit: Commit, fact: str) -> list[str]:
    """What a fact lists; one that rewinds has done the inverse of all that came since that moment."""
    if REWINDS not in commit.facts:
        return kinds.listed(commit, fact)
    inverse = {MEMOS: GONE, GONE: MEMOS, SETTLED: SETTLED}[fact]
    return list(dict.fromkeys(id_ for one in _rewound(db, commit) for id_ in _all(db, one, inverse)))


def _taken(db: DB, commit: Commit) -> list[str]:
    """The transactions that a commit has taken back."""
    if REWINDS in commit.facts:
        return [one.tid for one in _rewound(db, commit)]
    return kinds.listed(commit, UNDOES)


def _rewound(db: DB, commit: Commit) -> Iterator[Commit]:
    return (one for one in commits.between(db, commit.facts[REWINDS], commit.tid) if one.tid != commit.tid)
