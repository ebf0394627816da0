"""The commits of the world between two moments, and what one of them has changed."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any, Final

import msgspec
from persistent.TimeStamp import TimeStamp
from ZODB import DB
from ZODB.POSException import POSKeyError

from actors.orchestrator.publish import ORIGIN
from protocol import names
from protocol.errors import BatosError
from protocol.messages import ChangedEntry
from world import commits
from world.method import UvmMethod
from world.store import snapshot
from world.uvm import UvmObject
from world.values import oid_of

MOST_CHANGED: Final = 40


class Commit(msgspec.Struct, frozen=True):
    """Transaction `tid` of the time `time` (Unix time): by whom, why, and in which cycle ("" for none)."""

    tid: bytes
    time: float
    author: str
    why: str
    cycle: str


def time_of(tid: bytes | str) -> float:
    """Unix time of a transaction."""
    return commits.time_of(tid if isinstance(tid, str) else tid.hex())


def ends(db: DB, good: str, bad: str | None) -> tuple[bytes, bytes]:
    """The last transactions that are not after the two moments. BAD_ARGUMENT where good is not before bad, or in the future."""
    last = bytes(db.lastTransaction())
    first, until = _known(db, good, "good"), last if bad is None else _known(db, bad, "bad")
    if first >= until:
        raise BatosError(
            "BAD_ARGUMENT",
            "the good moment is not before the bad one",
            "Give --good a moment at which the answer was right, and --bad a later one (default: now).",
        )
    return first, until


def _known(db: DB, at: str, word: str) -> bytes:
    if not names.is_oid(at):
        raise BatosError("BAD_ARGUMENT", f"{at[:40]!r} is no transaction id", "A transaction id is 16 hex digits.")
    moment, last = bytes.fromhex(at), bytes(db.lastTransaction())
    now = time.time()
    if moment > max(last, TimeStamp(*time.gmtime(now)[:5], now % 60).raw()):
        raise BatosError("BAD_ARGUMENT", f"the {word} moment {at} is in the future", "See `batos status` for the last.")
    with closing(db.storage.iterator(None, moment)) as every:
        is_known = next(iter(every), None) is not None
    if not is_known:
        raise BatosError(
            "BAD_ARGUMENT",
            f"the {word} moment {at} is before the first commit of this world: is it one of another world?",
            "`batos log` has the transactions of this one.",
        )
    return min(moment, last)


def between(db: DB, after: bytes, upto: bytes) -> list[Commit]:
    """The commits after one moment up to another, the oldest first."""
    with closing(db.storage.iterator(after, upto)) as every:
        return [_commit(each) for each in every if after < each.tid <= upto]


def _commit(each: Any) -> Commit:
    extension = dict(each.extension or {})
    user = each.user.decode() if isinstance(each.user, bytes) else str(each.user)
    why = each.description.decode() if isinstance(each.description, bytes) else str(each.description)
    return Commit(
        each.tid, time_of(each.tid), str(extension.get(ORIGIN) or user.strip()), why, str(extension.get("cycle", ""))
    )


def changed(db: DB, commit: Commit) -> list[ChangedEntry]:
    """The slots and methods that it has changed, of at most `MOST_CHANGED`."""
    before = (int.from_bytes(commit.tid) - 1).to_bytes(8)
    found: list[ChangedEntry] = []
    with closing(db.storage.iterator(commit.tid, commit.tid)) as every:
        touched = {record.oid for each in every for record in each}
    if touched:
        with snapshot(db, before) as old, snapshot(db, commit.tid) as new:
            for here in (*_objects(new),):
                if here._slots._p_oid in touched:
                    found += _entries(old, here)
    return found[:MOST_CHANGED]


def _objects(connection: Any) -> list[UvmObject]:
    root = connection.root()
    return [*root["objects"].values(), *root["personas"].values()]


def _entries(old: Any, here: UvmObject) -> list[ChangedEntry]:
    try:
        was = dict(old.get(here._p_oid)._slots)
    except POSKeyError:
        was = {}
    now = dict(here._slots)
    told = []
    for entry in {**was, **now}:
        one, other = was.get(entry), now.get(entry)
        if entry in was and entry in now and _same(one, other):
            continue
        change = "added" if entry not in was else "removed" if entry not in now else "changed"
        is_method = isinstance(other if entry in now else one, UvmMethod)
        told.append(
            ChangedEntry(name=here._name or "", oid=oid_of(here), entry=entry, is_method=is_method, change=change)
        )
    return told


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, UvmMethod | UvmObject) and isinstance(other, UvmMethod | UvmObject):
        return bool(one._p_oid == other._p_oid)
    return bool(one == other)
