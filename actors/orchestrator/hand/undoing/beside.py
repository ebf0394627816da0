"""What a commit did beside slots and names: documents that memory has of it, and proposals; and how that is taken back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final, NamedTuple

from ZODB import DB
from ZODB.Connection import Connection
from ZODB.POSException import POSError
from ZODB.utils import p64, u64

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
    """The documents that memory loses and those that it has again, those whose text is in no history any more, and proposals."""

    forgets: list[str]
    has_again: list[str]
    left: list[str]
    settled: list[str]


def take_back(overlay: Overlay, commit: Commit) -> Beside:
    """Take back what one commit did."""
    db = overlay.connection.db()
    if REWINDS in commit.facts:
        return take_back_all(overlay, [commit], p64(u64(bytes.fromhex(commit.tid)) - 1).hex())
    ids = kinds.listed(commit, SETTLED)
    if ids:
        with before_and_after(db, commit) as (before, after):
            ids = [id_ for id_ in ids if _still(overlay, id_, after.root()["proposals"].get(id_))]
            for id_ in ids:
                _settle_as(overlay, id_, before.root()["proposals"].get(id_))
    forgets = [doc_id for doc_id in kinds.listed(commit, MEMOS) if _is_known(overlay, doc_id)]
    gone = [doc_id for doc_id in kinds.listed(commit, GONE) if not _is_known(overlay, doc_id)]
    _forget(overlay, forgets)
    again, lost = _posted(db, overlay, gone, [commit])
    return Beside(forgets, again, lost, ids)


def take_back_all(overlay: Overlay, since: list[Commit], moment: str) -> Beside:
    """Take back what all commits `since` a moment did, the newest first: what they concern is as it was then."""
    db = overlay.connection.db()
    since = _widened(db, since)
    posted = dict.fromkeys(doc_id for one in since for doc_id in kinds.listed(one, MEMOS))
    gone = dict.fromkeys(doc_id for one in since for doc_id in kinds.listed(one, GONE))
    with snapshot(db, bytes.fromhex(moment)) as then:
        known = {doc_id for doc_id in (*posted, *gone) if _knows(then, doc_id)}
        settled = list(dict.fromkeys(id_ for one in since for id_ in kinds.listed(one, SETTLED)))
        for id_ in settled:
            _settle_as(overlay, id_, then.root()["proposals"].get(id_))
    forgets = [doc_id for doc_id in posted if doc_id not in known and _is_known(overlay, doc_id)]
    _forget(overlay, forgets)
    again, lost = _posted(db, overlay, sorted(known), since)
    return Beside(forgets, again, lost, settled)


def _forget(overlay: Overlay, doc_ids: Iterable[str]) -> None:
    for doc_id in doc_ids:
        overlay.remember(Memo(doc_id, "", {}, is_gone=True))


def _posted(db: DB, overlay: Overlay, doc_ids: list[str], since: list[Commit]) -> tuple[list[str], list[str]]:
    """Have memory know documents again; those that it will, and those that it cannot."""
    again = [doc_id for doc_id in doc_ids if _post(db, overlay, doc_id, since)]
    return again, [doc_id for doc_id in doc_ids if doc_id not in again]


def _post(db: DB, overlay: Overlay, doc_id: str, since: list[Commit]) -> bool:
    """Have memory know `doc_id` again, by what those commits told it, or those that they have taken back."""
    for tid in _tellers(doc_id, since):
        memo = _told(db, tid, doc_id)
        if memo is not None:
            overlay.remember(memo)
            return True
    return False


def _tellers(doc_id: str, since: list[Commit]) -> Iterator[str]:
    for one in since:
        if doc_id in kinds.listed(one, MEMOS):
            yield one.tid
        if doc_id in kinds.listed(one, GONE):
            yield from kinds.listed(one, UNDOES)


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


def _is_known(overlay: Overlay, doc_id: str) -> bool:
    """Whether memory knows a document now, or is to know it."""
    told = overlay.told(doc_id)
    return _knows(overlay.connection, doc_id) if told is None else not told.is_gone


def _still(overlay: Overlay, id_: str, after: history.UvmProposal | None) -> bool:
    """Whether a proposal is settled now as it was `after` a commit."""
    now = overlay.settled(id_) or overlay.connection.root()["proposals"].get(id_)
    return now is not None and after is not None and now.state == after.state


def _settle_as(overlay: Overlay, id_: str, before: history.UvmProposal | None) -> None:
    now = overlay.connection.root()["proposals"].get(id_)
    if now is None:
        return  # of those that were settled long ago only the last are kept
    if before is None:
        if now.state == history.WAITING:
            overlay.settle(id_, Settled(state=history.REJECTED, by=now.by, because=UNDONE))
    elif (overlay.settled(id_) or now).state != before.state:
        overlay.settle(id_, Settled(state=before.state, by=before.by, because=before.because))


def _widened(db: DB, since: list[Commit]) -> list[Commit]:
    """These commits, the newest first, and those before them that a rewind among them has taken back: it lists nothing itself.

    Each stands there once, however often it was rewound.
    """
    found = list(since)
    low = _back_to(found)
    for one in commits.newest(db, before=found[-1].tid) if found else ():
        if one.tid <= low:
            break
        found.append(one)
        low = min(low, _back_to([one]))
    return found


def _back_to(since: list[Commit]) -> str:
    """The moment that a rewind among these went back to, the earliest; or a late one."""
    return min((one.facts[REWINDS] for one in since if REWINDS in one.facts), default="f" * 16)
