"""An object as it was, written back into the overlay: its slots, their order, its name; and what memory is to know of that.

Nothing is written over that has changed since: such a slot is a `Block`. An object that was made since loses its name alone, since
something may refer to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
from ZODB.POSException import POSKeyError

from actors.orchestrator.past.changes import ABSENT, Absent, Changed, Held, Method, State, held, is_same
from actors.orchestrator.primitives.contracts import holding
from actors.orchestrator.primitives.judgement import gone_memo, memo_of
from actors.orchestrator.thinking.author import author_of
from actors.orchestrator.thinking.overlay import OPAQUE, Overlay
from actors.orchestrator.thinking.thought import Thought
from protocol import names
from protocol.errors import BatosError
from world import history
from world import root as world_root
from world.method import UvmMethod

NAME: Final = "its name"
SINCE: Final = "it has changed since"


class Block(msgspec.Struct, frozen=True):
    """Why a slot of an object (an OID) is not written back."""

    oid: str
    slot: str
    why: str = SINCE


class Writing:
    """Writes into the top layer of a thought's overlay.

    `written` says how often to which object, `blocks` what could not be, `gone` which methods go, by OID and selector, and
    `unnamed` which objects lose their name, and `taught` those whose methods are other ones then.
    """

    def __init__(self, thought: Thought) -> None:
        self._thought = thought
        self._overlay = thought.overlay
        self.blocks: list[Block] = []
        self.gone: list[tuple[str, str]] = []
        self.written: dict[str, int] = {}
        self.unnamed: list[str] = []
        self.taught: dict[str, None] = {}

    def inverse(self, one: Changed) -> None:
        """Take back what a commit has done to one object."""
        now = seen(self._overlay, one.oid)
        if one.before.slots is None:  # made then
            since = [
                slot for slot in {**(one.after.slots or {}), **(now.slots or {})} if not _same_at(one.after, now, slot)
            ]
            if now.name == one.after.name and not since:
                if now.name:
                    self._call(one.oid, now.name, "")
                else:  # it belongs to whoever holds it, and goes with that
                    self.unnamed.append(one.oid)
            elif now.name:
                self.blocks.extend(Block(one.oid, slot) for slot in since or [NAME])
            return
        for slot in one.slots:
            if _same_at(one.after, now, slot):
                self._write(one.oid, slot, one.before.held(slot))
            elif not _same_at(one.before, now, slot):
                self.blocks.append(Block(one.oid, slot))
        if one.before.name not in {one.after.name, now.name}:
            if now.name == one.after.name:
                self._call(one.oid, now.name, one.before.name)
            else:
                self.blocks.append(Block(one.oid, NAME))
        self._arrange(one.oid, one.before)

    def release(self, oid: str, then: State) -> None:
        """Take the name from an object that had another one `then`, so that others may have it."""
        now = self._overlay.name(oid)
        if now not in {"", then.name}:
            self._overlay.call(now, None)
            self.written[oid] = self.written.get(oid, 0) + 1
            if not then.name:
                self.unnamed.append(oid)

    def restore(self, oid: str, then: State, kept: Iterable[str] = ()) -> None:
        """Let an object that was released be as it was `then`; the slots `kept` were changed by who is not taken back."""
        now = seen(self._overlay, oid)
        if then.slots is None:
            return
        for slot in dict.fromkeys((*then.slots, *(now.slots or ()))):
            if not _same_at(then, now, slot):
                if slot in kept:
                    self.blocks.append(Block(oid, slot, "it was changed by what cannot be taken back"))
                else:
                    self._write(oid, slot, then.held(slot))
        if now.name != then.name:
            self._call(oid, now.name, then.name)
        self._arrange(oid, then)

    def _write(self, oid: str, slot: str, value: Held) -> None:
        overlay, before = self._overlay, self._overlay.own(oid).get(slot, ABSENT)
        if value is OPAQUE or before is OPAQUE:
            self.blocks.append(Block(oid, slot, "it holds a blob or a tree"))
            return
        self.written[oid] = self.written.get(oid, 0) + 1
        if isinstance(value, Absent):
            overlay.write(oid, {}, [slot])
        elif isinstance(value, Method):
            method = self._method(value)
            if method is None or self._is_forgotten(oid, slot, value):
                gone = "is in no history any more" if method is None else "was forgotten"
                self.blocks.append(Block(oid, slot, f"the method that it held {gone}"))
                return
            self.taught[oid] = None
            overlay.write(oid, {slot: method})
            self._tell(oid, method)
            return
        else:
            overlay.write(oid, {slot: value})
        if isinstance(before, UvmMethod):
            self.taught[oid] = None
            self.gone.append((oid, slot))
            if not overlay.is_kernel(oid):
                overlay.remember(gone_memo(oid, slot))

    def _is_forgotten(self, oid: str, slot: str, value: Method) -> bool:
        here = world_root.get(self._overlay.connection, oid)
        return any(one.gone == value.oid for one in history.versions(here, slot))

    def _method(self, value: Method) -> UvmMethod | None:
        try:
            found = self._overlay.connection.get(bytes.fromhex(value.oid))
        except POSKeyError:
            return None
        return found if isinstance(found, UvmMethod) else None

    def lose(self, oid: str) -> None:
        """Nothing leads to an object any more: memory need not find its methods."""
        self._overlay.lose(oid)
        for slot, value in self._overlay.own(oid).items():
            if isinstance(value, UvmMethod):
                self._overlay.remember(gone_memo(oid, slot))

    def _tell(self, oid: str, method: UvmMethod) -> None:
        """Let memory find a method again."""
        if not self._overlay.is_kernel(oid):
            draft = holding.draft_of(method, author_of(self._thought.origin))
            self._overlay.remember(memo_of(self._thought, oid, draft))

    def _call(self, oid: str, now: str, then: str) -> None:
        overlay = self._overlay
        if then and self._is_taken(then, oid):
            self.blocks.append(Block(oid, NAME, f"{then} is another object by now"))
            return
        self.written[oid] = self.written.get(oid, 0) + 1
        if now:
            overlay.call(now, None)
        if then:
            overlay.call(then, oid)
            if world_root.get(overlay.connection, oid)._name is None:  # with its name its methods were forgotten
                for method in [value for value in overlay.own(oid).values() if isinstance(value, UvmMethod)]:
                    self._tell(oid, method)
        else:
            self.unnamed.append(oid)

    def _is_taken(self, name: str, oid: str) -> bool:
        """Whether a name means another object, which does not lose it here."""
        try:
            means = self._overlay.find(name)
        except BatosError:
            return False
        return means != oid and self._overlay.name(means) == name

    def _arrange(self, oid: str, then: State) -> None:
        """Parents stand in the order that lookup takes them in."""
        order = [slot for slot in then.slots or () if names.is_delegation(slot)]
        now = [slot for slot in self._overlay.own(oid) if names.is_delegation(slot)]
        if sorted(order) == sorted(now) and order != now:
            self._overlay.arrange(oid, list(then.slots or ()))
            self.written[oid] = self.written.get(oid, 0) + 1


def seen(overlay: Overlay, oid: str) -> State:
    """An object as an overlay has it."""
    return State(overlay.name(oid), {slot: held(value) for slot, value in overlay.own(oid).items()})


def _same_at(one: State, other: State, slot: str) -> bool:
    return is_same(one.held(slot), other.held(slot))
