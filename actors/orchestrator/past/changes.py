"""What a commit has changed, slot by slot: the objects that it names, as they were before it and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec
from ZODB import DB
from ZODB.Connection import Connection
from ZODB.utils import p64, u64

from actors.orchestrator.primitives.contracts import holding
from actors.orchestrator.thinking.overlay import OPAQUE, Opaque, Overlay
from protocol import codec
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.messages import ChangedObject, ChangedSlot
from protocol.messages.past import How
from world import root as world_root
from world.method import UvmMethod
from world.past.commits import Commit
from world.store import snapshot
from world.values import oid_of


class Absent:
    """The mark of a slot that is not there."""


ABSENT: Final = Absent()


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """A method as it stood at a moment; `oid` leads to it, and `owes` is the digest of what it is for and owes."""

    oid: str
    sha256: str | None
    source: str
    author: str
    owes: str


Held = Any
"""What a slot held at a moment: a plain value, a `Method`, `OPAQUE` or `ABSENT`."""


class State(msgspec.Struct, frozen=True):
    """An object at a moment: its name or "", and its slots in order; None where it was not there."""

    name: str
    slots: dict[str, Held] | None

    def held(self, slot: str) -> Held:
        return ABSENT if self.slots is None else self.slots.get(slot, ABSENT)


NOTHING: Final = State("", None)


class Changed(msgspec.Struct, frozen=True):
    """An object before a commit and after it."""

    oid: str
    before: State
    after: State

    @property
    def slots(self) -> list[str]:
        """Those that differ."""
        known = dict.fromkeys((*(self.before.slots or ()), *(self.after.slots or ())))
        return [slot for slot in known if not is_same(self.before.held(slot), self.after.held(slot))]

    @property
    def is_any(self) -> bool:
        return bool(self.slots) or self.before.name != self.after.name or self.how != "changed"

    @property
    def how(self) -> How:
        return _how(is_there=self.before.slots is not None, stays=self.after.slots is not None)

    def told(self) -> ChangedObject:
        """As it is shown."""
        name = self.after.name or self.before.name or self.oid
        was = self.before.name if self.before.name not in {"", name} else ""
        how: How = self.how if bool(self.before.name) == bool(self.after.name) else _named(self)
        return ChangedObject(oid=self.oid, name=name, how=how, was=was, slots=[self._slot(slot) for slot in self.slots])

    def _slot(self, slot: str) -> ChangedSlot:
        before, after = self.before.held(slot), self.after.held(slot)
        return ChangedSlot(
            slot=slot,
            how=_how(is_there=before is not ABSENT, stays=after is not ABSENT),
            is_method=isinstance(before, Method) or isinstance(after, Method),
        )


def changed(db: DB, commit: Commit) -> list[Changed]:
    """What a commit has changed of the objects that it names."""
    if not commit.touched:
        return []
    with before_and_after(db, commit) as (before, after):
        return [one for one in differences(before, after, commit.touched) if one.is_any]


@contextmanager
def before_and_after(db: DB, commit: Commit) -> Iterator[tuple[Connection, Connection]]:
    """The world right before a commit, and right after it."""
    tid = bytes.fromhex(commit.tid)
    with snapshot(db, p64(u64(tid) - 1)) as before, snapshot(db, tid) as after:
        yield before, after


def differences(before: Connection, after: Connection, oids: Iterable[str]) -> Iterator[Changed]:
    """The objects `oids` at two moments."""
    return (Changed(oid, state(before, oid), state(after, oid)) for oid in oids)


def state(connection: Connection, oid: str) -> State:
    """An object as a connection sees it."""
    try:
        found = world_root.get(connection, oid)
    except BatosError:
        return NOTHING
    return State(found._name or "", {name: held(value) for name, value in Overlay(connection).own(oid).items()})


def held(value: Any) -> Held:
    """What an overlay's slot holds, to be looked at when its connection is closed."""
    if not isinstance(value, UvmMethod):
        return value
    owes = [value.primitive, value.intent, holding.contract(value)]
    return Method(
        oid=oid_of(value),
        sha256=value.sha256,
        source=value.source or "",
        author=value.author,
        owes=codec.digest(owes),
    )


def _known_by(method: Method) -> tuple[str | None, str]:
    """Whoever writes the very same method once more has changed nothing."""
    return method.sha256, method.owes


def is_same(one: Held, other: Held) -> bool:
    """Whether two slots hold the same; of a blob or a tree nobody knows more than that it is one."""
    if isinstance(one, (Absent, Opaque)) or isinstance(other, (Absent, Opaque)):
        return one is other
    if isinstance(one, Method) or isinstance(other, Method):
        return isinstance(one, Method) and isinstance(other, Method) and _known_by(one) == _known_by(other)
    return codec.packed(one) == codec.packed(other)


def plain(value: Held) -> Value:
    """A held value for a reader."""
    if isinstance(value, Absent):
        return None
    return "<a blob or a tree>" if value is OPAQUE else value


def _how(*, is_there: bool, stays: bool) -> How:
    return "changed" if is_there and stays else "new" if stays else "gone"


def _named(one: Changed) -> How:
    return "new" if one.after.name else "gone"
