"""The inbox: how a mandate is accepted. It is durable before it is acknowledged, and its key makes it unique."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from ulid import ULID

from actors.orchestrator.journal.journal import Journal, MandateRow, expired
from actors.orchestrator.misspelling import check_spelling
from protocol import codec, names
from protocol.codec import Ref, Value
from protocol.envelope import MAX_KEY
from protocol.errors import BatosError
from protocol.failure import Failure, raised_from
from protocol.mandates import MAX_SECONDS, check_mandate
from protocol.messages import Accept, Example, GivenReply, ImportBundle, Mandate, OtherObject, Reject
from protocol.origin import Origin, is_same_origin
from world import root as world_root
from world.store import Store, snapshot
from world.values import oid_of


async def accept(
    store: Store,
    journal: Journal,
    mandate: Mandate,
    key: str,
    *,
    room: bool,
    default: float,
    origin: Origin | None = None,
) -> tuple[MandateRow, bool]:
    """Accept `mandate` under `key`, or find what that key was accepted for before; and whether it is new by this call.

    What it names is found in the world now. One that does not say how many seconds it may take has the `default`. Raises the
    errors of `check_mandate`, UNKNOWN_OBJECT, MISSPELT, UNKNOWN_TOKEN, BUSY where there is no `room` for a new one or its token has none, and CONFLICT where the key
    stands for another message, or for one of another origin, whose answer is not for this one; EXPIRED where the answer is kept no longer. A mandate whose failure passes is opened again, with the seconds of this request.
    """
    check_mandate(mandate)
    seconds = default if mandate.seconds is None else mandate.seconds
    if not 0 < seconds <= MAX_SECONDS:
        raise BatosError("BAD_ARGUMENT", f"a mandate may take more than 0 and at most {MAX_SECONDS:g} seconds")
    if not 0 < len(key) <= MAX_KEY:
        raise BatosError("BAD_ARGUMENT", f"an idempotency key has 1 to {MAX_KEY} characters")
    mandate = await _known(store, mandate)
    body = codec.pack(mandate)
    id_ = str(ULID())
    if origin is not None and (token := origin.token):
        await journal.run(lambda: journal.tokens.held(token), durable=False)
    row = await journal.run(lambda: journal.by_key(key), durable=False)
    if row is None:
        await store.run(lambda: _check_targets(store, mandate), again=True)
        _check_room(room=room)

        def note() -> MandateRow:
            _check_token(journal, origin)
            return journal.accept(id_, key, body, seconds, origin)

        row = await journal.run(note)
    _check_asked(row, mandate, key, origin)
    if has_passed(row):
        _check_room(room=room)
        was = row

        def again() -> MandateRow:
            _check_token(journal, origin)
            return journal.attempt_again(was, seconds, origin)  # with the rights that it has now

        return await journal.run(again), False
    return row, row.mandate == id_


def _check_asked(row: MandateRow, mandate: Mandate, key: str, origin: Origin | None) -> None:
    """That `key` stands for this message of this origin, and has an answer to give. CONFLICT, EXPIRED."""
    if not is_same_origin(row.origin, origin):
        raise BatosError(
            "CONFLICT",
            f"the key {key!r} was used by somebody else",
            "Use another key: a random one is nobody else's.",
        )
    if row.is_expired:
        raise expired(
            row.mandate,
            f"the key {key!r} has no answer any more, and nothing is done under it again",
            "What it did stands in the world; to do it once more, use another key.",
        )
    if not is_same(codec.unpack(row.body, Mandate), mandate):
        raise BatosError(
            "CONFLICT",
            f"the key {key!r} was used for another message",
            "Use a key once, for one message; leave --key away to get a new one.",
            mandate=row.mandate,
        )


def has_passed(row: MandateRow) -> bool:
    """Whether a mandate has failed of something that may be otherwise by now."""
    return row.state == "failed" and row.reply is not None and raised_from(codec.unpack(row.reply, Failure)).is_passing


def _check_token(journal: Journal, origin: Origin | None) -> None:
    """What the token's limits say, in the very transaction that accepts. UNKNOWN_TOKEN, BUSY."""
    if origin is not None and origin.token:
        journal.tokens.check_room(origin.token)


def _check_room(*, room: bool) -> None:
    if not room:
        raise BatosError("BUSY", "as many mandates as may run at once are running", "Try again in a moment.")


def _check_targets(store: Store, mandate: Mandate) -> None:
    if isinstance(mandate.hand, Accept | Reject):
        return  # of a proposal, which is found when it is settled
    with snapshot(store.db) as connection:
        own = [] if isinstance(mandate.hand, ImportBundle) else [mandate.target]  # a bundle brings its objects along
        for name in (*own, *(other for example in mandate.examples for other in example.objects)):
            world_root.resolve(connection, name)
        check_spelling(connection, mandate)


async def _known(store: Store, mandate: Mandate) -> Mandate:
    """The mandate with references to the objects that its values name; the world is asked only where they name any."""
    named: set[str] = set()

    def note(name: str) -> Ref:
        named.add(name)
        return Ref(names.ROOT_OID)

    without = _resolved(mandate, note)
    if not named:
        return without

    def found() -> dict[str, Ref]:
        with snapshot(store.db) as connection:
            return {name: Ref(oid_of(world_root.resolve(connection, name))) for name in sorted(named)}

    objects = await store.run(found, again=True)
    return _resolved(mandate, objects.__getitem__)


def _resolved(mandate: Mandate, find: Callable[[str], Ref]) -> Mandate:
    def known(value: Value) -> Value:
        return codec.resolved(value, find)

    def every(values: dict[str, Value]) -> dict[str, Value]:
        return {name: known(value) for name, value in values.items()}

    def example(each: Example) -> Example:
        after = each.slots_after
        return Example(
            slots=every(each.slots),
            args=known(each.args),
            kwargs=every(each.kwargs),
            objects={name: OtherObject(slots=every(other.slots)) for name, other in each.objects.items()},
            replies=[GivenReply(selector=reply.selector, value=known(reply.value)) for reply in each.replies],
            returns=each.returns if each.returns is msgspec.UNSET else known(each.returns),
            slots_after=every(after) if isinstance(after, dict) else after,
        )

    return msgspec.structs.replace(
        mandate,
        args=known(mandate.args),
        kwargs=every(mandate.kwargs),
        examples=[example(each) for each in mandate.examples],
    )


def is_same(one: Mandate, other: Mandate) -> bool:
    """Whether two mandates ask for the same; how long, and whether somebody waits, says nothing about that."""
    fields = ("target", "selector", "parameters", "args", "kwargs", "examples", "intent", "learn", "hand")
    return all(codec.pack(getattr(one, name)) == codec.pack(getattr(other, name)) for name in fields)
