"""The tokens that the journal knows, by their digest, and what was spent for each on a day in UTC.

They are part of the journal because it is durable before anything is acknowledged: a token that is revoked stays so, and what was
spent is not forgotten by a crash.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Final

import msgspec

from protocol.errors import BatosError
from protocol.messages.tokens import MakeToken, TokenView
from protocol.origin import Right

DAY_S: Final = 86_400
KEPT_DAYS: Final = 32
"""What was spent longer ago is forgotten."""


class Held(msgspec.Struct, frozen=True):
    """A token that holds."""

    name: str
    digest: str
    rights: list[Right]
    mandates: int | None
    daily: int | None
    made: float


class KnownTokens:
    """Of the journal's connection; on its thread, like all that uses it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def make(self, request: MakeToken) -> None:
        """Let a token in; the same one again is no other. NAME_TAKEN."""
        known = self._db.execute(
            "SELECT name, digest FROM tokens WHERE digest = ? OR (name = ? AND revoked IS NULL)",
            (request.digest, request.name),
        ).fetchall()
        if (request.name, request.digest) in known and self._find(request.digest) is not None:
            return
        if known:
            raise BatosError(
                "NAME_TAKEN",
                f"there is a token called {request.name} already",
                f"Give it another name, or revoke that one: `batos token revoke {request.name}`.",
            )
        self._db.execute(
            "INSERT INTO tokens (name, digest, rights, mandates, daily, made) VALUES (?, ?, ?, ?, ?, ?)",
            (
                request.name,
                request.digest,
                " ".join(dict.fromkeys(request.rights)),
                request.mandates,
                request.daily,
                time.time(),
            ),
        )

    def every(self) -> list[TokenView]:
        """The tokens that hold, by name."""
        rows = self._db.execute(_HELD + " WHERE revoked IS NULL ORDER BY name").fetchall()
        return [
            TokenView(
                name=held.name,
                rights=held.rights,
                mandates=held.mandates,
                daily=held.daily,
                made=held.made,
                today=self.spent(held.digest),
                running=len(self.running(held.digest)),
            )
            for held in map(_held, rows)
        ]

    def revoke(self, name: str) -> str:
        """Let the token of this name in no more; its digest. UNKNOWN_TOKEN."""
        row = self._db.execute("SELECT digest FROM tokens WHERE name = ? AND revoked IS NULL", (name,)).fetchone()
        if row is None:
            raise BatosError("UNKNOWN_TOKEN", f"no token is called {name[:70]!r}", "See them: `batos token ls`.")
        self._db.execute("UPDATE tokens SET revoked = ? WHERE digest = ?", (time.time(), row[0]))
        return str(row[0])

    def held(self, digest: str) -> Held:
        """The token with this digest; UNKNOWN_TOKEN where there is none, or none any more."""
        found = self._find(digest)
        if found is None:
            raise BatosError(
                "UNKNOWN_TOKEN",
                "no token is like this one, or it was revoked",
                "Have the user of the home make one: `batos token new NAME`.",
            )
        return found

    def check_room(self, digest: str) -> Held:
        """UNKNOWN_TOKEN, or BUSY where as many mandates of it run as may at once, or its tokens of the day are spent."""
        held = self.held(digest)
        if held.mandates is not None and len(self.running(digest)) >= held.mandates:
            raise BatosError(
                "BUSY",
                f"{held.name} has {held.mandates} mandates running, which is its limit",
                "Try again when one of them has ended.",
                limit="mandates",
                most=held.mandates,
            )
        self.check_left(held)
        return held

    def check_left(self, held: Held) -> None:
        """BUSY where its tokens of the day are spent."""
        left = self.left(held)
        if left is not None and left <= 0:
            until = (int(time.time()) // DAY_S + 1) * DAY_S
            clock = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(until))
            raise BatosError(
                "BUSY",
                f"the {held.daily} tokens that {held.name} may have generated in a day are spent until {clock}",
                "Ask again then, or have the user of the home make a token with a higher limit.",
                limit="daily",
                most=held.daily,
                until=until,
            )

    def left(self, held: Held) -> int | None:
        """How many tokens may still be generated for it today; None: no limit."""
        return None if held.daily is None else max(0, held.daily - self.spent(held.digest))

    def spent(self, digest: str) -> int:
        """How many tokens were generated for it today."""
        row = self._db.execute("SELECT tokens FROM spent WHERE digest = ? AND day = ?", (digest, _day())).fetchone()
        return int(row[0]) if row else 0

    def spend(self, digest: str, tokens: int) -> None:
        """Note that so many tokens were generated for it now."""
        self._db.execute(
            "INSERT INTO spent (digest, day, tokens) VALUES (?, ?, ?)"
            " ON CONFLICT (digest, day) DO UPDATE SET tokens = tokens + excluded.tokens",
            (digest, _day(), tokens),
        )
        self._db.execute("DELETE FROM spent WHERE digest = ? AND day < ?", (digest, _day(-KEPT_DAYS)))

    def running(self, digest: str) -> list[str]:
        """The mandates of it that have no end yet."""
        rows = self._db.execute("SELECT mandate FROM mandates WHERE state = 'accepted' AND token = ?", (digest,))
        return [row[0] for row in rows]

    def _find(self, digest: str) -> Held | None:
        row = self._db.execute(_HELD + " WHERE digest = ? AND revoked IS NULL", (digest,)).fetchone()
        return None if row is None else _held(row)


_HELD: Final = "SELECT name, digest, rights, mandates, daily, made FROM tokens"


def _held(row: tuple[str, str, str, int | None, int | None, float]) -> Held:
    name, digest, rights, mandates, daily, made = row
    return Held(name, digest, msgspec.convert(rights.split(), list[Right]), mandates, daily, made)


def _day(ahead: int = 0) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + ahead * DAY_S))
