"""An object of the world, for a program that has an event loop."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from batos.errors import Proposed, typed_errors
from batos.line import check_key
from batos.replies import Reply
from batos.streams import AsyncStream
from batos.values import Referring, found, slots_of
from protocol import names, verbs
from protocol.codec import Ref
from protocol.messages import Drop, Dropped, Look, Looked, Rename, Renamed, SetSlots, SlotsSet

if TYPE_CHECKING:
    from batos.asynchronous import AsyncWorld

PAGE: Final = 1000


@typed_errors
class AsyncThing(Referring):
    """An object of the world. `await box.area_()` sends; `await box.get("width")` reads a slot, `await box.set(width=3)` writes."""

    __slots__ = ("_name", "_oid", "_world")

    def __init__(self, world: AsyncWorld, oid: str, name: str = "") -> None:
        self._world = world
        self._oid = oid
        self._name = name

    @property
    def ref(self) -> Ref:
        """The reference that travels."""
        return Ref(self._oid)

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        if name.startswith("_") or not names.is_selector(name):
            raise AttributeError(f"no message is called {name}: a slot is read with `await thing.get({name!r})`")
        return lambda *args, **kwargs: self.call(name, *args, **kwargs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AsyncThing) and (other._oid, other._world.home) == (self._oid, self._world.home)

    def __hash__(self) -> int:
        return hash(self._oid)

    def __str__(self) -> str:
        return self._name or self._oid

    def __repr__(self) -> str:
        return f"<{self}>"

    async def call(self, selector: str, /, *args: Any, **kwargs: Any) -> Any:
        """What the message comes to, with the method's own arguments; Proposed where it waits for its user's word."""
        return result_of(await self.send(selector, *args, kwargs=kwargs), self._name or self._oid, selector)

    async def send(self, selector: str, /, *args: Any, **control: Any) -> Reply:
        """`AsyncWorld.send` to this object."""
        return await self._world.send(self, selector, *args, **control)

    def stream(self, selector: str, /, *args: Any, **control: Any) -> AsyncStream[Reply]:
        """`AsyncWorld.stream` to this object."""
        return self._world.stream(self, selector, *args, **control)

    async def look(self, after: str | None = None, limit: int = PAGE) -> Looked:
        """A page of the object: its own slots, its methods, its parents."""
        return await self._world.ask_verb(verbs.LOOK, Look(target=self._oid, after=after, limit=limit))

    async def slots(self) -> dict[str, Any]:
        """Its own slots, as they are now."""
        slots: dict[str, Any] = {}
        after: str | None = None
        while True:
            page = await self.look(after)
            slots |= found(page.slots, partial(self._called, page.names))
            if page.next is None:
                return slots
            after = page.next

    def _called(self, called: Mapping[str, str], ref: Ref) -> AsyncThing:
        return self._world.thing(ref, called.get(ref.oid, ""))

    async def get(self, slot: str) -> Any:
        """What a slot holds, its own or its parents', as lookup finds it. AttributeError where there is none."""
        pending, seen = [self._oid], set[str]()
        while pending:
            oid = pending.pop(0)
            if oid in seen:
                continue
            seen.add(oid)
            here = AsyncThing(self._world, oid)
            slots = await here.slots()
            if slot in slots:
                return slots[slot]
            pending = [parent.oid for parent in (await here.look(limit=1)).parents] + pending
        raise AttributeError(f"{self._name or self._oid} has no slot {slot!r}")

    async def set(self, slots: Mapping[str, Any] | None = None, /, *, key: str | None = None, **more: Any) -> SlotsSet:
        """Write own slots."""
        wanted = SetSlots(name=self._oid, slots=slots_of({**(slots or {}), **more}, setting=True))
        return await self._world.ask_verb(verbs.SET, wanted, key=check_key(key))

    async def drop(self, entry: str | None = None, *, force: bool = False) -> Dropped:
        """Take an own slot or method away, or the object where none is named. IN_USE where something stands on it."""
        return await self._world.ask_verb(
            verbs.DROP, Drop(name=self._oid, entry=entry, force=force), key=check_key(None)
        )

    async def rename(self, to: str) -> Renamed:
        """Give it another name; whoever refers to it goes on to do so."""
        made = await self._world.ask_verb(verbs.RENAME, Rename(name=self._oid, to=to), key=check_key(None))
        self._name = made.name
        return made


def result_of(reply: Reply, name: str, selector: str) -> Any:
    """What a message has come to; Proposed where its method waits for its user's word."""
    if reply.proposal is not None:
        raise Proposed(
            f"{selector} of {name} waits for your word as proposal {reply.proposal}",
            f'Let it stand: world.accept("{reply.proposal}"); the message goes on, and world.watch("{reply.mandate}") follows it',
            proposal=reply.proposal,
            mandate=reply.mandate,
        )
    return reply.result
