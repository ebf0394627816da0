"""What a person means by the id of a cycle or a mandate, or by its beginning: the commits of it. On the journal's thread."""

from __future__ import annotations

import re
from typing import Final

import msgspec
from ulid import ULID
from ZODB import DB

from actors.orchestrator.journal.journal import Journal
from actors.orchestrator.past.kinds import CYCLE, changes_nothing, kind_of
from actors.orchestrator.publish import MANDATE
from protocol import codec
from protocol.errors import BatosError
from protocol.messages import Mandate, MandateReply, Undo
from world.past import commits, moments
from world.past.commits import Commit


class Meant(msgspec.Struct, frozen=True):
    """The ids of a mandate and of its cycles, and what it has published, if anything, as far as the journal knows; `since` when it came."""

    ids: frozenset[str]
    since: str
    tid: str | None = None
    state: str = "forgotten"


LAST: Final = "last"
_ADOPTS: Final = "adopt_expert_ "
"""How the commits begin by which personas adopt the experts that ship, at a start and by nobody's word."""
_CYCLE: Final = re.compile(r"c[0-9a-f]{20}")


def meant(journal: Journal, asked: str) -> Meant:
    """UNKNOWN_CYCLE where the journal has none that begins so, and it is no whole id of one that the journal has forgotten."""
    row = journal.by_id(asked)
    if row is None:
        return Meant(frozenset({asked, asked.upper()}), _came(asked))
    if row.is_expired:  # how it ended is not kept; the world's own commits say it
        state = "forgotten" if row.state == "complete" else row.state
        return Meant(frozenset({row.mandate, *journal.begun(row.mandate)}), _came(row.mandate), None, state)
    tid = codec.unpack(row.reply, MandateReply).tid if row.state == "complete" and row.reply else None
    return Meant(frozenset({row.mandate, *journal.begun(row.mandate)}), _came(row.mandate), tid, row.state)


def is_of(commit: Commit, found: Meant) -> bool:
    """Whether a commit was made by that mandate, or by a cycle of it."""
    return bool(found.ids & {commit.facts.get(CYCLE, ""), commit.facts.get(MANDATE, "")})


def commit_of(db: DB, asked: str, found: Meant) -> str:
    """What a mandate has published. BAD_ARGUMENT where that is nothing."""
    if found.state == "accepted":
        raise BatosError(
            "BAD_ARGUMENT",
            f"{asked} has not ended yet, and half of it cannot be taken back",
            f"Wait for its end, `batos cycle watch {asked}`, or end it: `batos cycle cancel {asked}`.",
        )
    if found.tid is not None:
        return found.tid
    if found.state == "forgotten":
        for one in commits.newest(db, since=found.since):
            if is_of(one, found) and MANDATE in one.facts:
                return one.tid
        raise BatosError(
            "UNKNOWN_CYCLE", f"no commit of this world is of {asked[:100]!r}", "`batos log` shows them with their ids."
        )
    why = "failed, and has written nothing" if found.state == "failed" else "has changed nothing"
    raise BatosError("BAD_ARGUMENT", f"{asked} {why}", "See `batos log` for what was written.")


def last_of(journal: Journal, key: str | None) -> str | None:
    """What the `last` commit was when it was asked for under this `key` before."""
    row = journal.by_key(key) if key else None
    hand = None if row is None or row.is_expired else codec.unpack(row.body, Mandate).hand
    return hand.tids[0] if isinstance(hand, Undo) else None


def last(db: DB) -> str:
    """The newest commit that can be taken back. BAD_ARGUMENT where there is none."""
    for one in commits.newest(db):
        if not kind_of(one).why_not and not changes_nothing(one) and not one.why.startswith(_ADOPTS):
            return one.tid
    raise BatosError("BAD_ARGUMENT", "nothing was written yet that could be taken back", "See `batos log`.")


def _came(id_: str) -> str:
    """A moment before an id was drawn: a mandate's holds the time, a cycle's nothing."""
    if _CYCLE.fullmatch(id_):
        return "0" * 16
    try:
        drawn = ULID.from_str(id_.upper()).timestamp
    except ValueError:
        raise BatosError(
            "UNKNOWN_CYCLE",
            f"no cycle and no mandate is called {id_[:100]!r}",
            "`batos log` and `batos cycle ls` show their ids.",
        ) from None
    return moments.tid_of(max(0.0, drawn - 1.0)).hex()
