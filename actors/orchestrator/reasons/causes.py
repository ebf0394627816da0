"""What something came of: mandates and cycles, as a person knows them again."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from ZODB import DB

from actors.orchestrator.journal.journal import CycleRow, Journal, MandateRow
from actors.orchestrator.publish import MANDATE
from actors.orchestrator.thinking.author import author_of
from protocol import codec
from protocol.brief import brief
from protocol.errors import BatosError
from protocol.messages import Mandate, MandateReply
from protocol.messages.reasons import Cause
from world import root as world_root
from world.past import commits
from world.store import snapshot

MOST_SAID: Final = 200


def of_mandate(row: MandateRow) -> Cause:
    """A mandate as the cause of something."""
    mandate = message_of(row)
    return Cause(
        mandate=row.mandate,
        cycle=None,
        said="" if mandate is None else said(mandate),
        asked_by=author_of(row.origin),
        time=row.accepted,
        state=_state(row),
        intent="" if mandate is None or mandate.hand is not None else mandate.intent,
    )


def message_of(row: MandateRow) -> Mandate | None:
    """What a mandate asks for; None where that is not kept any more, or the disk has damaged it, which a replay says."""
    try:
        return codec.unpack(row.body, Mandate) if row.body else None
    except BatosError:
        return None


def of_cycle(cycle: CycleRow, name: str) -> Cause:
    """A cycle as the cause of something; `name` is that of its object."""
    return Cause(
        mandate=cycle.mandate,
        cycle=cycle.cycle,
        said=f"{name or cycle.target}.{cycle.selector} was not understood"
        if cycle.selector != "ask_"
        else "a question",
        asked_by="",
        time=cycle.started,
        state=cycle.state,
    )


def said(mandate: Mandate) -> str:
    """What a mandate asks for, as a person would type it."""
    if mandate.hand is not None:
        told = mandate.intent
    elif mandate.selector == "ask_" and mandate.args:
        told = f"ask {brief(mandate.args[0])}"
    else:
        word = "learn" if mandate.learn is not None else "send"
        told = " ".join([word, mandate.target, mandate.selector, *map(brief, mandate.args)])
    return told if len(told) <= MOST_SAID else told[: MOST_SAID - 1] + "…"


def chain(journal: Journal, row: MandateRow, cycle: str) -> list[CycleRow]:
    """The cycles of a mandate that this one came of, the outermost first, itself at the end. On the journal's thread."""
    places = journal.finding.places(row.mandate)
    here = places.get(cycle, "")
    above = [one for one, path in places.items() if here == path or here.startswith(f"{path}.")]
    found = [journal.cycle(one) for one in sorted(above, key=lambda one: len(places[one]))]
    return [one for one in found if one is not None]


def _state(row: MandateRow) -> str:
    if row.state == "complete" and row.reply is not None:
        return codec.unpack(row.reply, MandateReply).state
    return row.state if row.state == "accepted" else row.state.upper()


def names_of(db: DB, oids: Iterable[str]) -> dict[str, str]:
    """What the objects are called that have a name now."""
    found: dict[str, str] = {}
    with snapshot(db) as connection:
        for oid in oids:
            with suppress(BatosError):  # it may be gone
                found[oid] = world_root.get(connection, oid)._name or ""
    return found


def publisher(db: DB, tid: str) -> str:
    """The mandate that a commit says it publishes, or ""."""
    found = commits.at(db, tid)
    return "" if found is None else found.facts.get(MANDATE, "")
