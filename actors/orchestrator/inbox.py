"""The inbox: how a mandate is accepted. It is durable before it is acknowledged, and its key makes it unique."""

from __future__ import annotations

from functools import partial
from typing import Final

from ulid import ULID

from actors.orchestrator.journal.journal import Journal, MandateRow
from protocol import codec
from protocol.envelope import MAX_KEY
from protocol.errors import BatosError
from protocol.failure import Failure, raised_from
from protocol.mandates import MAX_SECONDS, check_mandate
from protocol.messages import Mandate
from world import root as world_root
from world.store import Store, snapshot

SECONDS: Final = 360.0
"""What a mandate may take that does not say it itself."""


async def accept(store: Store, journal: Journal, mandate: Mandate, key: str, *, room: bool) -> tuple[MandateRow, bool]:
    """Accept `mandate` under `key`, or find what that key was accepted for before; and whether it is new by this call.

    Raises the errors of `check_mandate`, UNKNOWN_OBJECT, BUSY where there is no `room` for a new one, and CONFLICT
    where the key stands for another message. A mandate whose failure passes is opened again, with the seconds of this
    request.
    """
    check_mandate(mandate)
    seconds = SECONDS if mandate.seconds is None else mandate.seconds
    if not 0 < seconds <= MAX_SECONDS:
        raise BatosError("BAD_ARGUMENT", f"a mandate may take more than 0 and at most {MAX_SECONDS:g} seconds")
    if not 0 < len(key) <= MAX_KEY:
        raise BatosError("BAD_ARGUMENT", f"an idempotency key has 1 to {MAX_KEY} characters")
    body = codec.pack(mandate)
    id_ = str(ULID())
    row = await journal.run(lambda: journal.by_key(key), durable=False)
    if row is None:
        await store.run(lambda: _check_target(store, mandate.target), again=True)
        _check_room(room=room)
        row = await journal.run(lambda: journal.accept(id_, key, body, seconds))
    if not is_same(codec.unpack(row.body, Mandate), mandate):
        raise BatosError(
            "CONFLICT",
            f"the key {key!r} was used for another message",
            "Use a key once, for one message; leave --key away to get a new one.",
            mandate=row.mandate,
        )
    if has_passed(row):
        _check_room(room=room)
        return await journal.run(partial(journal.attempt_again, row, seconds)), False
    return row, row.mandate == id_


def has_passed(row: MandateRow) -> bool:
    """Whether a mandate has failed of something that may be otherwise by now."""
    return row.state == "failed" and row.reply is not None and raised_from(codec.unpack(row.reply, Failure)).is_passing


def _check_room(*, room: bool) -> None:
    if not room:
        raise BatosError("BUSY", "as many mandates as may run at once are running", "Try again in a moment.")


def _check_target(store: Store, target: str) -> None:
    with snapshot(store.db) as connection:
        world_root.resolve(connection, target)


def is_same(one: Mandate, other: Mandate) -> bool:
    """Whether two mandates ask for the same; how long, and whether somebody waits, says nothing about that."""
    fields = ("target", "selector", "parameters", "args", "kwargs", "examples", "intent", "learn")
    return all(codec.pack(getattr(one, name)) == codec.pack(getattr(other, name)) for name in fields)
