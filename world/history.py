"""The versions of a method: what stood in its slot before, kept beside what stands there now; and what is proposed for it.

ZODB's own history would tell the same, until somebody packs it. A version that is to stay readable, and to stand again, must
be part of the world; so it is kept here, reachable from the object it belongs to, and goes when that object goes. The
versions are an attribute of the slots' container: no slot, so that neither a method nor a clone meets them, and within the record
that a new method changes anyway.

Whoever puts a method in the place of another one does so by `put`, and takes one away by `drop`, or with its versions by `forget`.

A proposal is a method that stands nowhere as yet: its user accepts or rejects it. All of them are in the root's tree
`proposals` by their id, those that were settled too, so that a second word is told of the first, and so that whoever writes the
method anew is told why the last one was rejected.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from persistent import Persistent
from persistent.list import PersistentList
from persistent.mapping import PersistentMapping
from ZODB.Connection import Connection

from world.finding import mentions
from world.method import UvmMethod
from world.uvm import UvmObject
from world.values import oid_of

WAITING, ACCEPTED, REJECTED, FORGOTTEN = "waiting", "accepted", "rejected", "forgotten"
MOST_SETTLED: Final = 1000
"""Settled proposals that are kept; the oldest go first."""


class UvmVersion(Persistent):
    """What stood in a method's slot from some moment on: a method, or None where it was taken away.

    `author` and `why` are those of the change, `time` is Unix time. `since` is the transaction (16 hex digits) where this was
    noted later than it happened; otherwise it is the one that wrote this record. `gone` is the OID of the method that stood here and was
    forgotten.
    """

    gone: str = ""

    method: UvmMethod | None
    author: str
    why: str
    time: float
    since: str

    def __init__(self, method: UvmMethod | None, *, author: str, why: str, since: str = "") -> None:
        self.method = method
        self.author = author
        self.why = why
        self.time = method.created if method is not None and since else time.time()
        self.since = since

    @property
    def tid(self) -> str:
        self._p_activate()
        return self.since or self._p_serial.hex()


class UvmProposal(Persistent):
    """A `method` that waits to stand on `target`, and how its user has settled that: `state`, `by` whom, and `because` of what.

    `message` are "args" and "kwargs" of the message that it was written for, "is_sent" where that is to be sent, and the
    "parameters" and the contract that were asked for; `found` is what came of its trial: "cases", "result" and "doubts". `mandate`
    is the mandate's id, `body` that mandate packed, `attempt` which of its attempts. It is bound to `method.sha256`, and to
    `reads`: the serials, by OID, of what was read for it. `replaces` is the hash of what stood in its place ("": nothing), and
    `diff` leads from there. `asker` is the packed origin of the mandate, None for the user of the home. `made` and `settled` are Unix time.
    """

    state = WAITING
    by = ""
    because = ""
    settled: float | None = None
    asker: bytes | None = None  # one that was made before there were origins is the user's

    def __init__(
        self,
        id_: str,
        target: UvmObject,
        method: UvmMethod,
        *,
        message: Any,
        found: Any,
        mandate: str,
        body: bytes,
        attempt: int,
        reads: Mapping[str, bytes],
        replaces: str,
        diff: str,
        asker: bytes | None = None,
    ) -> None:
        self.id = id_
        self.target = target
        self.selector = method.selector
        self.method = method
        self.message = message
        self.found = found
        self.mandate = mandate
        self.body = body
        self.attempt = attempt
        self.reads = dict(reads)
        self.replaces = replaces
        self.diff = diff
        if asker is not None:
            self.asker = asker
        self.made = time.time()


def propose(connection: Connection, proposal: UvmProposal) -> None:
    """Let a proposal wait. The same one again, after a crash, is the one that waits already."""
    connection.root()["proposals"].setdefault(proposal.id, proposal)


def settle(connection: Connection, id_: str, *, state: str, by: str, because: str) -> None:
    """Note how a proposal was settled, or that it waits again."""
    tree = connection.root()["proposals"]
    proposal = tree[id_]
    proposal.state, proposal.by, proposal.because = state, by, because
    proposal.settled = None if state == WAITING else time.time()
    settled = sorted((one for one in tree.values() if one.settled is not None), key=lambda one: one.settled)
    for old in settled[:-MOST_SETTLED]:
        del tree[old.id]


def withdraw(connection: Connection, id_: str) -> None:
    """Let a proposal go, with all that is said in it; its record says that it is forgotten, as long as the past has it."""
    proposal = connection.root()["proposals"].pop(id_, None)
    if proposal is not None:
        proposal.state = FORGOTTEN


def proposals(connection: Connection) -> Iterator[UvmProposal]:
    """Those that wait, the oldest first."""
    waiting = [one for one in connection.root()["proposals"].values() if one.state == WAITING]
    return iter(sorted(waiting, key=lambda one: (one.made, one.id)))


def proposed(connection: Connection, target: str, selector: str) -> list[UvmProposal]:
    """All proposals of a method for the object `target` (an OID), the oldest first."""
    every = connection.root()["proposals"].values()
    return sorted(
        (one for one in every if one.selector == selector and oid_of(one.target) == target),
        key=lambda one: (one.made, one.id),
    )


def put(holder: UvmObject, selector: str, method: UvmMethod, *, author: str, why: str) -> None:
    """Let `method` stand in the slot `selector`, and note that as a version."""
    kept = _noted(holder, selector)
    before = _standing(holder, selector)
    if before is not None:
        mentions.forget(holder, before)
    holder.set_slot(selector, method)
    mentions.note(holder, method)
    kept.append(UvmVersion(method, author=author, why=why))


def drop(holder: UvmObject, selector: str, *, author: str, why: str) -> None:
    """Take the method under `selector` away, and note that as a version."""
    kept = _noted(holder, selector)
    mentions.forget(holder, holder._slots[selector])
    del holder._slots[selector]
    kept.append(UvmVersion(None, author=author, why=why))


def forget(holder: UvmObject, selector: str, sha256s: Collection[str], *, author: str, why: str) -> None:
    """Let no version of the method `selector` show a text with one of these digests; one that stands is taken away.

    What stood is known by its OID alone from then on: by that `batos pack --purge` finds what the world's past has of it.
    """
    standing = _standing(holder, selector)
    if standing is not None and standing.sha256 in sha256s:
        drop(holder, selector, author=author, why=why)
    for version in _noted(holder, selector):
        if version.method is not None and version.method.sha256 in sha256s:
            version.gone, version.method, version.why = oid_of(version.method), None, why


def versions(holder: UvmObject, selector: str) -> list[UvmVersion]:
    """All versions of the holder's own method `selector`, the oldest first; none where it never had one. Writes nothing."""
    holder._slots._p_activate()
    kept = _kept(holder)
    found: list[UvmVersion] = [] if kept is None else list(kept.get(selector, ()))
    standing = _standing(holder, selector)
    last = found[-1].method if found else None
    return found if standing is None or standing is last else [*found, _of(standing)]


def selectors(holder: UvmObject) -> list[str]:
    """The selectors of all methods that the holder has or had."""
    holder._slots._p_activate()
    kept = _kept(holder)
    own = [name for name, value in holder._slots.items() if isinstance(value, UvmMethod)]
    return list(dict.fromkeys([*own, *(() if kept is None else kept)]))


def _noted(holder: UvmObject, selector: str) -> Any:
    """The list of versions, to be written to; what stands and was put there otherwise is noted first."""
    holder._slots._p_activate()
    kept = _kept(holder)
    if kept is None:
        kept = PersistentMapping()
        holder._slots.__setattr__(_VERSIONS, kept)
    if selector not in kept:
        kept[selector] = PersistentList()
    found = kept[selector]
    standing = _standing(holder, selector)
    if standing is not None and (not found or found[-1].method is not standing):
        found.append(_of(standing))
    return found


def _of(method: UvmMethod) -> UvmVersion:
    method._p_activate()
    since = method._p_serial.hex() if method._p_jar is not None else ""
    return UvmVersion(method, author=method.author, why=method.intent, since=since)


def _standing(holder: UvmObject, selector: str) -> UvmMethod | None:
    value = holder._slots.get(selector)
    return value if isinstance(value, UvmMethod) else None


_VERSIONS = "versions"


def _kept(holder: UvmObject) -> Any:
    return getattr(holder._slots, _VERSIONS, None)
