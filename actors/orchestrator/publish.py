"""Publishing: the only place where a mandate's changes reach the world, all in one transaction or not at all.

The transaction begins here, after all thinking, and lives for milliseconds. First everything that the mandate has read
must still be as it was read (by serial; `readCurrent` keeps it so until the commit). Then changes, new methods and the
entry in `applied` are committed together. `applied` makes the outcome of an ambiguous commit readable: an
orchestrator that died after the commit finds there that it had happened.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from persistent.mapping import PersistentMapping
from ZODB import DB
from ZODB.Connection import Connection
from ZODB.POSException import POSKeyError

from actors.orchestrator.thinking.asks import Begin
from actors.orchestrator.thinking.author import author_of
from actors.orchestrator.thinking.overlay import REMOVED, Draft, Layer, Memo, Offer
from protocol import codec, names
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.origin import Origin
from world import history
from world import root as world_root
from world.finding import mentions
from world.history import UvmProposal
from world.method import UvmMethod
from world.placements import keep_placement, placement_of
from world.store import commit, snapshot
from world.uvm import UvmObject
from world.values import oid_of, persistent

ORIGIN: Final = "origin"
"""Under this name a transaction says who has asked for it: `user:lena`, `mcp:claude-code`."""

MANDATE: Final = "mandate"
"""Under this name a transaction says which mandate it publishes."""
HAND: Final = "hand"
"""Under this name it says by which kind of a person's hand it came: `set`, `define`, `undo`."""
MEMOS: Final = "memos"
GONE: Final = "gone"
SETTLED: Final = "settled"
UNDOES: Final = "undoes"
"""Under these, as JSON lists: the documents other than methods that memory is to have of it, or to lose; the proposals that it has made or
settled; and the transactions that it takes back. `MANY` stands for a list that is too long for a transaction to say."""
MANY: Final = "many"
MOST_LISTED: Final = 6000
"""Bytes of one list."""
REWINDS: Final = "rewinds"
"""Under this name a transaction says back to which moment it takes all: its lists are then those of the commits since."""
MAKES: Final = "makes"
"""Under this name the transaction that makes an object by hand says what it is called."""


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be published for `mandate`; `reply` is the packed answer, kept in `applied`.

    `origin` is who has asked for it: the transaction says so, as `ORIGIN`.
    """

    mandate: str
    selector: str
    changes: Layer
    reads: dict[str, bytes]
    cycles: list[str]
    reply: bytes
    finished: list[str]
    user: str = "orchestrator"
    author: str = ""
    why: str = ""
    origin: Origin | None = None
    hand: str = ""

    @property
    def description(self) -> str:
        return self.why or f"{self.selector} for mandate {self.mandate}"


def is_empty(changes: Layer) -> bool:
    """Whether there is nothing to write: a cycle's context alone does not count."""
    kept = [oid for oid in changes.slots if changes.fresh.get(oid, True)]
    return not (
        kept
        or changes.outbox
        or changes.names
        or changes.offers
        or changes.settled
        or changes.forgotten
        or changes.withdrawn
    )


def publish(db: DB, publication: Publication) -> str:
    """Commit, and return the transaction's id (16 hex digits). CONFLICT if the world has changed under the thought.

    NAME_TAKEN where a name that it gives means something else by now.

    A publication whose mandate stands in `applied` is not committed again.
    """
    before = applied(db, publication.mandate)
    if before is not None:
        return before.tid
    cycle = publication.cycles[0] if publication.cycles else ""
    said = {ORIGIN: author_of(publication.origin), MANDATE: publication.mandate, HAND: publication.hand}
    facts = {**said, **_lists(publication.changes)}
    with commit(db, user=publication.user, description=publication.description, cycle=cycle, facts=facts) as connection:
        _check_reads(connection, publication.reads)
        _apply(connection, publication)
        root = connection.root()
        _rename(root, connection, publication.changes)
        for oid in publication.changes.lost:
            mentions.forget_all(world_root.get(connection, oid))
        for offer in publication.changes.offers:
            history.propose(connection, _proposal(connection, offer, publication))
        for (oid, selector), texts in publication.changes.forgotten.items():
            holder = world_root.get(connection, oid)
            history.forget(holder, selector, texts, author=publication.author, why=publication.description)
        for id_ in publication.changes.withdrawn:
            history.withdraw(connection, id_)
        for id_, settled in publication.changes.settled.items():
            history.settle(connection, id_, **msgspec.structs.asdict(settled))
        _post(connection, publication.changes.outbox)
        for ended in publication.cycles:
            root["orchestrator_obj"].active_cycles.pop(ended, None)
        for finished in publication.finished:
            root["applied"].pop(finished, None)
        entry = PersistentMapping({"reply": publication.reply})
        root["applied"][publication.mandate] = entry
    done = applied(db, publication.mandate)
    if done is None:
        raise BatosError("STORAGE", f"the commit of mandate {publication.mandate} is not to be found")
    return done.tid


def _lists(changes: Layer) -> dict[str, str]:
    """What a publication did beside slots and names, for whoever takes it back."""
    if changes.rewinds:
        return {REWINDS: changes.rewinds}
    memos = [memo for memo in changes.outbox if not memo.doc_id.startswith(names.METHOD_DOC)]
    said = {
        MEMOS: [memo.doc_id for memo in memos if not memo.is_gone],
        GONE: [memo.doc_id for memo in memos if memo.is_gone],
        SETTLED: [*(offer.id for offer in changes.offers), *changes.settled],
        UNDOES: changes.undoes,
    }
    packed = {name: msgspec.json.encode(ids).decode() for name, ids in said.items() if ids}
    return {name: ids if len(ids) <= MOST_LISTED else MANY for name, ids in packed.items()}


class Applied(msgspec.Struct, frozen=True):
    """A publication that has happened: its transaction and the packed reply."""

    tid: str
    reply: bytes


def applied(db: DB, mandate: str) -> Applied | None:
    """What was published for `mandate`, if anything."""
    with snapshot(db) as connection:
        entry = connection.root()["applied"].get(mandate)
        if entry is None:
            return None
        entry._p_activate()
        # The entry is written once, in the publishing transaction, so its serial is that transaction's id.
        return Applied(entry._p_serial.hex(), entry["reply"])


def applied_mandates(db: DB) -> list[str]:
    """The mandates whose publication is still remembered."""
    with snapshot(db) as connection:
        return list(connection.root()["applied"])


def forget(db: DB, mandate: str) -> None:
    """Forget what was published for a mandate, since it begins again."""
    with snapshot(db) as connection:
        if mandate not in connection.root()["applied"]:
            return
    with commit(db, user="orchestrator", description=f"mandate {mandate} begins again") as connection:
        connection.root()["applied"].pop(mandate, None)


def active(db: DB) -> dict[str, str]:
    """The cycles whose context stands in the world, and the mandate of each."""
    with snapshot(db) as connection:
        contexts = connection.root()["orchestrator_obj"].active_cycles
        return {cycle: str(context._slots.get("mandate", "")) for cycle, context in contexts.items()}


def retire(db: DB, mandate: str, cycles: list[str], memo: Memo | None) -> None:
    """Take the contexts of failed cycles out of the world; what is left of them is a `memo` of the failure, if any."""
    facts = {} if memo is None else {MEMOS: msgspec.json.encode([memo.doc_id]).decode()}
    description = f"mandate {mandate} failed"
    with commit(db, user="orchestrator", description=description, cycle=cycles[0], facts=facts) as connection:
        root = connection.root()
        active = root["orchestrator_obj"].active_cycles
        for cycle in cycles:
            active.pop(cycle, None)
        if memo is not None:
            _post(connection, [memo])


def begin(db: DB, mandate: str, ask: Begin) -> Ref:
    """Make a cycle's context visible in `active_cycles`; the same one again after a restart."""
    with snapshot(db) as connection:
        known = connection.root()["orchestrator_obj"].active_cycles.get(ask.cycle)
        if known is not None:
            return Ref(oid_of(known))
    with commit(db, user="orchestrator", description=f"{ask.selector} begins", cycle=ask.cycle) as connection:
        root = connection.root()

        def resolve(ref: Ref) -> UvmObject:
            return world_root.get(connection, ref.oid)

        context = UvmObject(mandate=mandate)
        context.set_slot("synthesis_state*", root["psm_prototypes_obj"].IDLE)
        context.set_slot("parent*", root["cycle_traits"])
        for name in ("mission_brief", "target"):
            context.set_slot(name, persistent(ask.slots[name], resolve))
        connection.add(context)
        root["orchestrator_obj"].active_cycles[ask.cycle] = context
        return Ref(oid_of(context))


def place(db: DB, digest: str, found: dict[Any, Value]) -> None:
    """Keep where the model `digest` begins; where another mandate has found that meanwhile, its word stands. CONFLICT."""
    with snapshot(db) as connection:
        if placement_of(connection, digest) is not None:
            return
    with commit(db, user="orchestrator", description=f"placement of {digest[:12]}") as connection:
        keep_placement(connection, digest, found)


def _post(connection: Connection, memos: list[Memo]) -> None:
    """Put memos into the outbox, and take out those that memory has remembered (`cursor` is the last of them)."""
    root = connection.root()
    outbox, remembered = root["outbox"], root["cursor"]["outbox"]
    last = max(remembered, outbox.maxKey() if outbox else 0)

    def resolve(ref: Ref) -> UvmObject:
        return world_root.get(connection, ref.oid)

    for number, memo in enumerate(memos, last + 1):
        entry: dict[str, Value] = {"doc_id": memo.doc_id, "text": memo.text, "metadata": memo.metadata}
        if memo.is_gone:
            entry["gone"] = True
        outbox[number] = persistent(entry, resolve)
    for number in list(outbox.keys(None, remembered)):
        del outbox[number]


def _check_reads(connection: Connection, reads: dict[str, bytes]) -> None:
    for oid, serial in reads.items():
        try:
            read = connection.get(bytes.fromhex(oid))
            read._p_activate()
        except POSKeyError:
            read = None
        if read is None or read._p_serial != serial:
            raise changed_meanwhile(oid)
        connection.readCurrent(read)


def changed_meanwhile(oid: str) -> BatosError:
    """The conflict at `oid`, the state of an object (16 hex digits)."""
    return BatosError(
        "CONFLICT",
        "what this message has read was changed by another one meanwhile",
        "Send it again, under the same key if you like.",
        oid=oid,
    )


def _apply(connection: Connection, publication: Publication) -> None:
    changes = publication.changes
    made = {oid: UvmObject() for oid, keep in changes.fresh.items() if keep}
    for oid, clone in made.items():
        # The mandate has already handed out references under this OID, so `add`, which draws one, will not do.
        connection._add(clone, bytes.fromhex(oid))  # noqa: SLF001

    def resolve(ref: Ref) -> UvmObject:
        return made.get(ref.oid) or world_root.get(connection, ref.oid)

    dropped = {oid for oid, keep in changes.fresh.items() if not keep}
    for oid, slots in changes.slots.items():
        if oid in dropped:
            continue
        target = resolve(Ref(oid))
        for name, value in slots.items():
            if value is REMOVED and isinstance(target._slots.get(name), UvmMethod):
                history.drop(target, name, author=publication.author, why=publication.description)
            elif value is REMOVED:
                target._slots.pop(name, None)
            elif isinstance(value, Draft):
                why = publication.why or value.intent or publication.description
                history.put(target, name, _method(value, resolve), author=publication.author or value.author, why=why)
            elif isinstance(value, UvmMethod) and oid in made:  # a clone shares its original's methods
                shared = connection.get(bytes.fromhex(oid_of(value)))
                target.set_slot(name, shared)
                mentions.note(target, shared)
            elif isinstance(value, UvmMethod):
                method = connection.get(bytes.fromhex(oid_of(value)))
                history.put(target, name, method, author=publication.author, why=publication.description)
            else:
                target.set_slot(name, persistent(value, resolve))
    for oid, order in changes.order.items():
        _arrange(resolve(Ref(oid)), order)


def _arrange(target: UvmObject, order: list[str]) -> None:
    """Let the slots stand in `order`, and what it does not name after that: the order of parents is that of delegation."""
    slots = target._slots
    known = {name: slots[name] for name in (*order, *slots) if name in slots}
    if list(known) != list(slots):
        for name in known:
            del slots[name]
        slots.update(known)


def _rename(root: Any, connection: Connection, changes: Layer) -> None:
    """Take away the names that go, and then give those that come: an object is known under one name at most.

    One may take the name that another one leaves.
    """
    leave = {*changes.released, *(oid for oid in changes.names.values() if oid is not None)}
    for name, oid in changes.names.items():
        known = root["objects"].get(name)
        if known is None and oid is None:
            raise BatosError("CONFLICT", f"nothing is called {name} any more", "See `batos ls`.")
        if known is not None and (oid is None or oid_of(known) in leave):
            del root["objects"][name]
            known._name = None
    for name, oid in changes.names.items():
        if oid is not None:
            if world_root.is_taken(root, name):
                raise world_root.taken(name)
            named = root["objects"][name] = world_root.get(connection, oid)
            named._name = name
            mentions.note_all(named)  # it may have been lost


def _proposal(connection: Connection, offer: Offer, publication: Publication) -> UvmProposal:
    def resolve(ref: Ref) -> UvmObject:
        return world_root.get(connection, ref.oid)

    return UvmProposal(
        offer.id,
        resolve(Ref(offer.target)),
        _method(offer.draft, resolve),
        message=persistent(offer.message, resolve),
        found=persistent(offer.found, resolve),
        mandate=publication.mandate,
        body=offer.body,
        attempt=offer.attempt,
        reads=publication.reads,
        replaces=offer.replaces,
        diff=offer.diff,
        asker=None if publication.origin is None else codec.pack(publication.origin),
    )


def _method(draft: Draft, resolve: Any) -> UvmMethod:
    method = UvmMethod(
        draft.selector,
        source=draft.source,
        parameters=draft.parameters,
        author=draft.author,
        model=draft.model,
        verdict="accept",
        intent=draft.intent,
        origin=draft.origin,
        asked_by=draft.asked_by,
        told=draft.told,
    )
    method.examples = persistent(draft.examples, resolve)
    return method
