"""Three tiers for experts: cold (a file of the world), warm (bytes in memory), hot (a slot of the bank).

An expert's identity is the sha256 of its content: a name that is given other content can never be served from a slot
or from memory that held the old one. Bytes are verified on their way from cold to warm, so what is copied into a
slot is known to be good, and a load that fails has touched no slot. The way back: a slot is taken from the expert that
is needed latest by the admitted plans, of those in none from the one used longest ago, never from one that is
pinned or that rows in flight use.

Two threads may move experts, one that generates and one that fetches ahead. What each of them decides, it decides
under one lock; files are read and slots are filled outside of it, by whoever has claimed the expert and the slot.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

from actors.inference.experts.plans import Plans
from actors.inference.weights.expert import Content, Expert, Layout, read_expert
from actors.inference.weights.lora import Shape
from protocol.errors import BatosError

if TYPE_CHECKING:
    import torch

Tier = Literal["cold", "warm", "hot"]

_NICENESS: Final = 10
"""Who fetches ahead stands back from who generates; not as far as there is, for somebody may come to wait for it."""


class ExpertSlots(Protocol):
    """Where hot experts live: a `Bank`, or what a server lends. `dtype` is the type of experts' files."""

    @property
    def slots(self) -> int: ...
    @property
    def rank(self) -> int: ...
    @property
    def dtype(self) -> torch.dtype: ...
    @property
    def shapes(self) -> Mapping[str, Shape]: ...
    @property
    def pinned(self) -> bool:
        """Whether experts in memory should be page-locked."""

    def fill(self, slot: int, expert: Expert) -> None:
        """Put the expert into `slot`. The slot is nobody's until it is whole there."""

    def clear(self, slot: int) -> None:
        """Nobody may use what is in `slot` any more."""

    def tidy(self) -> None:
        """Slots may have been cleared, and there is time to follow that up."""


class Residence(NamedTuple):
    """Where a content is now. `pinned` are the names that keep it in a slot, or would, once it has one.

    `last_used` is Unix time; `reason` says why it left a tier, or is not where its pin would have it.
    """

    tier: Tier = "cold"
    pinned: frozenset[str] = frozenset()
    last_used: float | None = None
    reason: str = ""


class _Entry:
    """What is known of one content since the start. While it is `moving`, one thread alone may change its tier."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self.expert: Expert | None = None
        self.slot: int | None = None
        self.moving = False
        self.references = 0
        self.pinned: frozenset[str] = frozenset()
        self.turn = 0
        self.last_used: float | None = None
        self.reason = ""

    @property
    def fixed(self) -> bool:
        """Whether it must stay in the slot that it has."""
        return self.slot is not None and (bool(self.pinned) or self.references > 0)


class Tiers:
    """Moves experts between the tiers."""

    def __init__(
        self,
        bank: ExpertSlots,
        base_model: str,
        warm_bytes: int,
        clock: Callable[[], float] = time.time,
        accepts: Callable[[Sequence[int]], None] = lambda _: None,
    ) -> None:
        """`accepts` raises BAD_EXPERT for the invocation tokens of an expert that whoever generates cannot serve."""
        self.layout = Layout(bank.shapes, base_model, bank.dtype, bank.rank)
        self._bank = bank
        self._budget = warm_bytes
        self._clock = clock
        self._accepts = accepts
        self._turns = itertools.count(1)
        self._entries: dict[str, _Entry] = {}
        self._plans = Plans()
        self._claimed: set[int] = set()
        self._settled = threading.Condition()

    def place(self, sha256: str) -> Residence:
        entry = self._entries.get(sha256)
        if entry is None:
            return Residence()
        tier: Tier = "hot" if entry.slot is not None else "warm" if entry.expert is not None else "cold"
        return Residence(tier, entry.pinned, entry.last_used, entry.reason)

    def warm(self, content: Content) -> None:
        """Have the content verified and in memory, as far as the budget goes; BAD_EXPERT where it is none."""
        with self._moving(content) as entry:
            if entry.expert is None and entry.slot is None:
                self._keep(entry, self._read(content))

    def activate(self, content: Content, *, pin: bool = False) -> None:
        """Have the content in a slot, and keep it there for its name where `pin` is said."""
        with self.hold([content]):
            if pin:
                self._pin(self._entries[content.sha256], content.name)

    def repin(self, content: Content) -> None:
        """Keep for its name what was pinned before: now, or where that cannot be, from when rows next bring it to a slot.

        What is in the way is raised, and stands in its `place` until then.
        """
        with self._moving(content) as entry:
            self._pin(entry, content.name)
            if entry.slot is None:
                try:
                    self._load(entry, content)
                except BatosError as error:
                    entry.reason = f"it is pinned, and could not be brought to the device: {error.message}"
                    raise

    def prefetch(self, plan: str, contents: Sequence[Content]) -> None:
        """Note that `plan` will use these, in this order, and bring them as close to the device as disturbs nobody.

        BAD_EXPERT for the first that is spoiled, once the others are where they can be. One that cannot be served is passed
        over: rows that name it will be told.
        """
        served = [content for content in contents if self._is_accepted(content)]
        with self._settled:
            self._plans.admit(plan, (content.sha256 for content in served))
        spoiled: BatosError | None = None
        for content in served:
            try:
                with self._moving(content) as entry:
                    # One that is pinned would keep a slot that a batch under way counts on.
                    if entry.slot is None and not entry.pinned:
                        self._load(entry, content, ahead=True)
            except BatosError as error:
                spoiled = spoiled or error
        if spoiled is not None:
            raise spoiled

    def unpin(self, content: Content) -> None:
        """Keep it no more for its name; other names may."""
        entry = self._entries.get(content.sha256)
        if entry is not None:
            entry.pinned -= {content.name}

    def evict(self, content: Content) -> None:
        """Free its slot and its memory; the file stays. BUSY where it is pinned or rows in flight use it."""
        with self._moving(content) as entry, self._settled:
            if entry.pinned:
                names = sorted(entry.pinned)
                also = "" if content.name in names else f", as {names[0]}, which is the same"
                raise BatosError(
                    "BUSY",
                    f"the expert {content.name!r} is pinned{also}",
                    f"Let it go first: `batos expert pin {names[0]} --off`.",
                    pinned=names,
                )
            if entry.references:
                raise BatosError("BUSY", f"rows in flight use the expert {content.name!r}", "Try again in a moment.")
            self._leave_slot(entry, "")
            entry.expert, entry.reason = None, "it was evicted by request"
        self._bank.tidy()

    def release(self, sha256: str, reason: str) -> None:
        """Nobody has a name for this content any more: it gives back its memory, and its slot once no row uses it."""
        entry = self._entries.get(sha256)
        if entry is None:
            return
        with self._moving(entry.content):
            entry.pinned = frozenset()
            entry.reason = reason
            if entry.references == 0:
                self._leave_slot(entry, reason)
                entry.expert = None
        self._bank.tidy()

    def waves(self, contents: Sequence[Content | None]) -> list[list[int]]:
        """The rows of a batch, by number, in as few batches as the slots allow; BUSY where they allow none.

        Rows keep their order, and the division depends on the rows and the pins alone.
        """
        wanted = dict.fromkeys(content.sha256 for content in contents if content is not None)
        entries = list(self._entries.items())
        # What is pinned and not there keeps the slot that this batch gives it, so it belongs to the first wave.
        fixed = {sha256 for sha256, entry in entries if entry.fixed or (entry.pinned and sha256 in wanted)}
        moving = [sha256 for sha256 in wanted if sha256 not in fixed]
        free = self._bank.slots - len(fixed)
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
            for content in sorted(distinct, key=lambda content: self.place(content.sha256).tier != "hot"):
                with self._moving(content) as entry:
                    if entry.slot is None:
                        self._load(entry, content, later)
                    entry.references += 1
                    held.append(entry)
                    entry.turn = next(self._turns)
                    entry.last_used = self._clock()
                    with self._settled:
                        self._plans.used(content.sha256)
            yield {entry.content.sha256: entry.slot for entry in held if entry.slot is not None}
        finally:
            with self._settled:
                for entry in held:
                    entry.references -= 1

    def _pin(self, entry: _Entry, name: str) -> None:
        """Keep the entry for this name, which keeps nothing else."""
        with self._settled:
            for other in self._entries.values():
                other.pinned -= {name}
            entry.pinned |= {name}

    @contextmanager
    def _moving(self, content: Content) -> Iterator[_Entry]:
        """The content's entry, for this thread alone."""
        with self._settled:
            entry = self._entries.setdefault(content.sha256, _Entry(content))
            self._settled.wait_for(lambda: not entry.moving)
            entry.moving = True
        try:
            yield entry
        finally:
            with self._settled:
                entry.moving = False
                self._settled.notify_all()

    def _is_accepted(self, content: Content) -> bool:
        try:
            self._accepts(content.invocation)
        except BatosError:
            return False
        return True

    def _read(self, content: Content) -> Expert:
        self._accepts(content.invocation)
        with _room(content):
            return read_expert(content, self.layout, pinned=self._bank.pinned)

    def _load(self, entry: _Entry, content: Content, later: Collection[str] = (), *, ahead: bool = False) -> None:
        """Bring the entry that is moving into memory, and into a slot; nobody loses one before the bytes are verified."""
        expert = entry.expert or self._read(content)
        try:
            slot = self._claim(content, later, ahead=ahead)
        except BatosError:
            # The bytes are good, and who is refused a slot will try again.
            self._keep(entry, expert)
            raise
        if slot is not None:
            try:
                with _room(content):
                    self._bank.fill(slot, expert)
                entry.content, entry.slot, entry.reason = content, slot, ""
            finally:
                with self._settled:
                    self._claimed.discard(slot)
                    self._settled.notify_all()
        self._keep(entry, expert)

    def _claim(self, content: Content, later: Collection[str], *, ahead: bool) -> int | None:
        """A slot that is nobody's, at the cost of who needs it least.

        Whoever comes `ahead` of its rows gets None where only those would lose a slot that need theirs sooner.
        """
        with self._settled:
            while True:
                hot = [entry for entry in self._entries.values() if entry.slot is not None]
                taken = {entry.slot for entry in hot} | self._claimed
                empty = [slot for slot in range(self._bank.slots) if slot not in taken]
                movable = [entry for entry in hot if not entry.fixed and not entry.moving]
                if empty or movable:
                    break
                if ahead:
                    return None
                if not self._claimed and not any(entry.moving and not entry.fixed for entry in hot):
                    raise self._no_slot()
                self._settled.wait()
            slot = empty[0] if empty else self._evict(movable, content, later, ahead=ahead)
            if slot is not None:
                self._claimed.add(slot)
            return slot

    def _evict(self, movable: Sequence[_Entry], content: Content, later: Collection[str], *, ahead: bool) -> int | None:
        def need(entry: _Entry) -> tuple[bool, float, int]:
            sha256 = entry.content.sha256
            return sha256 in later, -self._plans.distance(sha256), entry.turn

        victim = min(movable, key=need)
        distance = self._plans.distance(victim.content.sha256)
        if ahead and distance <= self._plans.distance(content.sha256):
            return None
        slot = victim.slot
        why = f"of {len(movable)} it was used longest ago"
        if distance < float("inf"):
            why = f"of {len(movable)} it is needed latest"
        self._leave_slot(victim, f"made room for {content.name}: {why}")
        return slot

    def _leave_slot(self, entry: _Entry, reason: str) -> None:
        if entry.slot is not None:
            self._bank.clear(entry.slot)
            entry.slot, entry.reason = None, reason

    def _keep(self, entry: _Entry, expert: Expert) -> None:
        """Keep the bytes in memory where the budget allows it, at the cost of what was used longest ago."""
        with self._settled:
            if expert.flat.nbytes > self._budget:
                entry.expert = None
                if entry.slot is None:
                    entry.reason = f"its {expert.flat.nbytes} bytes are over inference.warm_bytes ({self._budget})"
                return
            entry.expert = expert
            others = [other for other in self._entries.values() if other is not entry]
            kept = [(other, other.expert.flat.nbytes) for other in others if other.expert is not None]
            total = expert.flat.nbytes + sum(size for _, size in kept)
            for other, size in sorted(kept, key=lambda one: one[0].turn):
                if total <= self._budget:
                    break
                total -= size
                other.expert = None
                if other.slot is None:
                    other.reason = f"left memory for {entry.content.name}: inference.warm_bytes is {self._budget}"

    def _no_slot(self) -> BatosError:
        entries = [entry for entry in list(self._entries.values()) if entry.slot is not None]
        pinned = [name for entry in entries for name in sorted(entry.pinned)]
        return BatosError(
            "BUSY",
            f"all {self._bank.slots} slots of the bank are taken by pinned experts: {', '.join(pinned) or 'rows in flight'}",
            "Let one go, `batos expert pin NAME --off`, or raise `slots` under [inference] in batos.toml.",
            pinned=pinned,
        )


def stand_back() -> None:
    """Let the calling thread, which fetches ahead, give way to all others, where the system has a niceness for threads."""
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


@contextmanager
def _room(content: Content) -> Iterator[None]:
    """OUT_OF_MEMORY where there is none for the expert."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        from actors.inference.model.device import is_full, no_room  # noqa: PLC0415 - seconds of import

        if is_full(error):
            raise no_room(error, f"the expert {content.name!r}") from None
        raise
