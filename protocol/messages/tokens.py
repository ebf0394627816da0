"""Tokens: what lets a program in by a door that asks for one, with rights and limits of its own.

The token itself is made by whoever shows it and never travels here: the system knows its digest alone (`protocol.checks.tokens`).
"""

from __future__ import annotations

import msgspec

from protocol.origin import Origin, Right


class MakeToken(msgspec.Struct, frozen=True, kw_only=True):
    """Let the token with this `digest` in, under a `name` that no other one holds. NAME_TAKEN; the same again is the same answer.

    `mandates` is how many of it may run at once, `daily` how many tokens may be generated for it in a day (in UTC); None: as many as
    the system takes.
    """

    name: str
    digest: str
    rights: list[Right]
    mandates: int | None = None
    daily: int | None = None


class TokenView(msgspec.Struct, frozen=True, kw_only=True):
    """A token that holds: its limits, since when (Unix time), what was generated for it today, and how many mandates run for it."""

    name: str
    rights: list[Right]
    mandates: int | None
    daily: int | None
    made: float
    today: int
    running: int


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """List the tokens that hold."""


class TokensReply(msgspec.Struct, frozen=True, kw_only=True):
    """The tokens, by name."""

    tokens: list[TokenView]


class RevokeToken(msgspec.Struct, frozen=True, kw_only=True):
    """Let the token of this name in no more, and cancel what runs for it. UNKNOWN_TOKEN where none has the name."""

    name: str


class TokenRevoked(msgspec.Struct, frozen=True, kw_only=True):
    """The token that is no more, and the mandates that were cancelled with it."""

    name: str
    cancelled: list[str]


class Admit(msgspec.Struct, frozen=True, kw_only=True):
    """Who the token with this `digest` lets in. UNKNOWN_TOKEN where none does.

    With `generates`, texts are about to be generated for it: BUSY where it has no tokens left today, with `until` (Unix time).
    """

    digest: str
    generates: bool = False


class Admitted(msgspec.Struct, frozen=True, kw_only=True):
    """The origin that its requests are to carry, and how many tokens it has left today (None: no limit)."""

    origin: Origin
    left: int | None = None


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """Note that so many `tokens` were generated for the token with this digest, beside its mandates. Those count themselves."""

    digest: str
    tokens: int


class Charged(msgspec.Struct, frozen=True, kw_only=True):
    """How many it has left today (None: no limit)."""

    left: int | None = None
