"""Three tiers for experts: cold (a file of the world), warm (bytes in memory), hot (a slot of the bank).

An expert's identity is the sha256 of its content: a name that is given other content can never be served from a slot
or from memory that held the old one. Bytes are verified on their way from cold to warm, so what is copied into a
slot is known to be good, and a load that fails has touched no slot. The way back: a slot is taken from the expert that
is needed latest, then from the one used longest ago, never from one that is pinned or that rows in flight use.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, NamedTuple

from actors.inference.bank import Bank
from actors.inference.expert import Content, Expert, Layout, read_expert
from protocol.errors import BatosError

Tier = Literal["cold", "warm", "hot"]


class Place(NamedTuple):
    """Where a content is now. `last_used` is Unix time; `reason` says why it left a tier."""

    tier: Tier = "cold"
    pinned: bool = False
    last_used: float | None = None
    reason: str = ""


class _Entry:
    """What is known of one content since the start."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self.expert: Expert | None = None
        self.slot: int | None = None
        self.references = 0
        self.pinned = False
        self.turn = 0
        self.last_used: float | None = None
        self.reason = ""


class Tiers:
    """Moves experts between the tiers. One thread moves; any thread may ask for a `place`."""

    def __init__(self, bank: Bank, base_model: str, warm_bytes: int, clock: Callable[[], float] = time.time) -> None:
        self.layout = Layout(bank.shapes, base_model, bank.dtype, bank.rank)
        self._bank = bank
        self._budget = warm_bytes
        self._clock = clock
        self._turns = itertools.count(1)
        self._entries: dict[str, _Entry] = {}

    def place(self, sha256: str) -> Place:
        entry = self._entries.get(sha256)
        if entry is None:
            return Place()
        tier: Tier = "hot" if entry.slot is not None else "warm" if entry.expert is not None else "cold"
        return Place(tier, entry.pinned, entry.last_used, entry.reason)

    def warm(self, content: Content) -> None:
        """Have the content verified and in memory, as far as the budget goes; BAD_EXPERT where it is none."""
        entry = self._entry(content)
        if entry.expert is None and entry.slot is None:
            self._keep(entry, read_expert(content, self.layout, pinned=self._bank.pinned))

    def activate(self, content: Content, *, pin: bool = False) -> None:
        """Have the content in a slot, and keep it there where `pin` is said."""
        with self.hold([content]):
            entry = self._entry(content)
            entry.pinned = entry.pinned or pin

    def unpin(self, sha256: str) -> None:
        entry = self._entries.get(sha256)
        if entry is not None:
            entry.pinned = False

    def release(self, sha256: str, reason: str) -> None:
        """Nobody has a name for this content any more: it gives back its memory, and its slot once no row uses it."""
        entry = self._entries.get(sha256)
        if entry is None:
            return
        entry.pinned = False
        entry.reason = reason
        if entry.references == 0:
            self._leave_slot(entry, reason)
            entry.expert = None

    def waves(self, contents: Sequence[Content | None]) -> list[list[int]]:
        """The rows of a batch, by number, in as few batches as the slots allow; BUSY where they allow none.

        Rows keep their order, and the division depends on the rows and the pins alone.
        """
        wanted = dict.fromkeys(content.sha256 for content in contents if content is not None)
        here = [sha256 for sha256 in wanted if self._is_fixed(sha256)]
        moving = [sha256 for sha256 in wanted if sha256 not in here]
        free = self._bank.slots - sum(self._is_fixed(sha256) for sha256 in self._entries)
        if moving and free < 1:
            raise self._no_slot()
        waves: list[list[int]] = [[] for _ in range(max(1, -(-len(moving) // max(1, free))))]
        order = {sha256: number // max(1, free) for number, sha256 in enumerate(moving)}
        for row, content in enumerate(contents):
            waves[0 if content is None else order.get(content.sha256, 0)].append(row)
        return waves

    @contextmanager
    def hold(self, contents: Collection[Content], later: Collection[str] = ()) -> Iterator[dict[str, int]]:
        """The slots of these contents, by sha256, which stay theirs inside the block.

        `later` are the contents that will be needed next, and are the last to lose their slots.
        """
        distinct = list({content.sha256: content for content in contents}.values())
        held: list[_Entry] = []
        try:
            # Who is there already is held first, so that no other takes its slot.
            for content in sorted(distinct, key=lambda content: self._entry(content).slot is None):
                entry = self._entry(content)
                if entry.slot is None:
                    self._load(entry, content, later)
                entry.references += 1
                held.append(entry)
                entry.turn = next(self._turns)
                entry.last_used = self._clock()
            yield {entry.content.sha256: entry.slot for entry in held if entry.slot is not None}
        finally:
            for entry in held:
                entry.references -= 1

    def _entry(self, content: Content) -> _Entry:
        return self._entries.setdefault(content.sha256, _Entry(content))

    def _is_fixed(self, sha256: str) -> bool:
        entry = self._entries.get(sha256)
        return entry is not None and entry.slot is not None and (entry.pinned or entry.references > 0)

    def _load(self, entry: _Entry, content: Content, later: Collection[str]) -> None:
        expert = entry.expert or read_expert(content, self.layout, pinned=self._bank.pinned)
        slot = self._free_slot(content, later)
        self._bank.fill(slot, expert)
        entry.content, entry.slot, entry.reason = content, slot, ""
        self._keep(entry, expert)

    def _free_slot(self, content: Content, later: Collection[str]) -> int:
        hot = [entry for entry in self._entries.values() if entry.slot is not None]
        taken = {entry.slot for entry in hot}
        empty = [slot for slot in range(self._bank.slots) if slot not in taken]
        if empty:
            return empty[0]
        movable = [entry for entry in hot if not entry.pinned and entry.references == 0]
        if not movable:
            raise self._no_slot()
        victim = min(movable, key=lambda entry: (entry.content.sha256 in later, entry.turn))
        slot = victim.slot
        assert slot is not None
        self._leave_slot(victim, f"made room for {content.name}: of {len(movable)} it was used longest ago")
        return slot

    def _leave_slot(self, entry: _Entry, reason: str) -> None:
        if entry.slot is not None:
            self._bank.clear(entry.slot)
            entry.slot, entry.reason = None, reason

    def _keep(self, entry: _Entry, expert: Expert) -> None:
        """Keep the bytes in memory where the budget allows it, at the cost of what was used longest ago."""
        size = entry.content.bytes
        if size > self._budget:
            entry.expert = None
            if entry.slot is None:
                entry.reason = f"its {size} bytes are over inference.warm_bytes ({self._budget})"
            return
        entry.expert = expert
        kept = sorted(
            (other for other in self._entries.values() if other.expert is not None and other is not entry),
            key=lambda other: other.turn,
        )
        total = size + sum(other.content.bytes for other in kept)
        for other in kept:
            if total <= self._budget:
                break
            total -= other.content.bytes
            other.expert = None
            if other.slot is None:
                other.reason = f"left memory for {entry.content.name}: inference.warm_bytes is {self._budget}"

    def _no_slot(self) -> BatosError:
        pinned = [entry.content.name for entry in self._entries.values() if entry.slot is not None and entry.pinned]
        return BatosError(
            "BUSY",
            f"all {self._bank.slots} slots of the bank are taken by pinned experts: {', '.join(pinned) or 'rows in flight'}",
            "Let one go, `batos expert pin NAME --off`, or raise `slots` under [inference] in batos.toml.",
            pinned=pinned,
        )
