"""The commits of a world: who has written what, when and why, the newest first.

A commit carries its user, its description and its facts; under `TOUCHED` it says which objects it has changed, so that nobody
looks through a world for that. The home's own storage finds the commits of any moment by an index over its file
(`actors.storage.moments`), and is asked under `VERB`; any other storage is walked through.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import accumulate, pairwise
from typing import Any, Final

import msgspec
from persistent.mapping import PersistentMapping
from persistent.TimeStamp import TimeStamp
from ZEO.ClientStorage import ClientStorage
from ZODB import DB
from ZODB.Connection import Connection
from ZODB.utils import p64, u64

from protocol import codec
from world.uvm import UvmObject

VERB: Final = "commits"
TOUCHED: Final = "touched"
MOST: Final = 40_000
"""Bytes for the names of the objects, tens of thousands of them, of the 65,535 that ZODB gives to all that a transaction says."""
_FIRST, _PAGE = 100, 1000
_OF_RECORD: Final = frozenset({"tid", "size", "user_name", "description", "time"})
"""What a record's history says beside the extension of its transaction."""

Told = tuple[bytes, bytes | str, bytes | str, dict[str, Any]]
"""What a storage tells of a commit: its transaction, user, description and extension."""


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """`tid` and `touched` (objects) are 16 hex digits; `touched` is None where the commit does not say what it has changed.

    `facts` are what its writer has noted: "cycle", "origin", "mandate" and the like.
    """

    tid: str
    user: str
    why: str
    facts: dict[str, str] = {}
    touched: tuple[str, ...] | None = None

    @property
    def time(self) -> float:
        """Unix time."""
        return time_of(self.tid)


def time_of(tid: str) -> float:
    """The Unix time that a transaction id holds."""
    return float(TimeStamp(bytes.fromhex(tid)).timeTime())


def touched(connection: Connection) -> bytes | None:
    """The objects that `connection` is about to commit a change of, as `TOUCHED` says them; None where they are too many.

    An object counts as changed when its record or that of its slots is. Who writes to an object's slots has come by the object,
    so it is among those that the connection holds.
    """
    written = connection._registered_objects  # noqa: SLF001 - ZODB says it nowhere else
    containers = {id(one) for one in written if type(one) is PersistentMapping}
    held = (one for _, one in connection._cache.lru_items() if type(one) is UvmObject)  # noqa: SLF001
    owners = (one for one in held if id(one._slots) in containers)
    # Passages are objects too, which memory alone writes, a thousand in a commit: its commits name the document.
    found = {one._p_oid for one in (*owners, *written) if type(one) is UvmObject and one._p_oid is not None}
    return packed(found)


def packed(oids: Iterable[bytes]) -> bytes | None:
    """By what each is more than the one before, which for those of one commit is little."""
    numbers = sorted(map(u64, oids))
    data = zlib.compress(codec.packed([here - before for before, here in pairwise([0, *numbers])]))
    return data if len(data) <= MOST else None


def _numbers(packed: bytes) -> list[int]:
    return codec.convert(codec.decode(packed), list[int])


def _unpacked(packed: bytes) -> tuple[str, ...]:
    numbers = accumulate(_numbers(zlib.decompress(packed)))
    return tuple(p64(number).hex() for number in numbers)


def newest(db: DB, *, since: str | None = None, before: str | None = None) -> Iterator[Commit]:
    """The commits from transaction `since` on, those alone that were before `before`, the newest first. It may be broken off.

    What no snapshot shows as yet may be among them.
    """
    page = _page_of(db)
    low, high = bytes.fromhex(since or ""), None if before is None else bytes.fromhex(before)
    size = _FIRST
    while True:
        told = page(low, high, size)
        yield from map(_commit, told)
        if len(told) < size:
            return
        high, size = told[-1][0], _PAGE


def between(db: DB, a: str, b: str) -> Iterator[Commit]:
    """The commits after transaction `a` up to `b`, that one too, the newest first."""
    return newest(db, since=_next(a), before=_next(b))


def at(db: DB, tid: str) -> Commit | None:
    """The commit of that very transaction, if there was one."""
    return next(newest(db, since=tid, before=_next(tid)), None)


def of_object(db: DB, oids: Iterable[str], size: int) -> list[Commit]:
    """The last `size` commits that have written any of the records `oids`, the newest first."""
    found: dict[str, Commit] = {}
    for oid in oids:
        for told in db.history(bytes.fromhex(oid), size):
            entry = dict(told)
            tid = entry.pop("tid")
            said = {name: value for name, value in entry.items() if name not in _OF_RECORD}
            found[tid.hex()] = _commit((tid, entry["user_name"], entry["description"], said))
    return sorted(found.values(), key=lambda one: one.tid, reverse=True)[:size]


def _next(tid: str) -> str:
    return p64(u64(bytes.fromhex(tid)) + 1).hex()


def _commit(told: Told) -> Commit:
    tid, user, why, said = told
    oids = said.get(TOUCHED)
    return Commit(
        tid=tid.hex(),
        user=_text(user).strip("/ "),
        why=_text(why),
        facts={name: value for name, value in said.items() if isinstance(value, str)},
        touched=_unpacked(oids) if isinstance(oids, bytes) else None,
    )


def _text(said: bytes | str) -> str:
    return said if isinstance(said, str) else said.decode(errors="replace")


def _page_of(db: DB) -> Callable[[bytes, bytes | None, int], list[Told]]:
    storage = db.storage
    if isinstance(storage, ClientStorage) and storage._info.get(VERB):  # noqa: SLF001 - what the server has said of itself
        return partial(storage._call, VERB)  # noqa: SLF001 - ZEO has no other way to a server's own verb

    def walked(low: bytes, high: bytes | None, size: int) -> list[Told]:
        every = storage.iterator(low or None, None if high is None else p64(u64(high) - 1))
        found = [(one.tid, one.user, one.description, one.extension) for one in every]
        return found[: -size - 1 : -1]

    return walked
