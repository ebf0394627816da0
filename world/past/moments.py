"""Moments that a world can be read at: neither in the future nor before what was packed.

A pack is a commit of its own, which says up to which moment history goes: without that, a read of a moment that is gone would be answered
from whatever a cache still has.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from persistent.TimeStamp import TimeStamp
from ZODB import DB
from ZODB.Connection import Connection
from ZODB.POSException import POSKeyError

from protocol import names
from protocol.errors import BatosError
from world.past.commits import time_of
from world.store import commit, snapshot

PACKED: Final = "packed"
"""Under this name the root says the moment (a transaction's id) before which nothing can be read any more."""
USER: Final = "pack"
NONE: Final = "0" * 16
"""Before everything."""


@contextmanager
def world_at(db: DB, moment: str | None) -> Iterator[Connection]:
    """The world as it was right after transaction `moment`, or as it is. BAD_ARGUMENT, EXPIRED."""
    with snapshot(db, None if moment is None else checked(db, moment)) as connection:
        yield connection


def checked(db: DB, moment: str) -> bytes:
    """`moment` as ZODB takes it; the last transaction for one after that. BAD_ARGUMENT, EXPIRED."""
    at = check(db, moment)
    check_kept(db, moment)
    _check_awake(db, at)
    return at


def check_kept(db: DB, moment: str) -> None:
    """EXPIRED for a moment that was packed away, also where a cache still has it."""
    with snapshot(db) as connection:
        begins = first(connection)
    if moment < begins:
        raise BatosError(
            "EXPIRED",
            f"the world's history before {told(begins)} was packed away, and {moment} is before that",
            "`batos log` shows what is kept; a backup of then has more (`batos restore`).",
            begins=begins,
        )


def check(db: DB, moment: str) -> bytes:
    """As `checked`, of a moment that need not be there any more, or was not there yet."""
    check_form(moment)
    at, last = bytes.fromhex(moment), bytes(db.lastTransaction())
    if at > max(last, now()):
        raise BatosError(
            "BAD_ARGUMENT", f"the transaction {moment} is in the future", "See `batos log` for those that there are."
        )
    return min(at, last)


def check_form(moment: str) -> None:
    """BAD_ARGUMENT for what is no transaction id, whatever moment it means."""
    if not names.is_oid(moment):
        raise BatosError("BAD_ARGUMENT", f"{moment[:40]!r} is no transaction id", "A transaction id is 16 hex digits.")


def _check_awake(db: DB, at: bytes) -> None:
    """BAD_ARGUMENT for a moment before the world was there."""
    try:
        with snapshot(db, at) as connection:
            connection.root()["objects"]._p_activate()
    except (KeyError, POSKeyError):
        raise BatosError(
            "BAD_ARGUMENT",
            f"at {told(at.hex())} this world was not there yet",
            "`batos log --all` ends with its first commit.",
        ) from None


def first(connection: Connection) -> str:
    """The moment before which nothing can be read."""
    return str(connection.root().get(PACKED, NONE))


def pack(db: DB, before: float) -> None:
    """Let the world forget its history before a time (Unix); first of all that it is forgotten is said."""
    moment = tid_of(before).hex()
    with snapshot(db) as connection:
        known = first(connection)
    if moment > known:
        with commit(db, user=USER, description=f"pack: history before {told(moment)} is forgotten") as connection:
            connection.root()[PACKED] = moment
    db.pack(before)


def tid_of(seconds: float) -> bytes:
    """The transaction id that a Unix time is."""
    return TimeStamp(*time.gmtime(seconds)[:5], seconds % 60).raw()


def now() -> bytes:
    return tid_of(time.time())


def told(moment: str) -> str:
    """A moment for a person, in the time of the machine."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time_of(moment)))
