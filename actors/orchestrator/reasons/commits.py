"""The commits of the world between two moments, and what one of them has changed."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

import msgspec
from persistent.TimeStamp import TimeStamp
from ZODB import DB
from ZODB.POSException import POSKeyError
from ZODB.utils import p64, u64

from actors.orchestrator.publish import MANDATE, ORIGIN
from protocol import names
from protocol.errors import BatosError
from protocol.messages import ChangedEntry
from world import commits
from world import root as world_root
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


def mandate_of(db: DB, tid: str) -> str:
    """The mandate that a commit says it publishes, or ""."""
    found = commits.at(db, tid)
    return "" if found is None else found.facts.get(MANDATE, "")


def names_of(db: DB, oids: Iterable[str]) -> dict[str, str]:
    """What the objects are called that have a name now."""
    found: dict[str, str] = {}
    with snapshot(db) as connection:
        for oid in oids:
            with suppress(BatosError):  # it may be gone
                found[oid] = world_root.get(connection, oid)._name or ""
    return found


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
    return min(moment, last)


def between(db: DB, after: bytes, upto: bytes) -> list[Commit]:
    """The commits after one moment up to another, the oldest first; of those that say it, only such as have changed an object."""
    every = list(commits.between(db, after.hex(), upto.hex()))
    found = [one for one in every if one.touched != ()] or every
    return [
        Commit(
            tid=bytes.fromhex(one.tid),
            time=one.time,
            author=one.facts.get(ORIGIN) or one.user,
            why=one.why,
            cycle=one.facts.get("cycle", ""),
        )
        for one in reversed(found)
    ]


def changed(db: DB, tid: str) -> list[ChangedEntry]:
    """The slots and methods that a commit has changed of the objects that it names, at most `MOST_CHANGED`."""
    commit = commits.at(db, tid)
    found: list[ChangedEntry] = []
    if commit is None or not commit.touched:
        return found
    moment = bytes.fromhex(tid)
    with snapshot(db, p64(u64(moment) - 1)) as old, snapshot(db, moment) as new:
        for oid in commit.touched:
            found += _entries(_slots(old, oid), _slots(new, oid), oid, new)
    return found[:MOST_CHANGED]


def _slots(connection: Any, oid: str) -> dict[str, Any]:
    try:
        found = world_root.get(connection, oid)
    except (BatosError, POSKeyError):
        return {}
    return dict(found._slots)


def _entries(was: dict[str, Any], now: dict[str, Any], oid: str, connection: Any) -> list[ChangedEntry]:
    told = []
    for entry in {**was, **now}:
        one, other = was.get(entry), now.get(entry)
        if entry in was and entry in now and _same(one, other):
            continue
        change = "added" if entry not in was else "removed" if entry not in now else "changed"
        is_method = isinstance(other if entry in now else one, UvmMethod)
        name = world_root.get(connection, oid)._name or ""
        told.append(ChangedEntry(name=name, oid=oid, entry=entry, is_method=is_method, change=change))
    return told


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, UvmMethod | UvmObject) and isinstance(other, UvmMethod | UvmObject):
        return bool(oid_of(one) == oid_of(other))
    return bool(one == other)
