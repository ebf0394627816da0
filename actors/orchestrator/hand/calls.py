"""A call that has happened, as an example: what was asked is read from the journal, and of what from the moment that it was asked in.

An example keeps the slots that the method reads, itself or in what it sends to `self`, and the objects that it can come to. What
the journal has forgotten, or the world by a pack, is EXPIRED.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec
from ZODB import DB
from ZODB.POSException import POSError

from actors.orchestrator.journal.finding import is_mandate_id
from actors.orchestrator.journal.journal import Journal, MandateRow
from actors.orchestrator.primitives import trials
from actors.orchestrator.primitives.contracts import freezing
from actors.orchestrator.thinking.overlay import Overlay
from protocol import codec
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.failure import Failure
from protocol.messages import Example, FinishedCall, Mandate, MandateReply
from world.method import UvmMethod
from world.store import snapshot

LAST: Final = "last"
LOOKED_THROUGH: Final = 500
"""The newest mandates, among which the last message is looked for."""
LEAST: Final = 4
"""Characters of an id that may stand for it."""
NEAR: Final = 8
"""Other objects of a corrected call: the model that learns from it reads them all."""
_ASK: Final = ("orchestrator_obj", "ask_")


class Finished(msgspec.Struct, frozen=True):
    """A message's mandate that has ended. `reply` is None where it has failed, of `failure`; `read` is a transaction's id."""

    id: str
    mandate: Mandate
    read: str
    reply: MandateReply | None = None
    failure: Failure | None = None


def find(journal: Journal, asked: str, key: str | None) -> Finished:
    """The mandate with this id, or the only one that begins so, or the `last` one. On the journal's thread.

    Asked again under its `key`, the last one is that which was meant the first time, whatever has been sent since.

    UNKNOWN_CYCLE, EXPIRED, and BAD_ARGUMENT where it is none of a message, or has no end yet.
    """
    row = _last(journal, key) if asked == LAST else _row(journal, asked)
    if row.is_expired:
        raise _expired(f"the message and the end of mandate {row.mandate} are not kept any more")
    mandate = codec.unpack(row.body, Mandate)
    if not _is_message(mandate):
        what = "was a question" if (mandate.target, mandate.selector) == _ASK else "has sent no message"
        raise BatosError(
            "BAD_ARGUMENT",
            f"mandate {row.mandate} {what}: it is no call of a method that could be an example",
            "Name one of `batos send`; its id stands in the reply and in `batos cycle ls`.",
        )
    if row.state == "accepted" or row.reply is None:
        raise BatosError(
            "BAD_ARGUMENT", f"mandate {row.mandate} has not ended yet", f"Follow it: `batos cycle watch {row.mandate}`."
        )
    if row.read is None:
        raise _expired(f"nobody has noted in which moment of the world mandate {row.mandate} was carried out")
    if row.state == "failed":
        return Finished(row.mandate, mandate, row.read, failure=codec.unpack(row.reply, Failure))
    reply = codec.unpack(row.reply, MandateReply)
    if reply.proposal is not None:
        raise BatosError(
            "BAD_ARGUMENT",
            f"mandate {row.mandate} has called nothing: its method was proposed",
            f"Accept it and have it sent, `batos accept {reply.proposal}`, or `batos send` it again under its key.",
        )
    return Finished(row.mandate, mandate, row.read, reply)


def confirmed(db: DB, call: Finished) -> FinishedCall:
    """The call with what really came of it. BAD_ARGUMENT where it has failed, or no example can say what it did."""
    reply = call.reply
    if reply is None:
        why = call.failure.message if call.failure is not None else "nobody knows why"
        raise BatosError(
            "BAD_ARGUMENT",
            f"mandate {call.id} has failed ({why}), so there is nothing to confirm",
            f"Say what it should have been: `batos correct {call.id} --returns JSON`.",
        )
    with _world(db, call, call.read) as before:
        oid, example = _asked(before, call, trials.MAX_FROZEN)
        slots = before.visible(oid, kernel=False)
    after = slots
    if reply.tid is not None:
        with _world(db, call, reply.tid) as then:
            after = then.visible(oid, kernel=False)
    gone = [name for name in slots if name not in after]
    if gone:
        raise BatosError(
            "BAD_ARGUMENT",
            f"mandate {call.id} has taken the slot {gone[0]} away, which no example can say",
            "Say what matters of it with `batos learn NAME SELECTOR --again --example JSON`.",
        )
    changed = {name: value for name, value in after.items() if not _same(slots, name, value)}
    known = msgspec.structs.replace(example, returns=reply.result, slots_after=changed)
    return FinishedCall(mandate=call.id, receiver=oid, selector=call.mandate.selector, example=known)


def corrected(
    db: DB, call: Finished, returns: Value | msgspec.UnsetType, slots_after: dict[str, Value] | msgspec.UnsetType
) -> tuple[str, Example]:
    """The object (an OID) whose method is to be learned again, and the call with what should have come of it, as from outside."""
    with _world(db, call, call.read) as before:
        oid, example = _asked(before, call, NEAR)
    with snapshot(db) as connection:
        place = Overlay(connection).lookup(oid, call.mandate.selector)
        holder = oid if place is None else place.holder
        if place is not None and isinstance(place.value, UvmMethod) and place.value.source is None:
            raise BatosError(
                "BAD_ARGUMENT",
                f"{call.mandate.selector} is done by the system itself, and nobody writes it again",
                "Correct a call of a method that was learned or defined.",
            )
    given = Example(
        slots=_literal(example.slots),
        args=[codec.literal(value) for value in example.args],
        kwargs=_literal(example.kwargs),
        objects={
            name: msgspec.structs.replace(other, slots=_literal(other.slots)) for name, other in example.objects.items()
        },
        returns=returns,
        slots_after=slots_after,
    )
    return holder, given


def _asked(before: Overlay, call: Finished, most: int) -> tuple[str, Example]:
    """The receiver (an OID), and what was asked of it, as an example that asks for nothing as yet."""
    mandate = call.mandate
    oid = before.find(mandate.target)
    place = before.lookup(oid, mandate.selector)
    if place is not None and isinstance(place.value, UvmMethod) and place.value.source is not None:
        source = place.value.source
    else:
        source = call.reply.method.source if call.reply is not None and call.reply.method is not None else ""
    slots = freezing.slots_read(before, oid, source)
    near = freezing.objects_near(before, oid, [slots, mandate.args, mandate.kwargs], most)
    value: Value = {"slots": slots, "args": mandate.args, "kwargs": mandate.kwargs, "objects": near}
    return oid, codec.convert(value, Example)


@contextmanager
def _world(db: DB, call: Finished, tid: str) -> Iterator[Overlay]:
    """The world as it was right after a transaction; EXPIRED where that is forgotten."""
    try:
        with snapshot(db, bytes.fromhex(tid)) as connection:
            yield Overlay(connection)
    except (POSError, KeyError) as error:
        raise _expired(f"the world of mandate {call.id} is forgotten") from error


def _last(journal: Journal, key: str | None) -> MandateRow:
    asked = journal.by_key(key) if key else None
    for id_ in journal.finding.newest(LOOKED_THROUGH):
        if asked is not None and id_ >= asked.mandate:  # ids are in the order of time
            continue
        row = journal.by_id(id_)
        if (
            row is not None
            and row.state != "accepted"
            and not row.is_expired
            and _is_message(codec.unpack(row.body, Mandate))
        ):
            return row
    raise BatosError("UNKNOWN_CYCLE", "no message has been sent lately", "Send one: `batos send NAME SELECTOR`.")


def _row(journal: Journal, asked: str) -> MandateRow:
    row = journal.by_id(asked)
    if row is not None:
        return row
    found = journal.finding.by_beginning(asked.upper()) if len(asked) >= LEAST else []
    if len(found) > 1:
        raise BatosError(
            "BAD_ARGUMENT", f"several mandates begin with {asked[:100]!r}", "Give more of its id; `batos cycle ls`."
        )
    row = journal.by_id(found[0]) if found else None
    if row is not None:
        return row
    oldest = journal.finding.oldest()
    if is_mandate_id(asked) and (oldest is None or asked.upper() < oldest):
        raise _expired(f"the journal has no mandate as old as {asked}")
    raise BatosError(
        "UNKNOWN_CYCLE",
        f"no mandate's id begins with {asked[:100]!r}",
        f"Give {LEAST} characters of it or more, or the word {LAST}; the id stands in the reply of `batos send`.",
    )


def _expired(what: str) -> BatosError:
    return BatosError(
        "EXPIRED",
        f"{what}, so it cannot become an example any more",
        "State the example: `batos learn NAME SELECTOR --again --example JSON`. `keep` in batos.toml says how long is kept.",
    )


def _is_message(mandate: Mandate) -> bool:
    return mandate.hand is None and mandate.learn is None and (mandate.target, mandate.selector) != _ASK


def _literal(values: dict[str, Value]) -> dict[str, Value]:
    return {name: codec.literal(value) for name, value in values.items()}


def _same(slots: dict[str, Value], name: str, value: Value) -> bool:
    return name in slots and codec.encode(slots[name]) == codec.encode(value)
